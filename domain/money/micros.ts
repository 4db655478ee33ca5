/**
 * Money is an integer count of micros: 10^-6 of one unit of its currency. It is a `bigint`, so no sum, however long,
 * loses a digit, and Postgres stores it as `bigint`.
 */
export type Micros = bigint;

export const MICROS_PER_UNIT = 1_000_000n;

/** The largest amount that Postgres' `bigint` can hold. */
export const MICROS_MAX: Micros = 2n ** 63n - 1n;

/** Division that rounds towards positive infinity. `divisor` must be positive. */
export function ceilDiv(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  // bigint division truncates towards zero, which for a negative dividend already is the ceiling.
  return dividend > 0n && quotient * divisor !== dividend ? quotient + 1n : quotient;
}
