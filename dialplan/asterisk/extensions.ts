import {
  DIAL_VARIABLE,
  FAST_LANE,
  REFUSAL_CONTEXT_PREFIX,
  STASIS_APP,
  STASIS_REASON,
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

function arrival(name: string): string {
  return context(name, [
    `exten => ${DIALLED},1,Stasis(${STASIS_APP},${STASIS_REASON.arrived},\${LD_SOURCE})`,
    ` same => n,${NO_CONTROLLER}`,
  ]);
}

/**
 * The fast lane. When `Dial` comes back at all the B-leg did not answer: what each B channel said is collected, the
 * list is cleared for the next attempt, and the A-leg waits for the controller's next decision.
 */
function bridge(): string {
  const failed = [
    STASIS_APP,
    STASIS_REASON.failed,
    '${CHANNEL(accountcode)}',
    '${DIALSTATUS}',
    '${HANGUPCAUSE}',
    '${LD_LEGS}',
  ];
  return context(FAST_LANE.context, [
    `exten => ${FAST_LANE.trunk},1,Dial(\${${DIAL_VARIABLE}})`,
    ' same => n,Goto(failed,1)',
    `exten => ${FAST_LANE.devices},1,Dial(\${EVAL(\${${DIAL_VARIABLE}})})`,
    ' same => n,Goto(failed,1)',
    'exten => failed,1,Set(LD_KEYS=${HANGUPCAUSE_KEYS()})',
    ' same => n,Set(LD_LEGS=)',
    ' same => n(leg),Set(LD_KEY=${SHIFT(LD_KEYS)})',
    ' same => n,GotoIf($["${LD_KEY}"=""]?told)',
    ' same => n,Set(LD_LEGS=${LD_LEGS}${HANGUPCAUSE(${LD_KEY},tech)}|)',
    ' same => n,Goto(leg)',
    ' same => n(told),HangupCauseClear()',
    ` same => n,Stasis(${failed.join(',')})`,
    ` same => n,${NO_CONTROLLER}`,
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
