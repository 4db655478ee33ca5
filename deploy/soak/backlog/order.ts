/** How far what a carrier was sent was out of the order of urgency. */
export interface Order {
  /** How many texts of each urgency a less urgent one overtook. */
  overtaken: ReadonlyMap<number, number>;
  /** The most that overtook one text. */
  distance_max: number;
}

/** @param urgencies of texts that all waited at the beginning, as the carrier took them; the lowest number was to go first. */
export function orderOf(urgencies: readonly number[]): Order {
  const overtaken = new Map<number, number>();
  const gone = new Map<number, number>();
  let distance_max = 0;
  for (const urgency of urgencies) {
    let before = 0;
    for (const [other, count] of gone) if (other > urgency) before += count;
    if (before > 0) overtaken.set(urgency, (overtaken.get(urgency) ?? 0) + 1);
    distance_max = Math.max(distance_max, before);
    gone.set(urgency, (gone.get(urgency) ?? 0) + 1);
  }
  return { overtaken, distance_max };
}
