import { randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testLogin } from '../../deploy/testing/database_login.ts';
import { freshDatabase } from '../../deploy/testing/database.ts';
import type { FreshDatabase } from '../../deploy/testing/database.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import { DataKeys } from '../../domain/privacy/data_keys.ts';
import { blindIndex, keyRingOf } from '../../domain/privacy/sealing.ts';
import { CODE_LIFE_MS, issueCode } from './issue_code.ts';
import type { CodeLimits, CodePurpose, Issued } from './issue_code.ts';
import { reachablePhone } from './reachable_phone.ts';
import { consumeCode, tryCode } from './try_code.ts';

const ring = keyRingOf([{ id: 'test', secret: randomBytes(32) }], randomBytes(32));
const BEGIN_MS = Date.parse('2027-01-01T00:00:00Z');

let database: FreshDatabase;
let pool: pg.Pool;
let data_key: { id: string; key: Buffer };

beforeAll(async () => {
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: await testLogin(database.url, 'letsdial_portal'), max: 8 });
  data_key = await new DataKeys(ring).make(pool, new Date(BEGIN_MS));
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

const generous: CodeLimits = { per_target_per_hour_max: 1_000, per_address_per_hour_max: 1_000 };

interface IssueWishes {
  target?: string;
  limits?: CodeLimits;
  address?: string;
  purpose?: CodePurpose;
}

function issue(
  subject_id: string,
  at_ms: number,
  { target = `${subject_id}@example.org`, limits = generous, address = '192.0.2.1', purpose }: IssueWishes = {},
): Promise<Issued> {
  const wanted = {
    ...{ purpose: purpose ?? 'registration_email', subject_id, data_key, target, address },
    target_index: blindIndex(ring, 'email', target),
  };
  return inTransaction(pool, (tx) => issueCode(tx, ring, new Date(at_ms), wanted, limits));
}

/** Tries a code and uses it where it was right, as every route does. */
async function use(subject_id: string, code: string, at_ms: number): Promise<boolean> {
  const now = new Date(at_ms);
  const right = await tryCode(pool, ring, now, { purpose: 'registration_email', subject_id, code });
  return right !== null && consumeCode(pool, now, right);
}

async function newCode(subject_id: string, at_ms: number): Promise<string> {
  const issued = await issue(subject_id, at_ms);
  if (issued.kind !== 'issued') throw new Error('too many');
  return issued.code;
}

const wrongFor = (code: string): string => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

describe('a code', () => {
  it('counts once, within ten minutes, and among five tries, whatever is done in whichever order', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant({ kind: 'wrong' } as const) },
      { weight: 2, arbitrary: fc.constant({ kind: 'right' } as const) },
      { weight: 1, arbitrary: fc.constant({ kind: 'outdated' } as const) },
      { weight: 1, arbitrary: fc.constant({ kind: 'issue' } as const) },
      {
        weight: 2,
        arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1_000, 31_000, 9 * 60_000) }),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 18 }), async (steps) => {
        const subject_id = randomUUID();
        let now_ms = BEGIN_MS;
        let code = await newCode(subject_id, now_ms);
        let [issued_ms, tries, used, outdated] = [now_ms, 0, false, wrongFor(code)];
        for (const one of steps) {
          if (one.kind === 'wait') now_ms += one.ms;
          else if (one.kind === 'issue') {
            const again = await issue(subject_id, now_ms);
            expect(again.kind).toBe(now_ms - issued_ms >= 30_000 ? 'issued' : 'too_many');
            if (again.kind === 'issued') {
              outdated = code === again.code ? wrongFor(code) : code;
              [code, issued_ms, tries, used] = [again.code, now_ms, 0, false];
            }
          } else {
            const alive = !used && tries < 5 && now_ms - issued_ms < CODE_LIFE_MS;
            const tried = { right: code, wrong: wrongFor(code), outdated }[one.kind];
            const expected = alive && one.kind === 'right';
            expect(await use(subject_id, tried, now_ms)).toBe(expected);
            if (alive) tries += 1;
            used ||= expected;
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is looked at five times, however many guess at the same moment', async () => {
    const subject_id = randomUUID();
    const code = await newCode(subject_id, BEGIN_MS);
    const wrong = wrongFor(code);
    const guesses = await Promise.all(Array.from({ length: 60 }, () => use(subject_id, wrong, BEGIN_MS)));
    expect(guesses.filter(Boolean)).toEqual([]);
    expect(await use(subject_id, code, BEGIN_MS)).toBe(false);
    const { rows } = await pool.query('select tries from verification_code where subject_id = $1', [subject_id]);
    expect(rows).toEqual([{ tries: 5 }]);
  });

  it('is used by one of those who have it at the same moment', async () => {
    const subject_id = randomUUID();
    const code = await newCode(subject_id, BEGIN_MS);
    const uses = await Promise.all(Array.from({ length: 5 }, () => use(subject_id, code, BEGIN_MS)));
    expect(uses.filter(Boolean)).toEqual([true]);
  });

  it('is worth nothing for somebody else, and stands nowhere', async () => {
    const [hers, theirs] = [randomUUID(), randomUUID()];
    const code = await newCode(hers, BEGIN_MS);
    const other = await newCode(theirs, BEGIN_MS);
    if (code !== other) expect(await use(theirs, code, BEGIN_MS)).toBe(false);
    const { rows } = await pool.query<{ row: string }>(
      'select c::text as row from verification_code c where subject_id = $1',
      [hers],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]?.row).not.toContain(Buffer.from(code).toString('hex'));
    expect(rows[0]?.row).not.toContain(Buffer.from(hers).toString('hex'));
  });

  it('is not sent to one address, nor at the wish of one, more often than a person needs', async () => {
    const target = 'often@example.org';
    const limits = { per_target_per_hour_max: 3, per_address_per_hour_max: 5 };
    const ask = (n: number, address: string, to = target): Promise<Issued> =>
      issue(randomUUID(), BEGIN_MS + n, { target: to, limits, address });
    const kinds = [];
    for (let n = 0; n < 4; n += 1) kinds.push((await ask(n, '198.51.100.7')).kind);
    expect(kinds).toEqual(['issued', 'issued', 'issued', 'too_many']);
    // Those who ask at the same moment are counted with one another.
    const crowd = await Promise.all(
      Array.from({ length: 6 }, (_, n) => ask(n, `198.51.100.${100 + n}`, 'crowd@example.org')),
    );
    expect(crowd.filter(({ kind }) => kind === 'issued')).toHaveLength(3);
    await ask(5, '198.51.100.7', 'a@example.org');
    await ask(6, '198.51.100.7', 'b@example.org');
    expect(await ask(7, '198.51.100.7', 'c@example.org')).toMatchObject({ kind: 'too_many' });
    expect(await ask(3_600_004, '198.51.100.7')).toMatchObject({ kind: 'issued' });
  });
});

