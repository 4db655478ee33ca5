import {
  DIAL_VARIABLES,
  DIALPLAN_VARIABLE,
  FAST_LANE,
  PLAN_VARIABLE,
  REFUSAL_CONTEXT_PREFIX,
  FAILURE_SEPARATOR,
  GIVEN,
  SERVED_UNTIL_VARIABLE,
  SPEAK_CONTEXT,
  SPEAK_VARIABLES,
  SPOKEN,
  UNSPOKEN_CONTEXT,
  VOICEMAIL,
  WAITING_APPLICATION,
  WARNING_CONTEXT,
} from './contract.ts';
import {
  CODE_END_SOUND,
  CODE_SOUNDS,
  PROMPT_SOUNDS,
  VOICEMAIL_END_SOUND,
  VOICEMAIL_GREETING,
  WARNING_SOUNDS,
} from './prompts.ts';

/** What begins like a telephone number: a carrier that calls anything else is answered 404 before a channel exists. */
const NUMBER = '_[+*#0-9]!';
/**
 * Whatever a phone dials: `(020) 7946 0018`, digits of other scripts, `sos`, a name. The controller reads it, and what it cannot read it
 * refuses in words and on record, as it does a wrong number. Nothing here expands what was dialled, so that nothing in it is dialplan.
 */
const ANYTHING = '_!';
/** Where a channel goes that hung up while it waited, and which anything matches: it must not be taken for one more call. */
const HUNG_UP = 'exten => h,1,NoOp()';

/** Q.850 42, which becomes SIP 503: the controller is away and nobody can authorise a call. */
const NO_CONTROLLER = 'Hangup(42)';

function context(name: string, lines: readonly string[]): string {
  return [`[${name}]`, ...lines, ''].join('\n');
}

/** A controller that is there decides within moments; one that is busy beyond this has forgotten the call. */
const WAIT_SECONDS_MAX = 30;

/**
 * Gives the call to the controller and waits to be sent on, for as long as there is one. An event and a wait cost the switch
 * less than Stasis, which makes a topic of its own for each channel and writes each step of it as JSON.
 */
function give(event: string, header: string): string[] {
  return [
    ` same => n(give),GotoIf($[0\${${SERVED_UNTIL_VARIABLE}} < \${EPOCH}]?nobody)`,
    ` same => n,UserEvent(${event},${header})`,
    ' same => n,Set(LD_WAITED=0)',
    ` same => n(wait),${WAITING_APPLICATION}(1)`,
    ' same => n,Set(LD_WAITED=$[${LD_WAITED} + 1])',
    ` same => n,GotoIf($[0\${${SERVED_UNTIL_VARIABLE}} >= \${EPOCH} & \${LD_WAITED} < ${WAIT_SECONDS_MAX}]?wait)`,
    ` same => n(nobody),${NO_CONTROLLER}`,
  ];
}

/** Q.850 28, which becomes SIP 484. */
const MALFORMED = 'Hangup(28)';
/** What a caller says of himself, in what the switch tells of him. */
const SAID = '${EXTEN}${CALLERID(num)}${CALLERID(name)}';

/**
 * An event in which a line ends is not believed, so nobody would hear of such a call, and it would take a place for half a minute. Its end
 * is two control characters; one alone, as a tab in a name, is told as it is, for it may be a call for help.
 */
function arrival(name: string, dialled: string, further: readonly string[] = []): string {
  return context(name, [
    `exten => ${dialled},1,GotoIf(\${REGEX("[[:cntrl:]][[:cntrl:]]" ${SAID})}?malformed)`,
    ...give(GIVEN.arrived, 'Source: ${LD_SOURCE}'),
    ` same => n(malformed),${MALFORMED}`,
    ...further,
  ]);
}

/** `SIP 486`: the carrier's own words after it could hold what would mean something to us, such as a comma. */
const STATUS_LENGTH = 7;

/**
 * `i`: a 302 is ignored, so nobody but us chooses the B-leg. `L`: the switch ends the call by itself, counted from the answer;
 * with a warning inside it, it could not be moved afterwards. None of `t`, `T`, `k`, `K`: no leg changes hands.
 */
function dial(to: string, more = ''): string {
  return `Dial(${to},\${${DIAL_VARIABLES.ring_seconds}},iL(\${${DIAL_VARIABLES.limit_ms}})${more})`;
}

/**
 * The fast lane. When `Dial` comes back at all the B-leg did not answer: what each B channel said is collected, the
 * list is cleared for the next attempt, and the A-leg waits for the controller's next decision.
 */
function bridge(): string {
  const failure = ['${CHANNEL(accountcode)}', '${DIALSTATUS}', '${HANGUPCAUSE}', '${LD_LEGS}'].join(FAILURE_SEPARATOR);
  return context(FAST_LANE.context, [
    `exten => ${FAST_LANE.trunk},1,MSet(\${${PLAN_VARIABLE}})`,
    ` same => n,${dial(`\${${DIAL_VARIABLES.to}}`)}`,
    ' same => n,Goto(failed,1)',
    `exten => ${FAST_LANE.devices},1,MSet(\${${PLAN_VARIABLE}})`,
    // `r`: a phone that sounds before it answers would be a line that nobody pays for.
    ` same => n,${dial(`\${EVAL(\${${DIAL_VARIABLES.to}})}`, 'r')}`,
    ' same => n,Goto(failed,1)',
    'exten => failed,1,Set(LD_KEYS=${HANGUPCAUSE_KEYS()})',
    ' same => n,Set(LD_LEGS=)',
    ' same => n(leg),Set(LD_KEY=${SHIFT(LD_KEYS)})',
    ' same => n,GotoIf($["${LD_KEY}"=""]?told)',
    ' same => n,Set(LD_SAID=${HANGUPCAUSE(${LD_KEY},tech)})',
    ` same => n,Set(LD_LEGS=\${LD_LEGS}\${LD_SAID:0:${STATUS_LENGTH}}${FAILURE_SEPARATOR})`,
    ' same => n,Goto(leg)',
    ' same => n(told),HangupCauseClear()',
    ...give(GIVEN.failed, `Failure: ${failure}`),
  ]);
}

