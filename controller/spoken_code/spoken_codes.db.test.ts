import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { testLogin } from '../../deploy/testing/database_login.ts';
import { freshDatabase } from '../../deploy/testing/database.ts';
import type { FreshDatabase } from '../../deploy/testing/database.ts';
import { openAccount } from '../../domain/accounts/open_account.ts';
import { OPERATOR_ACCOUNT_ID } from '../../domain/accounts/operator_account.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import { DataKeys } from '../../domain/privacy/data_keys.ts';
import { keyRingOf } from '../../domain/privacy/sealing.ts';
import { sealLetter } from '../../domain/privacy/sealed_letter.ts';
import { spokenWordsContext, wordsToBytes } from '../../domain/privacy/spoken_words.ts';
import type { CallEvent, CallState } from '../call/state.ts';
import type { RateBook } from '../routing/rate_book.ts';
import type { SpokenCall } from '../switch/switch.ts';
import { SpokenCodes } from './spoken_codes.ts';

const NUMBER = '+447700900123';

let database: FreshDatabase;
/** Of the superuser. */
let owner: pg.Pool;
/** As the controller logs in. */
let pool: pg.Pool;
let data_key_id: string;

beforeAll(async () => {
  database = await freshDatabase();
  owner = new pg.Pool({ connectionString: database.url, max: 2 });
  pool = new pg.Pool({ connectionString: await testLogin(database.url, 'letsdial_controller'), max: 4 });
  const ring = keyRingOf([{ id: 'test', secret: randomBytes(32) }], randomBytes(32));
  ({ id: data_key_id } = await new DataKeys(ring).make(owner, new Date()));
  await inTransaction(owner, (tx) =>
    openAccount(tx, {
      ...{ account_id: OPERATOR_ACCOUNT_ID, name: 'Operator', home_country: 'DE', time_zone: 'UTC', tax_ppm: 0 },
      ...{ sell_deck: 'retail', currency: 'EUR' },
      limits: {
        ...{ concurrent_calls_max: 0, calls_per_second_max: 0, rate_micros_per_minute_max: 0n },
        ...{ blocked_prefixes: ['4478'], spend_micros_per_hour_max: 0n, spend_micros_per_day_max: 0n },
      },
    }),
  );
});

beforeEach(() => owner.query('delete from spoken_code'));

afterAll(async () => {
  await pool.end();
  await owner.end();
  await database.drop();
});

const rate = {
  ...{ rate_micros_per_minute: 100_000n, connect_fee_micros: 0n, minimum_seconds: 0, initial_increment_seconds: 1 },
  ...{ subsequent_increment_seconds: 1, grace_seconds: 0, free_seconds: 0 },
};
const source = { deck_id: 1, deck: 'alpha', version: 1, prefix: '44', destination: 'UK', currency: 'EUR' };
const route = { carrier_id: 1, carrier: 'alpha', trunk_id: 'trunk-alpha', number: NUMBER, rate, source };

/** Everything costs ten cents and goes over one carrier, or over two; a call to France is dear. */
function bookOf(routes: number): RateBook {
  const sell = (number: string) => ({
    ...{ deck: { id: 9, name: 'retail', version: 1, currency: 'EUR' }, prefix: '44', destination: 'UK' },
    rate: number.startsWith('+33') ? { ...rate, rate_micros_per_minute: 900_000n } : rate,
  });
  const book = { sell, route: () => ({ routes: Array.from({ length: routes }, () => route), reasons: ['cheap'] }) };
  return book as unknown as RateBook;
}

interface Calling {
  codes: SpokenCodes;
  calls: CallState[];
  decided: CallEvent[];
  spoken: SpokenCall[];
  outcomes: string[];
  problems: string[];
}

interface Wishes {
  routes?: number;
  at_once_max?: number;
  sure?: () => boolean;
  db?: Queryable;
}

