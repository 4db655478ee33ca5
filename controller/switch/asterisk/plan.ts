import { ACCOUNT_SEPARATOR, DIAL_VARIABLES, FAST_LANE, PLAN_VARIABLE } from '../../../dialplan/asterisk/contract.ts';
import type { BridgePlan } from '../switch.ts';

/** Names and numbers end up inside a dial string, where `&`, `,`, `)` and `$` have a meaning: only these pass. */
const NAME = /^[a-z0-9][a-z0-9-]{0,79}$/u;
const NUMBER = /^\+?[0-9*#]{1,32}$/u;
const CALL_ID = /^[a-zA-Z0-9-]{1,64}$/u;

function checked(pattern: RegExp, value: string, what: string): string {
  if (!pattern.test(value))
    throw new Error(`A plan for the switch holds an impossible ${what}: ${JSON.stringify(value)}.`);
  return value;
}

function seconds(ms: number): string {
  return (Math.max(1, Math.round(ms)) / 1000).toFixed(3);
}

/** Where a channel goes on in the dialplan, and the one variable that is set before. */
export interface Continuation {
  context: string;
  extension: string;
  variable: string;
  value: string;
}

/** Stands in the account code of a call that was refused: it is ours, but nothing was attempted. */
export const NO_ATTEMPT = 0;

export function accountCode(call_id: string, attempt: number): string {
  return `${checked(CALL_ID, call_id, 'call id')}${ACCOUNT_SEPARATOR}${attempt}`;
}

export function parseAccountCode(code: string): { call_id: string; attempt: number } | null {
  const match = /^([a-zA-Z0-9-]{1,64})\*([0-9]+)$/u.exec(code);
  return match === null ? null : { call_id: match[1] ?? '', attempt: Number(match[2]) };
}

/**
 * Name and number in one step, so that no name the caller chose goes out with our number. Presentation is "allowed" already: with
 * `trust_id_inbound=no` nothing in an INVITE can change it, and each variable costs the switch a message on its bus.
 */
function caller(plan: BridgePlan): Record<string, string> {
  if (plan.caller_number === null) return { 'CALLERID(all)': '""<>', 'CALLERID(pres)': 'prohib' };
  return { 'CALLERID(all)': `""<${checked(NUMBER, plan.caller_number, 'caller number')}>` };
}

/** What the channel is told before it continues in the dialplan, and where it continues. Throws on a plan that is no plan. */
export function continuation(plan: BridgePlan): Continuation {
  const { target } = plan;
  const told = {
    'CHANNEL(accountcode)': accountCode(plan.call_id, plan.attempt),
    ...caller(plan),
    [DIAL_VARIABLES.to]: destination(target),
    [DIAL_VARIABLES.ring_seconds]: seconds(plan.ring_timeout_ms),
    [DIAL_VARIABLES.limit_ms]: String(Math.max(1, Math.round(plan.limit_ms))),
  };
  return {
    context: FAST_LANE.context,
    extension: target.kind === 'trunk' ? FAST_LANE.trunk : FAST_LANE.devices,
    variable: PLAN_VARIABLE,
    value: Object.entries(told)
      .map(([name, value]) => `${name}=${value}`)
      .join(','),
  };
}

function destination(target: BridgePlan['target']): string {
  if (target.kind === 'trunk')
    return `PJSIP/${checked(NUMBER, target.number, 'number')}@${checked(NAME, target.trunk, 'trunk')}`;
  return target.devices.map((device) => `\${PJSIP_DIAL_CONTACTS(${checked(NAME, device, 'device')})}`).join('&');
}
