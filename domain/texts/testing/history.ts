import fc from 'fast-check';

/** One text that somebody wants to send, in terms of what is there when it is played. */
export interface AcceptChoice {
  customer: 0 | 1;
  segments: number;
  taxed: boolean;
  class: 'code' | 'normal' | 'bulk';
  on_doubt: 'resend' | 'hold';
  /** Of a few whom both customers write to. */
  recipient: number;
  /** Of a few keys of the customer. */
  key: number | null;
  /** What the key stands for. */
  content: number;
  /** It goes to the gateway that accepts it, or waits. */
  at_once: boolean;
  held: boolean;
  foreign_sender: boolean;
  due_minutes: number | null;
  valid_minutes: number;
}

/** What a carrier says, or does not say, to a text in the gateway's hands. */
export interface OutcomeChoice {
  /** Counts among the texts that are claimed, or among all. */
  text: number;
  among: 'claimed' | 'all';
  /** All parts are taken; the next is; the next is refused; nobody knows; its time is over. */
  what: 'all' | 'part' | 'refused' | 'doubt' | 'late';
}

export interface ReceiptChoice {
  text: number;
  part: number;
  /** In which attempt, counted from the latest one backwards. Of attempts to come there are receipts, too. */
  attempts_ago: number;
  state: 'enroute' | 'delivered' | 'undeliverable';
  unknown: boolean;
}

export type Choice =
  | { kind: 'accept'; items: readonly AcceptChoice[] }
  /** A batch of before, as it was: its answer was lost. */
  | { kind: 'accept_again'; batch: number }
  | { kind: 'claim'; stale: boolean; rows_max: number }
  | { kind: 'mark'; stale: boolean; texts: readonly number[] }
  | { kind: 'release'; stale: boolean; texts: readonly number[] }
  | { kind: 'outcomes'; stale: boolean; again: boolean; items: readonly OutcomeChoice[] }
  | { kind: 'receipts'; stale: boolean; items: readonly ReceiptChoice[] }
  | { kind: 'cancel'; text: number; stranger: boolean }
  | { kind: 'decide'; text: number; release: boolean }
  | { kind: 'expire'; stale: boolean }
  | { kind: 'takeover' }
  | { kind: 'words'; customer: 0 | 1; recipient: number; words: readonly ('stop' | 'start')[] }
  | { kind: 'wait'; minutes: number };

export interface History {
  balances: readonly [bigint, bigint];
  choices: readonly Choice[];
}

export const RECIPIENTS = ['+447700900001', '+447700900002', '+447700900003'] as const;

const nth = fc.nat(11);
const customer = fc.constantFrom<0 | 1>(0, 0, 1);
const rarely = fc.integer({ min: 0, max: 11 }).map((n) => n === 11);
const often = fc.integer({ min: 0, max: 3 }).map((n) => n > 0);

const accept: fc.Arbitrary<AcceptChoice> = fc.record({
  customer,
  segments: fc.constantFrom(1, 1, 2, 3),
  taxed: fc.boolean(),
  class: fc.constantFrom('code', 'normal', 'bulk'),
  on_doubt: fc.constantFrom('resend', 'hold'),
  recipient: fc.nat(RECIPIENTS.length - 1),
  key: fc.constantFrom(null, null, 0, 1),
  content: fc.constantFrom(0, 0, 1),
  at_once: often,
  held: fc.constantFrom(false, false, false, false, true),
  foreign_sender: rarely,
  due_minutes: fc.constantFrom(null, null, null, 40),
  valid_minutes: fc.constantFrom(1_440, 1_440, 30, 90),
});

const outcome: fc.Arbitrary<OutcomeChoice> = fc.record({
  text: nth,
  among: fc.constantFrom('claimed', 'claimed', 'claimed', 'all'),
  what: fc.constantFrom('all', 'all', 'part', 'refused', 'doubt', 'late'),
});

const receipt: fc.Arbitrary<ReceiptChoice> = fc.record({
  text: nth,
  part: fc.nat(2),
  attempts_ago: fc.constantFrom(0, 0, 1, -1),
  state: fc.constantFrom('delivered', 'delivered', 'undeliverable', 'enroute'),
  unknown: rarely,
});

const some = <T>(item: fc.Arbitrary<T>, maxLength = 4): fc.Arbitrary<T[]> =>
  fc.array(item, { minLength: 1, maxLength, size: 'max' });

const step = <K extends string, R extends object>(
  weight: number,
  kind: K,
  rest: { [P in keyof R]: fc.Arbitrary<R[P]> },
) => ({
  weight,
  arbitrary: fc.record(rest).map((choice) => ({ kind, ...choice })),
});

const choice: fc.Arbitrary<Choice> = fc.oneof(
  step(6, 'accept', { items: some(accept) }),
  step(1, 'accept_again', { batch: nth }),
  step(3, 'claim', { stale: rarely, rows_max: fc.constantFrom(1, 3, 9) }),
  step(1, 'mark', { stale: rarely, texts: some(nth) }),
  step(1, 'release', { stale: rarely, texts: some(nth) }),
  step(6, 'outcomes', { stale: rarely, again: rarely, items: some(outcome) }),
  step(6, 'receipts', { stale: rarely, items: some(receipt, 6) }),
  step(1, 'cancel', { text: nth, stranger: rarely }),
  step(2, 'decide', { text: nth, release: fc.boolean() }),
  step(2, 'expire', { stale: rarely }),
  step(1, 'takeover', {}),
  step(1, 'words', {
    customer,
    recipient: fc.nat(RECIPIENTS.length - 1),
    words: some(fc.constantFrom<('stop' | 'start')[]>('stop', 'stop', 'start'), 3),
  }),
  step(2, 'wait', { minutes: fc.constantFrom(1, 45, 100) }),
);

/** Two customers, three whom they write to, a dozen batches: small, so that texts and money meet often. */
export const histories: fc.Arbitrary<History> = fc.record({
  balances: fc.tuple(fc.constantFrom(3_000n, 9_000n, 25_000n), fc.constantFrom(2_000n, 9_000n)),
  choices: fc.array(choice, { minLength: 8, maxLength: 18, size: 'max' }),
});