function calling({ routes = 1, at_once_max = 5, sure = () => true, db = pool }: Wishes = {}): Calling {
  const [calls, decided, spoken]: [CallState[], CallEvent[], SpokenCall[]] = [[], [], []];
  const [outcomes, problems]: [string[], string[]] = [[], []];
  const codes = new SpokenCodes({
    ...{ db, switch_id: 'here', now: () => new Date(), switchNow: Date.now, sure },
    media: { speak: (call) => Promise.resolve(void spoken.push(call)) },
    begin: (state) => {
      calls.push(state);
      return { dispatch: (event) => void decided.push(event) };
    },
    facts: () => ({ book: bookOf(routes), callsOn: () => 0 }),
    settings: { caller: null, ring_timeout_ms: 1_000, at_once_max, rate_micros_per_minute_max: 500_000n },
    onOutcome: (outcome) => outcomes.push(outcome),
    log: pino({ level: 'warn' }, { write: (line: string) => void problems.push(line) }),
  });
  return { codes, calls, decided, spoken, outcomes, problems };
}

async function ask(number = NUMBER, asked_at = new Date()): Promise<string> {
  const id = randomUUID();
  await owner.query(
    `insert into verification_code (id, purpose, subject_id, data_key_id, target_sealed, target_index, code_hmac, created_at, expires_at)
     values ($1, 'registration_phone', $1, $2, '\\x00', $3, $3, $4, $5)`,
    [id, data_key_id, randomBytes(32), asked_at, new Date(asked_at.getTime() + 600_000)],
  );
  const { rows } = await owner.query<{ public_key: Buffer }>(`select public_key from speaker where switch_id = 'here'`);
  const words = wordsToBytes({ number, digits: '012345', language: 'en' });
  const box = sealLetter(rows[0]?.public_key ?? Buffer.alloc(32), spokenWordsContext(id), words);
  await owner.query(
    'insert into spoken_code (id, switch_id, box, target_index, asked_at) values ($1, $2, $3, $4, $5)',
    [id, 'here', box, randomBytes(32), asked_at],
  );
  return id;
}

async function rowOf(id: string): Promise<{ state: string; failure: string | null; is_empty: boolean } | undefined> {
  const { rows } = await owner.query<{ state: string; failure: string | null; is_empty: boolean }>(
    'select state, failure, box is null as is_empty from spoken_code where id = $1',
    [id],
  );
  return rows[0];
}

function stepOf(calling: Calling, n: number, event: CallEvent, phase: 'talking' | 'over' = 'over'): void {
  const call = calling.calls[n];
  if (call === undefined) throw new Error(`No call ${n} was made.`);
  calling.codes.onStep({ ...call, phase } as CallState, event);
}

const unavailable: CallEvent = {
  ...{ type: 'attempt_failed', attempt: 1, at_ms: 0 },
  failure: { cause: 34, sip_status: 503, responded: true, unreachable: false, timed_out: false },
};

