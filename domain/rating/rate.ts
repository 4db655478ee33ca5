/**
 * What one minute to one prefix costs, and how its seconds are counted. The same shape serves the sell side (what a
 * customer pays) and the buy side (what a carrier charges us). Amounts are net, in the currency of the rate deck.
 */
export type Rate = {
  readonly rate_micros_per_minute: bigint;
  readonly connect_fee_micros: bigint;
  /** A charged call counts as at least this long. 0 or more. */
  readonly minimum_seconds: number;
  /** The first billing increment, 1 or more: the "60" of 60/6. */
  readonly initial_increment_seconds: number;
  /** Every further billing increment, 1 or more: the "6" of 60/6. */
  readonly subsequent_increment_seconds: number;
  /** An answered call not longer than this costs nothing, not even the connect fee. */
  readonly grace_seconds: number;
  /** The first seconds of a charged call that are not charged per minute. */
  readonly free_seconds: number;
};
