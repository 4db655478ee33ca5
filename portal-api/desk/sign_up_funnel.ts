import type { Queryable } from '../../domain/db/transaction.ts';

/** The steps of somebody who becomes a customer, in their order; the address and the number are proven in either. */
export const SIGN_UP_STEPS = [
  ...(['flow_begun', 'terms_accepted', 'email_proven', 'phone_proven', 'account_made'] as const),
  ...(['first_top_up', 'first_order'] as const),
];
export type SignUpStep = (typeof SIGN_UP_STEPS)[number];

/** How many people of a day took a step within a while; see `sign_up_day` for the buckets. */
export interface StepCount {
  /** On which they had begun, in UTC. */
  day: string;
  step: SignUpStep;
  wait_bucket: number;
  people: number;
}

export async function selectSignUps(db: Queryable, from: string, to: string): Promise<StepCount[]> {
  const { rows } = await db.query<StepCount>(
    `select to_char(day, 'YYYY-MM-DD') as day, step, wait_bucket, people::integer from sign_up_day
      where day between $1 and $2 order by day, step, wait_bucket`,
    [from, to],
  );
  return rows;
}

export type PeopleByStep = Record<SignUpStep, number>;

export interface StepFigures {
  step: SignUpStep;
  people: number;
  /** The step before it; null: it is the first. */
  of_step: SignUpStep | null;
  /** Who took the step before and not this one. */
  lost: number;
  lost_ppm: number | null;
  /** From the beginning, and from the account on for what comes after it; null where nobody took it. Exact to a tenth. */
  median_seconds: number | null;
}

const none = (): PeopleByStep => ({
  ...{
    flow_begun: 0,
    terms_accepted: 0,
    email_proven: 0,
    phone_proven: 0,
    account_made: 0,
    first_top_up: 0,
    first_order: 0,
  },
});

export function figuresOf(counts: readonly StepCount[]): StepFigures[] {
  const people = sumOf(counts);
  return SIGN_UP_STEPS.map((step) => {
    const of_step = stepBefore(step, people);
    const before = of_step === null ? people[step] : people[of_step];
    const lost = Math.max(0, before - people[step]);
    const lost_ppm = of_step === null || before === 0 ? null : Math.round((lost * 1_000_000) / before);
    const median_seconds = medianSeconds(counts.filter((count) => count.step === step));
    return { step, people: people[step], of_step, lost, lost_ppm, median_seconds };
  });
}

/** Each day of the range, those without anybody as well. */
export function daysOf(counts: readonly StepCount[], from: string, to: string): ({ day: string } & PeopleByStep)[] {
  const days: ({ day: string } & PeopleByStep)[] = [];
  for (let at = Date.parse(from); at <= Date.parse(to); at += DAY_MS) {
    const day = new Date(at).toISOString().slice(0, 10);
    days.push({ day, ...sumOf(counts.filter((count) => count.day === day)) });
  }
  return days;
}

export const DAY_MS = 86_400_000;

function sumOf(counts: readonly StepCount[]): PeopleByStep {
  const sum = none();
  for (const { step, people } of counts) sum[step] += people;
  return sum;
}

/** An account takes both proofs, so whoever gave only one is lost at the other. */
function stepBefore(step: SignUpStep, people: PeopleByStep): SignUpStep | null {
  switch (step) {
    case 'flow_begun':
      return null;
    case 'terms_accepted':
      return 'flow_begun';
    case 'email_proven':
    case 'phone_proven':
      return 'terms_accepted';
    case 'account_made':
      return people.email_proven < people.phone_proven ? 'email_proven' : 'phone_proven';
    case 'first_top_up':
    case 'first_order':
      return 'account_made';
  }
}

/** The middle of the bucket in which the one in the middle is. */
function medianSeconds(counts: readonly Pick<StepCount, 'wait_bucket' | 'people'>[]): number | null {
  const all = counts.reduce((sum, { people }) => sum + people, 0);
  let left = Math.ceil(all / 2);
  for (const { wait_bucket, people } of counts.toSorted((one, other) => one.wait_bucket - other.wait_bucket)) {
    left -= people;
    if (left <= 0) return wait_bucket === 0 ? 0 : Math.round(2 ** ((wait_bucket - 0.5) / 4));
  }
  return null;
}