it('is taken by one of those who look at the same moment, and its box is empty from then on', async () => {
  const one = calling();
  await one.codes.lookAgain();
  const id = await ask();
  await Promise.all([one.codes.look(), one.codes.look(), one.codes.look()]);
  expect(one.calls).toHaveLength(1);
  expect(await rowOf(id)).toEqual({ state: 'calling', failure: null, is_empty: true });
  const [decided] = one.decided;
  expect(
    JSON.stringify(decided, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
  ).not.toContain('012345');
  expect(decided).toMatchObject({ type: 'decided', decision: { plan: { callee: NUMBER, tariff: { tax_ppm: 0 } } } });
  const plan = {
    ...{ call_id: one.calls[0]?.call_id ?? '', attempt: 1, caller_number: null, ring_timeout_ms: 1_000 },
    ...{ limit_ms: 3_600_000, target: { kind: 'trunk', trunk: 'trunk-alpha', number: NUMBER } as const },
    help_code: null,
  };
  expect(await one.codes.speak('spoken-1', plan)).toBe('done');
  expect(one.spoken).toMatchObject([{ digits: '012345', limit_ms: 60_000, number: NUMBER }]);
  expect(one.codes.speak('another', { ...plan, call_id: randomUUID() })).toBeNull();
  stepOf(one, 0, { type: 'answered', b_channel_id: 'b', at_ms: 0 });
  await expect.poll(() => rowOf(id)).toMatchObject({ state: 'spoken' });
  expect(one.outcomes).toEqual(['spoken']);
});

it('goes over the next route as a call of its own, and is not spoken where none is left', async () => {
  const one = calling({ routes: 2 });
  await one.codes.lookAgain();
  const id = await ask();
  await one.codes.look();
  stepOf(one, 0, unavailable);
  await expect.poll(() => one.calls.length).toBe(2);
  expect(new Set(one.calls.map(({ leg_id }) => leg_id)).size).toBe(2);
  stepOf(one, 0, { type: 'answered', b_channel_id: 'late', at_ms: 0 });
  stepOf(one, 1, unavailable);
  await expect.poll(() => rowOf(id)).toEqual({ state: 'failed', failure: 'unreachable', is_empty: true });
  expect(one.calls).toHaveLength(2);
});

it.each([
  ['is dear', '+33123456789'],
  ['is blocked', '+447800900123'],
  ['is a premium number', '+449061234567'],
])('is not spoken where the number %s', async (_what, number) => {
  const one = calling();
  await one.codes.lookAgain();
  const id = await ask(number);
  await one.codes.look();
  expect(await rowOf(id)).toMatchObject({ state: 'failed', failure: 'refused' });
  expect(one.calls).toEqual([]);
});

it('is not spoken two minutes later, nor by who cannot read it, nor again after a controller that ended', async () => {
  const former = calling();
  await former.codes.lookAgain();
  const was_calling = await ask();
  await former.codes.look();
  const unread = await ask();
  const next = calling();
  await next.codes.lookAgain();
  const late = await ask(NUMBER, new Date(Date.now() - 121_000));
  await next.codes.look();
  expect(await rowOf(was_calling)).toMatchObject({ state: 'failed', failure: 'interrupted' });
  expect(await rowOf(unread)).toMatchObject({ state: 'failed', failure: 'interrupted', is_empty: true });
  expect(await rowOf(late)).toMatchObject({ state: 'failed', failure: 'too_late', is_empty: true });
  expect(next.calls).toEqual([]);
});

it('waits for a line where as many are up as may be, and for a controller that may', async () => {
  let is_sure = false;
  const one = calling({ at_once_max: 1, sure: () => is_sure });
  const shown = calling();
  await shown.codes.lookAgain();
  is_sure = true;
  await one.codes.lookAgain();
  is_sure = false;
  const [first, second] = [await ask(), await ask()];
  await one.codes.look();
  expect(one.calls).toEqual([]);
  is_sure = true;
  await one.codes.look();
  await one.codes.look();
  expect(one.calls).toHaveLength(1);
  // It speaks, and takes up the line as long as it does.
  stepOf(one, 0, { type: 'answered', b_channel_id: 'b', at_ms: 0 }, 'talking');
  await one.codes.lookAgain();
  expect(one.calls).toHaveLength(1);
  stepOf(one, 0, { type: 'hang_up_asked' });
  await one.codes.lookAgain();
  expect({ calls: one.calls.length, problems: one.problems }).toEqual({ calls: 2, problems: [] });
  const states = (await Promise.all([rowOf(first), rowOf(second)])).map((row) => row?.state);
  expect(states.toSorted()).toEqual(['calling', 'spoken']);
});

it('is gone on with, or over, however often the database is away, and what became of it is written once it is back', async () => {
  let is_away = false;
  const db = {
    query: (...asked: Parameters<typeof pool.query>) =>
      is_away ? Promise.reject(new Error('The database is away.')) : pool.query(...asked),
  } as unknown as Queryable;
  const one = calling({ db, routes: 2 });
  await one.codes.lookAgain();
  const ids = [await ask(), await ask(), await ask()];
  await one.codes.look();
  expect(one.calls).toHaveLength(3);
  is_away = true;
  // The second carrier cannot be noted; somebody heard the second code; the third is still being called.
  stepOf(one, 0, unavailable);
  stepOf(one, 1, { type: 'answered', b_channel_id: 'b', at_ms: 0 }, 'talking');
  await expect.poll(() => one.outcomes.toSorted()).toEqual(['interrupted', 'spoken']);
  await one.codes.lookAgain();
  expect(await Promise.all(ids.map(rowOf))).toMatchObject(ids.map(() => ({ state: 'calling' })));
  is_away = false;
  await one.codes.lookAgain();
  const states = await Promise.all(ids.map(async (id) => (await rowOf(id))?.state));
  expect(states.toSorted()).toEqual(['calling', 'failed', 'spoken']);
  expect(one.outcomes).toHaveLength(2);
});
