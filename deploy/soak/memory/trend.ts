/** What was measured, and when: seconds since the run began. */
export interface Sample {
  at_s: number;
  value: number;
}

/** What passes for flat. A trend is one only when it is above both. */
export interface TrendLimit {
  per_hour: number;
  /** Over the judged time, in the unit of the values: less cannot be told from chance, however short the run. */
  rise: number;
}

export interface Trend {
  /** The floor at the beginning and at the end of the judged time. */
  first: number;
  last: number;
  /** Of the floor. */
  slope_per_hour: number;
  /** 0: the floors go up as often as down; 1: each is above all before it. */
  tau: number;
  is_flat: boolean;
}

const WARM_UP = 1 / 5;
const STRETCHES = 12;
const STRETCHES_MIN = 6;
/** For twelve values without a trend, Kendall's tau is above this about once in a hundred times. */
const TAU_MAX = 0.5;

/**
 * Whether the floor of what was measured stays where it is. Memory under garbage collection is a sawtooth, whose teeth say nothing
 * and whose floor is what is kept: so the first fifth is left out as warm-up, the rest is cut into twelve stretches, and of each
 * only the lowest value counts. The slope is the median of the slopes between any two of these floors (Theil and Sen), which one
 * stretch that is out of line does not move; and nothing is a trend that does not go up nearly all the way (Kendall's tau).
 * @throws RangeError where there is too little to judge.
 */
export function trendOf(samples: readonly Sample[], limit: TrendLimit): Trend {
  const floors = floorsOf(samples);
  const [first, last] = [floors[0], floors.at(-1)];
  if (first === undefined || last === undefined || floors.length < STRETCHES_MIN) {
    throw new RangeError(`${samples.length} samples are too few to see a trend.`);
  }
  const pairs = floors.flatMap((one, n) => floors.slice(n + 1).map((later) => [one, later] as const));
  const slopes = pairs.map(([one, later]) => (later.value - one.value) / (later.at_s - one.at_s));
  const slope_per_hour = median(slopes) * 3600;
  const tau = pairs.reduce((sum, [one, later]) => sum + Math.sign(later.value - one.value), 0) / pairs.length;
  const rise = (slope_per_hour * (last.at_s - first.at_s)) / 3600;
  const is_trend = slope_per_hour > limit.per_hour && rise > limit.rise && tau > TAU_MAX;
  return { first: first.value, last: last.value, slope_per_hour, tau, is_flat: !is_trend };
}

/** The lowest sample of each stretch, in their order. */
function floorsOf(samples: readonly Sample[]): Sample[] {
  const [begin_s, end_s] = [samples[0]?.at_s ?? 0, samples.at(-1)?.at_s ?? 0];
  const from_s = begin_s + (end_s - begin_s) * WARM_UP;
  const stretch_s = (end_s - from_s) / STRETCHES;
  const floors: (Sample | undefined)[] = [];
  for (const sample of samples) {
    if (sample.at_s < from_s) continue;
    const n = Math.min(STRETCHES - 1, Math.floor((sample.at_s - from_s) / stretch_s));
    const floor = floors[n];
    if (floor === undefined || sample.value < floor.value) floors[n] = sample;
  }
  return floors.filter((floor) => floor !== undefined);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [below = Number.NaN, above = Number.NaN] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 === 0 ? (below + above) / 2 : above;
}
