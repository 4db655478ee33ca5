/**
 * The names on which the rendered dialplan and the controller's Asterisk adapter must agree.
 * They stand here once, because a name spelled differently on one side is a call that hangs.
 */

/** The Stasis application in which the warning's whisper channels begin. */
export const STASIS_APP = 'letsdial';

/**
 * User events of the dialplan, by which a call is given to the controller. The channel then waits where it is until the controller
 * sends it on: `arrived` with the header `Source`, `failed` with `Failure` (see `FAILURE_SEPARATOR`).
 */
export const GIVEN = { arrived: 'LetsdialArrived', failed: 'LetsdialFailed' } as const;

/**
 * User events of a call that the switch makes by itself to speak to somebody: `speaks` when he answered, `unspoken` with `Failure` when
 * nobody did.
 */
export const SPOKEN = { speaks: 'LetsdialSpeaks', unspoken: 'LetsdialUnspoken' } as const;

/** A channel that was answered goes on in this context to be told the digits; what hangs up before is told by the other one. */
export const SPEAK_CONTEXT = 'ld-speak';
export const UNSPOKEN_CONTEXT = 'ld-unspoken';

/** What is spoken, in which language if there are sounds in it, and after how many seconds the switch hangs up whatever happens. */
export const SPEAK_VARIABLES = {
  digits: 'LD_DIGITS',
  language: 'LD_LANGUAGE',
  limit_seconds: 'LD_LIMIT_SECONDS',
} as const;

/** Context of the mailboxes: the extension is the call's id, and behind the separator the greeting's where its holder has one of his own. */
export const VOICEMAIL = {
  context: 'ld-voicemail',
  separator: '*',
  /** Folders below the switch's spool: greetings that it plays, and messages that it leaves for whoever seals them. */
  greetings: 'voicemail/greetings',
  messages: 'voicemail/messages',
} as const;

/** Between account code, DIALSTATUS, HANGUPCAUSE and the responses of the B channels. */
export const FAILURE_SEPARATOR = '|';

/**
 * A global variable: the second (EPOCH) until which the controller takes calls. It writes a later one with each heartbeat, so that a
 * caller is not kept waiting for a controller that died.
 */
export const SERVED_UNTIL_VARIABLE = 'LD_SERVED_UNTIL';

/** A global variable that says that a switch has this dialplan. */
export const DIALPLAN_VARIABLE = 'LD_DIALPLAN';

/** What a channel that waits for the controller is busy with, as the list of channels tells it. */
export const WAITING_APPLICATION = 'Wait';

/** Contexts and extensions the adapter continues a channel into. */
export const FAST_LANE = {
  context: 'ld-bridge',
  /** Dials `LD_TO` as it stands. */
  trunk: 'trunk',
  /** Dials `LD_TO` after its variables were evaluated, each of which holds a phone. */
  devices: 'devices',
} as const;

/**
 * Holds everything that the fast lane is told of a call, as `MSet` takes it: `name=value,name=value`. One variable is one request to
 * the switch, and the channel's own thread unpacks it.
 */
export const PLAN_VARIABLE = 'LD_PLAN';

/** What the plan sets for `Dial`: destination, seconds of ringing, milliseconds that are paid. */
export const DIAL_VARIABLES = { to: 'LD_TO', ring_seconds: 'LD_RING_SECONDS', limit_ms: 'LD_LIMIT_MS' } as const;

/** Each followed by a number: where a phone is registered, as a peer of `Dial`. A line of AMI is too short for several. */
export const PHONE_VARIABLE_PREFIX = 'LD_PHONE_';

/** Context whose extension `s` plays the warning into a whisper channel and hangs it up. */
export const WARNING_CONTEXT = 'ld-warning';

/** A refused channel continues in this context followed by the prompt's name; the extension is the Q.850 cause. */
export const REFUSAL_CONTEXT_PREFIX = 'ld-refuse-';

/** Separates call id and attempt in a channel's account code, which reaches the CDR and the list of channels. */
export const ACCOUNT_SEPARATOR = '*';

/** The columns of the CDR file, in order. */
export const CDR_COLUMNS = [
  'accountcode',
  'uniqueid',
  'start',
  'answer',
  'end',
  'disposition',
  'sequence',
  'dstchannel',
  'channel',
] as const;
