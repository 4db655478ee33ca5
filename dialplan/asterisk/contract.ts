/**
 * The names on which the rendered dialplan and the controller's Asterisk adapter must agree.
 * They stand here once, because a name spelled differently on one side is a call that hangs.
 */

/** The Stasis application every arriving call enters. */
export const STASIS_APP = 'letsdial';

/** First argument of the Stasis application: why the channel is there. */
export const STASIS_REASON = { arrived: 'arrived', failed: 'failed', warning: 'warning' } as const;

/** Contexts and extensions the adapter continues a channel into. */
export const FAST_LANE = {
  context: 'ld-bridge',
  /** Dials what `DIAL_VARIABLE` holds as it stands. */
  trunk: 'trunk',
  /** Dials what `DIAL_VARIABLE` holds after its functions were evaluated: registered contacts are looked up that late. */
  devices: 'devices',
} as const;

/** Holds the whole argument of `Dial`. */
export const DIAL_VARIABLE = 'LD_DIAL';

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
] as const;
