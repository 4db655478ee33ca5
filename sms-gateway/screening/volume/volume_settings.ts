/** When an account is taken to send far more than it ever does: by whoever stole its credentials, say. */
export interface VolumeSettings {
  /** Counts fade in steps of so long, all at once. */
  step_ms: number;
  /** What is counted counts half after so long. Of half a day, so that who sends all his texts of a day at once has no peaks. */
  half_life_ms: number;
  /** How long the average looks back: far enough for who writes to his customers once a week. */
  usual_half_life_ms: number;
  /** For so long a new account is taken to have sent nothing. */
  quiet_before_ms: number;
  /**
   * How many times what is usual an account may send, above what is never sudden. One newsletter a week has peaks of 10. What is sent
   * now becomes usual in its turn: a new account is held for some eight hours, an old one for a day.
   */
  factor: number;
  /** So many texts are never too sudden. */
  texts_min: number;
  /** Nor is so much of what it may send in a day, in parts per million. */
  share_of_day_ppm: number;
  /** How many accounts are watched; each takes 200 octets. */
  accounts_max: number;
}

const HOUR_MS = 3_600_000;

export const VOLUME_DEFAULTS: VolumeSettings = {
  step_ms: HOUR_MS / 6,
  half_life_ms: 12 * HOUR_MS,
  usual_half_life_ms: 30 * 24 * HOUR_MS,
  quiet_before_ms: 7 * 24 * HOUR_MS,
  factor: 20,
  texts_min: 1_000,
  share_of_day_ppm: 10_000,
  accounts_max: 200_000,
};