/** A refusal is early media and is never answered, so nobody bills it. */
function refusal(name: string, sounds: readonly string[]): string {
  return context(`${REFUSAL_CONTEXT_PREFIX}${name}`, [
    'exten => _X!,1,Progress()',
    ` same => n,Playback(${sounds.join('&')},noanswer)`,
    ' same => n,Hangup(${EXTEN})',
  ]);
}

/** Times that the digits are spoken: whoever looks for a pen hears them once more. */
const ROUNDS = 2;

/**
 * Speaks digits one by one to somebody whom the switch called, and hangs up. The language is left as it is where it has no sounds: a
 * sentence in two languages is understood by fewer than one in English.
 */
function speak(): string {
  const { digits, language, limit_seconds } = SPEAK_VARIABLES;
  const folder = `\${ASTDATADIR}/sounds/\${${language}}/digits`;
  return context(SPEAK_CONTEXT, [
    `exten => s,1,Set(TIMEOUT(absolute)=\${${limit_seconds}})`,
    ' same => n,Set(CHANNEL(hangup_handler_wipe)=)',
    ` same => n,UserEvent(${SPOKEN.speaks})`,
    ` same => n,GotoIf($["\${STAT(d,${folder})}"!="1"]?ear)`,
    ` same => n,Set(CHANNEL(language)=\${${language}})`,
    // The phone is on its way to the ear.
    ' same => n(ear),Wait(1)',
    ' same => n,Set(LD_ROUND=0)',
    ` same => n(round),Playback(${CODE_SOUNDS.join('&')})`,
    ` same => n,Set(LD_LEFT=\${${digits}})`,
    ' same => n(digit),Wait(0.5)',
    ' same => n,Playback(digits/${LD_LEFT:0:1})',
    ' same => n,Set(LD_LEFT=${LD_LEFT:1})',
    ' same => n,GotoIf($["${LD_LEFT}"!=""]?digit)',
    ' same => n,Wait(1)',
    ' same => n,Set(LD_ROUND=$[${LD_ROUND} + 1])',
    ` same => n,GotoIf($[\${LD_ROUND} < ${ROUNDS}]?round)`,
    ` same => n,Playback(${CODE_END_SOUND})`,
    ' same => n,Hangup(16)',
  ]);
}

/** A hang-up handler: the far end did not answer, and what it said of that is only known here. */
function unspoken(): string {
  const failure = ['${CHANNEL(accountcode)}', '', '${HANGUPCAUSE}', `\${LD_SAID:0:${STATUS_LENGTH}}`, ''];
  return context(UNSPOKEN_CONTEXT, [
    'exten => s,1,Set(LD_SAID=${HANGUPCAUSE(${CHANNEL(name)},tech)})',
    ` same => n,UserEvent(${SPOKEN.unspoken},Failure: ${failure.join(FAILURE_SEPARATOR)})`,
    ' same => n,Return()',
  ]);
}

const MESSAGE_SECONDS_MAX = 180;
/** A line that was left open is no message. */
const MESSAGE_SILENCE_SECONDS_MAX = 10;

/**
 * A mailbox is a B-leg like any other: its price, its deadline and its record are those of the call. The half that runs here writes no
 * record of its own. `k` keeps what was said when the caller hangs up, which is how most messages end.
 */
function voicemail(): string {
  const { separator, greetings, messages } = VOICEMAIL;
  const file = `\${ASTSPOOLDIR}/${messages}/\${CUT(EXTEN,${separator},1)}.wav`;
  return context(VOICEMAIL.context, [
    'exten => _[0-9a-f]!,1,Set(CDR_PROP(disable)=1)',
    ` same => n,Set(LD_GREETING=\${CUT(EXTEN,${separator},2)})`,
    ' same => n,Answer()',
    ' same => n,Wait(0.5)',
    ' same => n,GotoIf($["${LD_GREETING}"=""]?standard)',
    ` same => n,Playback(\${ASTSPOOLDIR}/${greetings}/\${LD_GREETING})`,
    ' same => n,GotoIf($["${PLAYBACKSTATUS}"="SUCCESS"]?record)',
    ` same => n(standard),Playback(${VOICEMAIL_GREETING})`,
    ` same => n(record),Record(${file},${MESSAGE_SILENCE_SECONDS_MAX},${MESSAGE_SECONDS_MAX},k)`,
    ` same => n,Playback(${VOICEMAIL_END_SOUND})`,
    ' same => n,Hangup(16)',
  ]);
}

export function extensionsConf(): string {
  return [
    '[general]\nstatic=yes\nwriteprotect=yes\nautofallthrough=yes\nclearglobalvars=no\n',
    `[globals]\n${DIALPLAN_VARIABLE}=yes\n`,
    arrival('from-device', ANYTHING, [HUNG_UP]),
    arrival('from-trunk', NUMBER),
    bridge(),
    speak(),
    unspoken(),
    voicemail(),
    ...Object.entries(PROMPT_SOUNDS).map(([name, sounds]) => refusal(name, sounds)),
    context(WARNING_CONTEXT, [`exten => s,1,Playback(${WARNING_SOUNDS.join('&')})`, ' same => n,Hangup()']),
  ].join('\n');
}
