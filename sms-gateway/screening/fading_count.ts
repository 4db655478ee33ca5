/**
 * How many there were lately, and how many there usually are: a count that fades, and the average of it over all steps of time,
 * which fades far more slowly. The average is a sum and the weight of its steps, so that it holds from the first step on. Changed in
 * place: there is one for each text, so none may cost memory.
 */
export interface FadingCount {
  lately: number;
  usual_sum: number;
  usual_weight: number;
}

/** What of a count and of its average is left after a step. */
export interface Fading {
  kept: number;
  usual_kept: number;
}

/** @param known_steps for how long it is known that there were none. */
export function makeFadingCount(known_steps: number, { usual_kept }: Fading): FadingCount {
  return { lately: 0, usual_sum: 0, usual_weight: weightOf(known_steps, usual_kept) };
}

/** As if each of the steps had been made by itself: the count faded by `kept`, then was added to a sum that fades by `usual_kept`. */
export function fade(count: FadingCount, steps: number, { kept, usual_kept }: Fading): void {
  const added =
    usual_kept === kept ? steps * kept ** steps : (kept * (usual_kept ** steps - kept ** steps)) / (usual_kept - kept);
  count.usual_sum = count.usual_sum * usual_kept ** steps + count.lately * added;
  count.usual_weight = count.usual_weight * usual_kept ** steps + weightOf(steps, usual_kept);
  count.lately *= kept ** steps;
}

/** What `lately` usually is. */
export function usually({ usual_sum, usual_weight }: FadingCount): number {
  return usual_weight === 0 ? 0 : usual_sum / usual_weight;
}

/** What is left of a count after one step of `step_ms`. */
export function keptOf(step_ms: number, half_life_ms: number): number {
  return 0.5 ** (step_ms / half_life_ms);
}

/** Of a fading average over so many steps: the sum of what each step still counts. */
function weightOf(steps: number, kept: number): number {
  return (1 - kept ** steps) / (1 - kept);
}
