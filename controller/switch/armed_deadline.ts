import { expect } from 'vitest';
import type { EventOf } from './conformance.ts';
import type { Switch } from './switch.ts';

/** Arms a deadline; between which times of the switch that was. */
export async function armed(
  port: Switch,
  channel_id: string,
  b_channel_id: string,
  ms: number,
): Promise<{ least_ms: number; most_ms: number }> {
  const { now_ms: least_ms } = await port.clock();
  expect(await port.armDeadline(channel_id, b_channel_id, ms)).toBe('done');
  return { least_ms, most_ms: (await port.clock()).now_ms };
}

/** That the call ended so long after the deadline was armed, by its record. */
export function expectEnded(
  record: EventOf<'recorded'>['record'],
  { least_ms, most_ms }: { least_ms: number; most_ms: number },
  after_ms: number,
  tolerance_ms: number,
): void {
  const armed_ms = Number(record.ended_at_us) / 1000 - after_ms;
  expect(armed_ms).toBeGreaterThanOrEqual(least_ms - tolerance_ms);
  expect(armed_ms).toBeLessThanOrEqual(most_ms + tolerance_ms);
}
