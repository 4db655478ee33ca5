import fc from 'fast-check';

/** One item of a batch, in terms of what is there when it is played: a leg by its number, amounts of a small scale. */
export interface AuthorizeChoice {
  leg: number;
  wallet: 0 | 1;
  micros: bigint;
  seconds: number;
  /** The wallet's own pack, the other wallet's, or none. */
  pack: 'own' | 'other' | null;
  pack_seconds: number;
  calls_max: number;
}

export interface RenewChoice {
  leg: number;
  /** The number counts among the legs that are open, or among all. */
  among: 'open' | 'all';
  /** The next grant, or one that was granted before: the answer was lost. */
  again: boolean;
  other_wallet: boolean;
  micros: bigint;
  seconds: number;
  pack_seconds: number;
}

export interface SettleChoice {
  leg: number;
  among: 'open' | 'all';
  /** Of what is held. Above 100 it is more than that. */
  percent: number;
  taxed: boolean;
  loss_micros: bigint;
  pack_percent: number;
  cost_micros: bigint;
  /** How many hours before now the call ended. */
  hours_ago: number;
}

export type Choice =
  | { kind: 'authorize'; stale: boolean; items: readonly AuthorizeChoice[] }
  | { kind: 'renew'; stale: boolean; items: readonly RenewChoice[] }
  | { kind: 'answer'; stale: boolean; legs: readonly number[] }
  | { kind: 'settle'; stale: boolean; items: readonly SettleChoice[] }
  | { kind: 'top_up'; payment: number; wallet: 0 | 1; micros: bigint }
  | { kind: 'promo'; wallet: 0 | 1; micros: bigint; spend_order: number; minutes: number }
  | { kind: 'unheld'; leg: number }
  | { kind: 'takeover' }
  | { kind: 'wait'; minutes: number };

export interface History {
  credit_limit_micros: bigint;
  hour_max: bigint;
  day_max: bigint;
  pack_seconds: number;
  pack_minutes: number;
  first_top_up: bigint;
  choices: readonly Choice[];
}

export const LEGS = 7;
const leg = fc.nat(LEGS - 1);
const among = fc.constantFrom<('open' | 'all')[]>('open', 'open', 'open', 'all');
const wallet = fc.constantFrom<0 | 1>(0, 0, 1);
const micros = fc.constantFrom(0n, 1n, 30n, 75n, 100n, 260n);
const seconds = fc.constantFrom(1, 5, 30);
const pack_seconds = fc.constantFrom(0, 0, 4, 10, 21);
const rarely = fc.integer({ min: 0, max: 11 }).map((n) => n === 11);

const authorize: fc.Arbitrary<AuthorizeChoice> = fc.record({
  leg,
  wallet,
  micros,
  seconds,
  pack: fc.constantFrom('own', 'own', 'own', 'other', null),
  pack_seconds,
  calls_max: fc.constantFrom(9, 9, 2, 1),
});

const renew: fc.Arbitrary<RenewChoice> = fc.record({
  leg,
  among,
  again: rarely,
  other_wallet: rarely,
  micros,
  seconds,
  pack_seconds,
});

const settle: fc.Arbitrary<SettleChoice> = fc.record({
  leg,
  among,
  percent: fc.constantFrom(100, 0, 37, 100, 101),
  taxed: fc.boolean(),
  loss_micros: fc.constantFrom(0n, 0n, 9n),
  pack_percent: fc.constantFrom(100, 0, 50, 101),
  cost_micros: fc.constantFrom(0n, 13n),
  hours_ago: fc.constantFrom(0, 0, 1, 30),
});

/** Most batches have each leg once, as those of a switch do; some have one twice. */
const batch = <T extends { leg: number }>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> => {
  const size = { minLength: 1, maxLength: 5, size: 'max' } as const;
  return fc.oneof(
    { weight: 3, arbitrary: fc.uniqueArray(item, { ...size, selector: ({ leg }) => leg }) },
    { weight: 1, arbitrary: fc.array(item, size) },
  );
};

const choice: fc.Arbitrary<Choice> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('authorize'), stale: rarely, items: batch(authorize) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('renew'), stale: rarely, items: batch(renew) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('answer'),
      stale: rarely,
      legs: fc.array(leg, { minLength: 1, maxLength: 4, size: 'max' }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('settle'), stale: rarely, items: batch(settle) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('top_up'),
      payment: fc.nat(3),
      wallet,
      micros: fc.constantFrom(100n, 250n),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('promo'),
      wallet,
      micros: fc.constantFrom(60n, 150n),
      spend_order: fc.constantFrom(50, 60, 150),
      minutes: fc.constantFrom(1, 15, 30, 90),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unheld'), leg }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('takeover') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait'), minutes: fc.constantFrom(1, 20, 45, 700) }) },
);

/** Money alone: neither promo credit nor packs, so that nothing is decided by turns but where money or a limit is too little. */
const plain: fc.Arbitrary<Choice> = choice.map((one) => {
  switch (one.kind) {
    case 'authorize':
      return { ...one, items: one.items.map((item) => ({ ...item, pack_seconds: 0 })) };
    case 'renew':
      return { ...one, items: one.items.map((item) => ({ ...item, pack_seconds: 0 })) };
    case 'promo':
      return { kind: 'wait', minutes: one.minutes };
    default:
      return one;
  }
});

/** Calls of one wallet on all legs, so that what comes next meets there. */
const crowd: Choice = {
  kind: 'authorize',
  stale: false,
  items: Array.from({ length: LEGS }, (_, n): AuthorizeChoice => ({
    leg: n,
    wallet: 0,
    micros: 10n,
    seconds: 5,
    pack: null,
    pack_seconds: 0,
    calls_max: 9,
  })),
};

/** Two wallets of one account, seven legs, a dozen batches: small, so that amounts and legs meet often. */
export const histories: fc.Arbitrary<History> = fc.record({
  credit_limit_micros: fc.constantFrom(0n, 0n, 120n),
  hour_max: fc.constantFrom(10_000n, 10_000n, 300n, 170n),
  day_max: fc.constantFrom(10_000n, 10_000n, 400n, 250n),
  pack_seconds: fc.constantFrom(25, 8, 60),
  pack_minutes: fc.constantFrom(100_000, 30),
  first_top_up: fc.constantFrom(0n, 400n, 1_000n),
  choices: fc.oneof(
    fc.array(choice, { minLength: 6, maxLength: 16, size: 'max' }),
    fc.array(plain, { minLength: 6, maxLength: 16, size: 'max' }).map((choices) => [crowd, ...choices]),
  ),
});
