import type pg from 'pg';
import { describe, expect, it } from 'vitest';
import { Outage } from '../../domain/db/batch.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { Decision } from '../call/state.ts';
import { Decider } from './decider.ts';
import { sampleBook } from './testing/sample_book.ts';

const limits = {
  ...{ concurrent_calls_max: 3, calls_per_second_max: 2, blocked_prefixes: ['4470'] },
  ...{ spend_micros_per_hour_max: '1000', spend_micros_per_day_max: '9000', rate_micros_per_minute_max: '1000000' },
};

const caller = {
  ...{ account_id: 'account', state: 'active', home_country: 'DE', time_zone: 'UTC', tax_ppm: 0, sell_deck: 'retail' },
  ...{
    wallet_id: '7',
    currency: 'EUR',
    restrictions: [] as string[],
    owes_terms: false,
    limits: limits as typeof limits | null,
    packs: [],
  },
  ...{ claimed_number: null, own_number: '+493012345678' },
};

type Away = 'refuses' | 'is silent' | null;

/** A decider over a database that knows `desk` and whose list of devices is `others`, and the calls that were counted. */
function scene({ profile = caller, others = [] as string[] } = {}) {
  const database: { away: Away; has_desk: boolean } = { away: null, has_desk: true };
  const counted: number[] = [];
  const query = ({ name, values = [] }: pg.QueryConfig): Promise<{ rows: object[] }> => {
    if (database.away === 'is silent') return new Promise(() => undefined);
    if (database.away === 'refuses') return Promise.reject(new Error('connect ECONNREFUSED'));
    if (name === 'emergency_callers')
      return Promise.resolve({ rows: others.map((device) => ({ ...caller, device, caller_number: null })) });
    const [devices] = values as [string[]];
    const found = database.has_desk ? devices.indexOf('desk') : -1;
    return Promise.resolve({ rows: found < 0 ? [] : [{ ...profile, n: found + 1, device: 'desk' }] });
  };
  const decider = new Decider({
    ...{ db: { query } as unknown as Queryable, book: sampleBook, callsOn: () => 0, ring_timeout_ms: 90_000 },
    call_rate: {
      allows: (_account_id, calls_per_second_max) => {
        counted.push(calls_per_second_max);
        return Promise.resolve(counted.length <= calls_per_second_max);
      },
    },
  });
  const dial = (dialled: string, device = 'desk'): Promise<Decision> =>
    decider.decide({
      ...{ channel_id: 'channel', source: { kind: 'device', device }, dialled },
      ...{ claimed_caller: null, arrived_at_ms: 1 },
    });
  return { dial, database, counted };
}

const UK = '+442071838750';
const help = { plan: { direction: 'emergency', target: { trunk_id: 'trunk-help' } } };

describe('a call for help while the database is away', () => {
  it.each<[Exclude<Away, null>]>([['refuses'], ['is silent']])(
    'goes out from a phone that called before, where it %s',
    async (away) => {
      const { dial, database } = scene();
      await dial(UK);
      database.away = away;
      expect(await dial('112')).toMatchObject({
        plan: { ...help.plan, account_id: 'account', wallet_id: 7n, caller: '+493012345678', callee: '112' },
      });
      expect(await dial('110')).toMatchObject(help);
    },
  );

  it('goes out from a phone that never called, once any other did', async () => {
    const { dial, database } = scene({ others: ['hall', 'desk'] });
    await dial(UK);
    database.away = 'refuses';
    expect(await dial('112', 'hall')).toMatchObject({ plan: { ...help.plan, device: 'hall', caller: null } });
    expect(await dial('112', 'desk')).toMatchObject({ plan: { caller: '+493012345678' } });
  });

  it('is one that a stranger cannot make, and nobody any other', async () => {
    const { dial, database } = scene();
    await dial(UK);
    database.away = 'refuses';
    await expect(dial('112', 'stranger')).rejects.toThrow(Outage);
    await expect(dial(UK)).rejects.toThrow(Outage);
  });

  it('is told that there is no route from its country, as on any other day', async () => {
    const { dial, database } = scene({ profile: { ...caller, home_country: 'FR' } });
    await dial(UK);
    database.away = 'refuses';
    expect(await dial('112')).toMatchObject({ kind: 'refuse', reason: 'emergency_unavailable' });
  });

  it('does not go out by what was remembered of a device that is gone', async () => {
    const { dial, database } = scene();
    await dial(UK);
    database.has_desk = false;
    expect(await dial('112')).toMatchObject({ kind: 'refuse', reason: 'unknown_device' });
    database.away = 'refuses';
    await expect(dial('112')).rejects.toThrow(Outage);
  });
});

describe('the calls of a second', () => {
  it.each([
    ['is blocked', '+447012345678', 'prefix_blocked'],
    ['is no number', '12', 'not_a_number'],
    ['is unknown', '+819012345678', 'unknown_destination'],
    ['can be called', UK, undefined],
  ])('count where what was dialled %s', async (_, dialled, reason) => {
    const { dial } = scene();
    const decisions: Decision[] = [];
    for (let n = 0; n < 3; n += 1) decisions.push(await dial(dialled));
    expect(decisions.map((decision) => (decision.kind === 'refuse' ? decision.reason : undefined))).toEqual([
      reason,
      reason,
      'calls_per_second',
    ]);
  });

  it('count where the account may not call at all, and has no limits', async () => {
    const { dial } = scene({ profile: { ...caller, limits: null } });
    expect(await dial(UK)).toMatchObject({ reason: 'no_wallet', account_id: 'account' });
    expect(await dial(UK)).toMatchObject({ reason: 'calls_per_second', account_id: 'account' });
  });

  it('are not those for help', async () => {
    const { dial, counted } = scene();
    for (let n = 0; n < 5; n += 1) expect(await dial('112')).toMatchObject(help);
    expect(counted).toEqual([]);
  });
});
