import { setTimeout as wait } from 'node:timers/promises';
import type { Call } from '../sip/call.ts';
import { monotonicMs } from '../sip/clock.ts';

/** Lets an answered call go on until it has lasted that long, or ended before. */
export async function talk(call: Call, lasts_ms: number): Promise<void> {
  const answered_at_ms = await call.answered();
  while (call.isLive && monotonicMs() - answered_at_ms < lasts_ms) await wait(5);
}
