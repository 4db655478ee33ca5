import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freshDatabase, type FreshDatabase } from '../../deploy/testing/database.ts';
import { brokenInvariants } from '../ledger/invariants.ts';
import { brokenRules } from './testing/broken_rules.ts';
import { histories } from './testing/history.ts';
import type { History } from './testing/history.ts';
import { Player } from './testing/player.ts';

const HISTORIES = 1_000;
/** So many are played at the same time, on as many connections. */
const TOGETHER = 20;

let database: FreshDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 6 });
  await pool.query(`insert into carrier (id, code, name, currency) values (1, 'alpha', 'Alpha', 'GBP')`);
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

let played = 0;
const seen: Record<string, number> = {};

function count(answers: unknown): void {
  for (const answer of Array.isArray(answers) ? answers : [answers]) {
    const verdict = String(answer).split(' ')[0] ?? '';
    seen[verdict] = (seen[verdict] ?? 0) + 1;
  }
}

async function playHistory(history: History): Promise<void> {
  const player = await Player.begin(pool, history);
  for (const choice of history.choices) {
    const told = await player.play(choice);
    expect(told.tables, choice.kind).toEqual(told.model);
    count(told.tables);
    const stands = await player.standing();
    expect(stands.tables, `after ${choice.kind}`).toEqual(stands.model);
    expect(brokenRules(player.model)).toEqual([]);
  }
  await player.end();
  played += 1;
}

/** How many settled calls have a record that differs from their hold, and how many were not told of as they are, or too often. */
async function recordsUnlikeTheirHolds(): Promise<unknown> {
  const { rows } = await pool.query(
    `with settled as (select * from cdr where wallet_id is not null),
          told as (select payload from outbox where kind = 'call.settled')
     select (select count(*)::int from settled c join call_hold h using (leg_id) join wallet w on w.id = h.wallet_id
              where (c.call_id, c.wallet_id, c.account_id, c.currency, c.snapshot, c.pack_id, c.attempts)
                    is distinct from (h.call_id, h.wallet_id, w.account_id, w.currency, h.snapshot, h.pack_id, '[]'::jsonb)) as records,
            (select count(*)::int from (select jsonb_build_object('call_id', call_id, 'leg_id', leg_id) from settled
                                   except all select payload from told) x) as untold,
            (select count(*)::int from told) - (select count(*)::int from settled) as told`,
  );
  return rows[0];
}

test(
  `tables and model agree on every verdict and every balance, in ${HISTORIES} histories`,
  { timeout: 180_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(histories, { minLength: TOGETHER, maxLength: TOGETHER, size: 'max' }),
        async (together) => {
          await Promise.all(together.map(playHistory));
          expect(await brokenInvariants(pool)).toEqual([]);
        },
      ),
      { numRuns: HISTORIES / TOGETHER, seed: 20_260_115, endOnFailure: true },
    );
    expect(played).toBe(HISTORIES);
    expect(await recordsUnlikeTheirHolds()).toEqual({ records: 0, untold: 0, told: 0 });
    const verdicts = [
      'granted',
      'settled',
      'replay',
      'short',
      'spend_hour',
      'spend_day',
      'pack_short',
      'too_many_calls',
    ];
    const others = ['held', 'closed', 'unknown', 'over_held', 'fenced', 'posted', 'conflict'];
    for (const verdict of [...verdicts, ...others]) expect(seen[verdict] ?? 0, verdict).toBeGreaterThan(HISTORIES / 50);
  },
);
