import {
  ACCOUNT_SEPARATOR,
  DIAL_VARIABLES,
  FAST_LANE,
  PHONE_VARIABLE_PREFIX,
  PLAN_VARIABLE,
  SPEAK_CONTEXT,
  SPEAK_VARIABLES,
  UNSPOKEN_CONTEXT,
  VOICEMAIL,
} from '../../../dialplan/asterisk/contract.ts';
import type { BridgePlan, SpokenCall } from '../switch.ts';

/** Names and numbers end up inside a dial string, where `&`, `,`, `)` and `$` have a meaning: only these pass. */
const NAME = /^[a-z0-9][a-z0-9-]{0,79}$/u;
const NUMBER = /^\+?[0-9*#]{1,32}$/u;
const DIGITS = /^[0-9]{1,12}$/u;
const LANGUAGE = /^[a-z]{2}$/u;
const CALL_ID = /^[a-zA-Z0-9-]{1,64}$/u;

function checked(pattern: RegExp, value: string, what: string): string {
  if (!pattern.test(value))
    throw new Error(`A plan for the switch holds an impossible ${what}: ${JSON.stringify(value)}.`);
  return value;
}

function seconds(ms: number): string {
  return (Math.max(1, Math.round(ms)) / 1000).toFixed(3);
}

/** Where a channel goes on in the dialplan, and the variables that are set before, in their order. */
export interface Continuation {
  context: string;
  extension: string;
  variables: readonly { name: string; value: string }[];
}

/** Stands in the account code of a call that was refused: it is ours, but nothing was attempted. */
export const NO_ATTEMPT = 0;

/** What a channel's account code says of its call. */
export interface AccountCode {
  call_id: string;
  attempt: number;
  /** The emergency number that was dialled; null for any other call. */
  help_code: string | null;
}

export function accountCode({ call_id, attempt, help_code }: AccountCode): string {
  const help = help_code === null ? '' : `${ACCOUNT_SEPARATOR}${checked(DIGITS, help_code, 'emergency number')}`;
  return `${checked(CALL_ID, call_id, 'call id')}${ACCOUNT_SEPARATOR}${attempt}${help}`;
}

export function parseAccountCode(code: string): AccountCode | null {
  const match = /^([a-zA-Z0-9-]{1,64})\*([0-9]+)(?:\*([0-9]{1,12}))?$/u.exec(code);
  return match === null ? null : { call_id: match[1] ?? '', attempt: Number(match[2]), help_code: match[3] ?? null };
}

/** A device's name as it may stand in what the switch is told. Throws where it may not. */
export function checkedDevice(device: string): string {
  return checked(NAME, device, 'device');
}

/** The device whose phone a channel is, by the channel's name: `PJSIP/` and the device, and a number that makes it unique. */
export function deviceOf(channel_name: string): string | null {
  return /^PJSIP\/(.+)-[0-9a-f]{8}$/u.exec(channel_name)?.[1] ?? null;
}

/**
 * Name and number in one step, so that no name the caller chose goes out with our number. Presentation is "allowed" already: with
 * `trust_id_inbound=no` nothing in an INVITE can change it, and each variable costs the switch a message on its bus.
 */
function caller(plan: BridgePlan): Record<string, string> {
  if (plan.caller_number === null) return { 'CALLERID(all)': '""<>', 'CALLERID(pres)': 'prohib' };
  return { 'CALLERID(all)': `""<${checked(NUMBER, plan.caller_number, 'caller number')}>` };
}

/**
 * What the channel is told before it continues in the dialplan, and where it continues. Throws on a plan that is no plan.
 * @param phones where the plan's devices are registered, as `registeredPhones` says.
 */
export function continuation(plan: BridgePlan, phones: readonly string[] = []): Continuation {
  const { target } = plan;
  const peers = phones.map((value, n) => ({ name: `${PHONE_VARIABLE_PREFIX}${n + 1}`, value }));
  const told = {
    'CHANNEL(accountcode)': accountCode(plan),
    ...caller(plan),
    [DIAL_VARIABLES.to]: destination(plan, peers),
    [DIAL_VARIABLES.ring_seconds]: seconds(plan.ring_timeout_ms),
    [DIAL_VARIABLES.limit_ms]: String(Math.max(1, Math.round(plan.limit_ms))),
  };
  return {
    context: FAST_LANE.context,
    extension: target.kind === 'devices' ? FAST_LANE.devices : FAST_LANE.trunk,
    variables: [
      ...peers,
      {
        name: PLAN_VARIABLE,
        value: Object.entries(told)
          .map(([name, value]) => `${name}=${value}`)
          .join(','),
      },
    ],
  };
}

/** `n`: the two halves stay, as the deadline is armed on the one and the mailbox runs in the other. */
function mailbox(call_id: string, greeting: string | null): string {
  const own = greeting === null ? '' : `${VOICEMAIL.separator}${checked(CALL_ID, greeting, 'greeting')}`;
  return `Local/${checked(CALL_ID, call_id, 'call id')}${own}@${VOICEMAIL.context}/n`;
}

function destination({ call_id, target }: BridgePlan, peers: readonly { name: string }[]): string {
  switch (target.kind) {
    case 'voicemail':
      return mailbox(call_id, target.greeting);
    case 'devices':
      return peers.map(({ name }) => `\${${name}}`).join('&');
    case 'trunk':
      return byTrunk(target);
  }
}

function byTrunk({ number, trunk }: { number: string; trunk: string }): string {
  return `PJSIP/${checked(NUMBER, number, 'number')}@${checked(NAME, trunk, 'trunk')}`;
}

/** A request of ARI that makes a channel: its path with the query, and its body. Throws on a call that is no call. */
export interface Origination {
  uri: string;
  body: { variables: Readonly<Record<string, string>> };
}

/** The switch's own call goes out as attempt 1 of its only one. */
export function origination(call: SpokenCall): Origination {
  const { channel_id, call_id, caller_number, limit_ms } = call;
  const shown = caller_number === null ? {} : { callerId: checked(NUMBER, caller_number, 'caller number') };
  const query = new URLSearchParams({
    endpoint: byTrunk(call),
    ...{ context: SPEAK_CONTEXT, extension: 's', priority: '1', ...shown },
    timeout: String(Math.max(1, Math.round(call.ring_timeout_ms / 1000))),
  });
  const variables = {
    'CHANNEL(accountcode)': accountCode({ call_id, attempt: 1, help_code: null }),
    'CHANNEL(hangup_handler_push)': `${UNSPOKEN_CONTEXT},s,1`,
    ...(caller_number === null ? { 'CONNECTEDLINE(pres)': 'prohib' } : {}),
    [SPEAK_VARIABLES.digits]: checked(DIGITS, call.digits, 'digits'),
    [SPEAK_VARIABLES.language]: checked(LANGUAGE, call.language, 'language'),
    [SPEAK_VARIABLES.limit_seconds]: seconds(limit_ms),
  };
  return { uri: `channels/${checked(CALL_ID, channel_id, 'channel id')}?${query.toString()}`, body: { variables } };
}
