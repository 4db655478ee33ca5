import { deviceOf, NO_ATTEMPT, parseAccountCode } from './plan.ts';
import type { HelpCall, SwitchRecord } from '../switch.ts';

/** Q.850 causes for `CDR(disposition,u)`. The record does not hold the cause itself; the disposition is what it was made of. */
const CAUSE_OF_DISPOSITION: ReadonlyMap<string, number> = new Map([
  ['0', 19], // no answer
  ['1', 19], // no answer, empty record
  ['2', 41], // failed
  ['4', 17], // busy
  ['8', 16], // answered
  ['16', 34], // congestion
]);

/** `1700000000.123456` to microseconds; Asterisk writes an answer that never came as `0.000000`. */
function microseconds(text: string): bigint | null {
  const match = /^(\d+)\.(\d{6})$/u.exec(text);
  if (match === null) return null;
  return BigInt(match[1] ?? '') * 1_000_000n + BigInt(match[2] ?? '');
}

/**
 * One line of the CDR file, whose columns are `CDR_COLUMNS`. Null for a channel no plan of ours was given to
 * and for a refused call.
 * Throws on a line that is not such a record.
 */
export function parseRecordLine(line: string, position: string): SwitchRecord | null {
  const [account = '', channel_id = '', start = '', answer = '', end = '', disposition = '', , , channel = ''] =
    line.split(',');
  const started_at_us = microseconds(start);
  const answered_at_us = microseconds(answer);
  const ended_at_us = microseconds(end);
  const cause = CAUSE_OF_DISPOSITION.get(disposition);
  if (started_at_us === null || answered_at_us === null || ended_at_us === null || cause === undefined) {
    throw new Error(`The switch's record file holds a line that is no record, before position ${position}.`);
  }
  const ours = parseAccountCode(account);
  if (ours === null || ours.attempt === NO_ATTEMPT) return null;
  return {
    call_id: ours.call_id,
    attempt: ours.attempt,
    channel_id,
    started_at_us,
    answered_at_us: answered_at_us === 0n ? null : answered_at_us,
    ended_at_us,
    cause,
    help: helpOf(ours.help_code, channel, started_at_us),
    position,
  };
}

function helpOf(code: string | null, channel: string, started_at_us: bigint): HelpCall | null {
  const device = deviceOf(channel);
  return code === null || device === null ? null : { code, device, arrived_at_ms: Number(started_at_us / 1000n) };
}
