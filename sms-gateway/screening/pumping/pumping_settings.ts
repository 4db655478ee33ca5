/** When login codes are taken to be pumped: sent to numbers for the share of the price that somebody earns by each. */
export interface PumpingSettings {
  /** What is counted counts half after so long: the length of the window. */
  half_life_ms: number;
  /** How long the average of a country looks back. */
  usual_half_life_ms: number;
  /** An account that was seen for less than this has no average that a surge could be told from. */
  learning_ms: number;
  /** Numbers that far apart are neighbours. */
  near_distance: number;
  /** So many texts to neighbours in one block of ten thousand numbers, or in even steps, are enough by themselves. */
  near_texts_max: number;
  /** So many texts to one block, beyond what the other blocks get, are enough by themselves. */
  block_texts_max: number;
  /** How many times its average a country may get, above `surge_texts_min`. Who sends in office hours only has peaks of 4 to 5. */
  surge_factor: number;
  surge_texts_min: number;
  /** Texts that an account reports as entered at the login, before its reports are believed to be regular. */
  conversions_min: number;
  /** A country may convert by this share of what the account's texts do all together, in parts per million. */
  conversion_tolerance_ppm: number;
  /** So many conversions that are missing are enough by themselves. */
  missing_conversions_max: number;
  /** The price at which points count once: at twice the price twice, at half of it half, and no more or less than that. */
  dear_micros_per_segment: number;
  /** Points from which a text is refused; from 1 on it is held. */
  refuse_points: number;
  /** How many countries of all accounts together are watched; each takes 6 kB. */
  countries_max: number;
}

export const PUMPING_DEFAULTS: PumpingSettings = {
  half_life_ms: 30 * 60_000,
  usual_half_life_ms: 7 * 86_400_000,
  learning_ms: 86_400_000,
  near_distance: 20,
  near_texts_max: 20,
  block_texts_max: 100,
  surge_factor: 10,
  surge_texts_min: 500,
  conversions_min: 50,
  conversion_tolerance_ppm: 500_000,
  missing_conversions_max: 30,
  dear_micros_per_segment: 100_000,
  refuse_points: 4,
  countries_max: 4_000,
};