describe('the limits of codes', () => {
  const kindsOf = async (asked: readonly (() => Promise<Issued>)[]): Promise<string[]> => {
    const kinds: string[] = [];
    for (const ask of asked) kinds.push((await ask()).kind);
    return kinds;
  };

  it('of one purpose are not used up by another, so that nobody is kept from a new password by registrations', async () => {
    const target = 'wanted@example.org';
    const limits = { ...generous, per_target_per_hour_max: 2 };
    const ask = (purpose: CodePurpose) => () => issue(randomUUID(), BEGIN_MS, { target, limits, purpose });
    const [registers, resets] = [ask('registration_email'), ask('password_reset')];
    expect(await kindsOf([registers, registers, registers])).toEqual(['issued', 'issued', 'too_many']);
    expect(await kindsOf([resets, resets, resets])).toEqual(['issued', 'issued', 'too_many']);
  });

  it('by address do not tell that resets were sent, which are counted apart', async () => {
    const limits = { ...generous, per_address_per_hour_max: 2 };
    const address = '198.51.100.77';
    const ask = (purpose: CodePurpose) => () => issue(randomUUID(), BEGIN_MS, { limits, purpose, address });
    const resets = ask('password_reset');
    expect(await kindsOf([resets, resets, resets])).toEqual(['issued', 'issued', 'too_many']);
    const others = [ask('registration_email'), ask('registration_phone'), ask('email_change')];
    expect(await kindsOf(others)).toEqual(['issued', 'issued', 'too_many']);
  });

  it('leave some to others than the one who asks for many to one target', async () => {
    const limits = { ...generous, per_target_per_hour_max: 3, per_target_by_address_per_hour_max: 2 };
    const ask = (address: string) => () =>
      issue(randomUUID(), BEGIN_MS, { target: 'shared@example.org', limits, address, purpose: 'password_reset' });
    const [stranger, owner] = [ask('2001:db8:9:9::1'), ask('192.0.2.99')];
    expect(await kindsOf([stranger, stranger, stranger, owner, owner])).toEqual([
      ...['issued', 'issued', 'too_many', 'issued', 'too_many'],
    ]);
  });

  it('take a network of IPv6 for one address, as one person has the whole of it', async () => {
    const limits = { ...generous, per_address_per_hour_max: 2 };
    const ask = (address: string) => () => issue(randomUUID(), BEGIN_MS, { limits, address });
    const one = ['2001:db8:5:6::1', '2001:db8:5:6:ffff:ffff:ffff:ffff', '2001:db8:5:6:1::'].map(ask);
    expect(await kindsOf(one)).toEqual(['issued', 'issued', 'too_many']);
    expect(await kindsOf(['2001:db8:5:7::1', '2001:db8:5:5:ffff::1'].map(ask))).toEqual(['issued', 'issued']);
    const apart = ['203.0.113.1', '203.0.113.2', '203.0.113.3', '::ffff:203.0.113.4'].map(ask);
    expect(await kindsOf(apart)).toEqual(['issued', 'issued', 'issued', 'issued']);
  });
});

describe('a number that codes may go to', () => {
  it('is read as people of the country write it, and is neither ours nor one that earns by being called', async () => {
    const admin = new pg.Client({ connectionString: database.url });
    await admin.connect();
    await admin.query(`insert into did (number, state) values ('+4930901820000', 'free')`);
    await admin.end();
    expect(await reachablePhone(pool, '0151 23456789', 'DE')).toEqual({ kind: 'reachable', number: '+4915123456789' });
    expect(await reachablePhone(pool, '+44 7700 900123', 'DE')).toEqual({ kind: 'reachable', number: '+447700900123' });
    expect(await reachablePhone(pool, '030 901820000', 'DE')).toEqual({ kind: 'refused', why: 'ours' });
    expect(await reachablePhone(pool, '0900 1234567', 'DE')).toEqual({ kind: 'refused', why: 'kind' });
    expect(await reachablePhone(pool, '0800 1234567', 'DE')).toEqual({ kind: 'refused', why: 'kind' });
    for (const typed of ['112', '12', 'hello', '+999123456789', '+49'.padEnd(30, '1')]) {
      expect(await reachablePhone(pool, typed, 'DE')).toEqual({ kind: 'refused', why: 'not_a_number' });
    }
  });
});
