import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshDatabase } from '../../deploy/testing/database.ts';
import type { FreshDatabase } from '../../deploy/testing/database.ts';
import { MessageIds } from './message_id.ts';
import { ensureMessageMonths } from './message_months.ts';

let database: FreshDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 4 });
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** The tables that a text of that instant, and what happens to it, are put into. */
async function placesOf(instant: string): Promise<string[]> {
  const at = new Date(instant);
  const id = new MessageIds(() => at.getTime()).next();
  const { rows } = await pool.query<{ place: string }>(
    `with m as (
       insert into message (id, direction, accepted_at, sender, recipient, encoding, segments, source)
       values ($1, 'mo', $2, '+447700900123', '+4930123456', 'gsm7', 1, 'carrier') returning tableoid::regclass::text as place),
     e as (insert into message_event (message_id, at, kind) values ($1, $2, 'held') returning tableoid::regclass::text as place)
     select place from m union all select place from e`,
    [id, at],
  );
  return rows.map(({ place }) => place);
}

it('a month of texts begins and ends in UTC, whatever zone the database keeps', async () => {
  const client = await pool.connect();
  await client.query(`set timezone = 'Pacific/Kiritimati'`);
  await ensureMessageMonths(client, new Date('2026-12-31T23:30:00Z'));
  // Once more: they are there, and stay.
  await ensureMessageMonths(client, new Date('2026-12-01T00:00:00Z'));
  client.release(true);
  expect(await placesOf('2026-11-30T23:59:59.999Z')).toEqual(['message_default', 'message_event_default']);
  expect(await placesOf('2026-12-01T00:00:00.000Z')).toEqual(['message_2026_12', 'message_event_2026_12']);
  expect(await placesOf('2026-12-31T23:59:59.999Z')).toEqual(['message_2026_12', 'message_event_2026_12']);
  expect(await placesOf('2027-01-01T00:00:00.000Z')).toEqual(['message_2027_01', 'message_event_2027_01']);
  expect(await placesOf('2027-02-28T23:59:59.999Z')).toEqual(['message_2027_02', 'message_event_2027_02']);
  expect(await placesOf('2027-03-01T00:00:00.000Z')).toEqual(['message_default', 'message_event_default']);
});

it('a month of which texts came before its table was made keeps them where they are, and nothing fails', async () => {
  expect(await placesOf('2028-05-15T00:00:00Z')).toEqual(['message_default', 'message_event_default']);
  await ensureMessageMonths(pool, new Date('2028-05-20T00:00:00Z'));
  expect(await placesOf('2028-05-25T00:00:00Z')).toEqual(['message_default', 'message_event_default']);
  expect(await placesOf('2028-06-01T00:00:00Z')).toEqual(['message_2028_06', 'message_event_2028_06']);
});

it('several may make a month at once', async () => {
  const first = await pool.connect();
  await first.query('begin');
  await first.query(`select ensure_message_month('2029-02-01')`);
  const second = pool.query(`select ensure_message_month('2029-02-01')`);
  const waiting = async () => {
    const { rows } = await pool.query<{ sides: number }>(
      `select count(distinct pid)::int as sides from pg_locks
        where not granted and pid in (select pid from pg_stat_activity where datname = current_database())`,
    );
    return rows[0]?.sides;
  };
  await expect.poll(waiting).toBe(1);
  await first.query('commit');
  first.release();
  await second;
  expect(await placesOf('2029-02-28T23:59:59Z')).toEqual(['message_2029_02', 'message_event_2029_02']);
});

it('what was made for a month is guarded as the whole is', async () => {
  expect(await placesOf('2029-02-01T00:00:00Z')).toEqual(['message_2029_02', 'message_event_2029_02']);
  for (const sql of [
    'delete from message_2029_02',
    'update message_2029_02 set segments = 2',
    'delete from message_event_2029_02',
    `update message_event_2029_02 set kind = 'released'`,
  ])
    await expect(pool.query(sql), sql).rejects.toThrow(/written once|append-only/);
  await pool.query('update message_2029_02 set body = null');
});
