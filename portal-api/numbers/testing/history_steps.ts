import fc from 'fast-check';
import { DAY_MS } from '../terms.ts';

export const ACCOUNTS = 2;
export const NUMBERS = 2;
/** Enough for one number: what comes after that is paid with what a bank may take back. */
export const OPENING_MICROS = 5_000_001n;
export const SETUP_MICROS = 1_000_003n;
export const MONTHLY_MICROS = 3_000_007n;
export const TAX_PPM = 190_000;
/** What somebody pays by card. */
export const PAYMENTS_MICROS = [3_000_000n, 6_000_000n] as const;

/** When histories begin: near the end of a month with 31 days, where months are of unlike length. */
export const BEGINNING = new Date(Date.parse('2027-01-29T09:00:00Z') + DAY_MS);

/** Between any two steps, as nobody does two things at one moment. */
export const STEP_MS = 1_000;

/** What people, banks and time do; which account, number, payment and dispute are by their index. */
export type Step =
  | { kind: 'buy'; account: number; number: number; works: boolean }
  | { kind: 'cancel'; number: number; at_once: boolean }
  | { kind: 'undo'; number: number }
  | { kind: 'transfer'; number: number; to: number }
  /** By card; the provider says at once that it succeeded, or later. It tells so in either case. */
  | { kind: 'pay'; account: number; amount_micros: bigint; at_once: boolean }
  /** All that is unspent goes back to where it came from: now, when it is sent, or never, as it waits for an approval that does not come. */
  | { kind: 'refund'; account: number; way: 'at_once' | 'later' | 'waits' }
  /** What is to be sent is sent; what waits for approval is rejected. */
  | { kind: 'settle_refunds' }
  /** A bank takes a payment back, and then decides on it. Both are known here once they are told. */
  | { kind: 'dispute'; payment: number }
  | { kind: 'decide'; dispute: number; state: 'won' | 'lost' }
  /** The provider tells what it has not told yet, by webhooks. */
  | { kind: 'tell'; times: number; backwards: boolean }
  | { kind: 'wait'; hours: number }
  | { kind: 'renew' };

const account = fc.nat(ACCOUNTS - 1);
const number = fc.nat(NUMBERS - 1);
const any = fc.nat(5);
const works = fc.nat(4).map((n) => n > 0);
const amount_micros = fc.constantFrom(...PAYMENTS_MICROS);
const kind = <K extends Step['kind']>(name: K): fc.Arbitrary<K> => fc.constant(name);

/** A dispute needs a payment and a decision a dispute, so these come often. */
export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof<fc.WeightedArbitrary<Step>[]>(
    { weight: 7, arbitrary: fc.record({ kind: kind('buy'), account, number, works }) },
    { weight: 4, arbitrary: fc.record({ kind: kind('cancel'), number, at_once: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ kind: kind('undo'), number }) },
    { weight: 5, arbitrary: fc.record({ kind: kind('transfer'), number, to: account }) },
    { weight: 9, arbitrary: fc.record({ kind: kind('pay'), account, amount_micros, at_once: fc.boolean() }) },
    {
      weight: 3,
      arbitrary: fc.record({ kind: kind('refund'), account, way: fc.constantFrom('at_once', 'later', 'waits') }),
    },
    { weight: 2, arbitrary: fc.record({ kind: kind('settle_refunds') }) },
    { weight: 6, arbitrary: fc.record({ kind: kind('dispute'), payment: any }) },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: kind('decide'),
        dispute: any,
        state: fc.constantFrom('won' as const, 'lost' as const),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({ kind: kind('tell'), times: fc.integer({ min: 1, max: 2 }), backwards: fc.boolean() }),
    },
    { weight: 4, arbitrary: fc.record({ kind: kind('wait'), hours: fc.integer({ min: 1, max: 45 * 24 }) }) },
    // The quarantine of a number is over then.
    { weight: 1, arbitrary: fc.record({ kind: kind('wait'), hours: fc.constant(91 * 24) }) },
    { weight: 6, arbitrary: fc.record({ kind: kind('renew') }) },
  ),
  { minLength: 12, maxLength: 36, size: 'max' },
);
