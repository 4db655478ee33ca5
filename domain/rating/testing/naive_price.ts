import type { Rate } from '../rate.ts';

/** The price as one would count it by hand: buy increments until the call is covered, then walk over the seconds. */
export function naivePrice(call_seconds: number, of: Rate, pack_seconds: number): bigint {
  if (call_seconds === 0 || call_seconds <= of.grace_seconds) return 0n;
  let billed = of.initial_increment_seconds;
  while (billed < call_seconds || billed < of.minimum_seconds) billed += of.subsequent_increment_seconds;
  let sixtieths = 0n;
  let left_in_pack = pack_seconds;
  for (let second = 1; second <= billed; second += 1) {
    if (second <= of.free_seconds) continue;
    if (left_in_pack > 0) left_in_pack -= 1;
    else sixtieths += of.rate_micros_per_minute;
  }
  return of.connect_fee_micros + sixtieths / 60n + (sixtieths % 60n === 0n ? 0n : 1n);
}
