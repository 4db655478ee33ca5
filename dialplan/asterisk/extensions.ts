import {
  DIAL_VARIABLES,
  FAST_LANE,
  PLAN_VARIABLE,
  REFUSAL_CONTEXT_PREFIX,
  FAILURE_SEPARATOR,
  GIVEN,
  SERVED_UNTIL_VARIABLE,
  WAITING_APPLICATION,
  WARNING_CONTEXT,
} from './contract.ts';
import { PROMPT_SOUNDS, WARNING_SOUNDS } from './prompts.ts';

/** Digits, `+`, `*` and `#`: what a telephone number can be made of. Anything else is answered 404 before a channel exists. */
const DIALLED = '_[+*#0-9]!';

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

function arrival(name: string): string {
  return context(name, [`exten => ${DIALLED},1,NoOp()`, ...give(GIVEN.arrived, 'Source: ${LD_SOURCE}')]);
}

/** `SIP 486`: the carrier's own words after it could hold what would mean something to us, such as a comma. */
const STATUS_LENGTH = 7;

/**
 * `i`: a 302 is ignored, so nobody but us chooses the B-leg. `L`: the switch ends the call by itself, counted from the answer;
 * with a warning inside it, it could not be moved afterwards. None of `t`, `T`, `k`, `K`: no leg changes hands.
 */
function dial(to: string): string {
  return `Dial(${to},\${${DIAL_VARIABLES.ring_seconds}},iL(\${${DIAL_VARIABLES.limit_ms}}))`;
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
    ` same => n,${dial(`\${EVAL(\${${DIAL_VARIABLES.to}})}`)}`,
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

export function extensionsConf(): string {
  return [
    '[general]\nstatic=yes\nwriteprotect=yes\nautofallthrough=yes\nclearglobalvars=no\n',
    arrival('from-device'),
    arrival('from-trunk'),
    bridge(),
    ...Object.entries(PROMPT_SOUNDS).map(([name, sounds]) => refusal(name, sounds)),
    context(WARNING_CONTEXT, [`exten => s,1,Playback(${WARNING_SOUNDS.join('&')})`, ' same => n,Hangup()']),
  ].join('\n');
}
