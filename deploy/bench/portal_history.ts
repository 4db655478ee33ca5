import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { inTransaction } from '../../domain/db/transaction.ts';
import { makeCustomer } from '../world/people.ts';
import { putTextDeck } from '../world/tariffs.ts';
import { defaultTextSell } from '../world/text_world.ts';

export interface Holder {
  account_id: string;
  user_id: string;
  number: string;
}

export interface HistoryWishes {
  accounts: number;
  calls: number;
  texts: number;
}

/** Customers with numbers, calls and texts of a year, as a portal has that is in use. */
export async function makeHistory(pool: pg.Pool, { accounts, calls, texts }: HistoryWishes): Promise<Holder[]> {
  await putTextDeck(pool, { name: 'retail-texts', currency: 'EUR', carrier_id: null, rows: defaultTextSell });
  const holders: Holder[] = [];
  for (let n = 0; n < accounts; n += 1) holders.push(await makeHolder(pool, n));
  const ids = holders.map(({ account_id }) => account_id);
  const client = await pool.connect();
  try {
    await client.query('set synchronous_commit = off; set statement_timeout = 0');
    await client.query(CALLS, [ids, calls]);
    await client.query(TEXTS, [ids, texts]);
    await client.query(FINALS);
    await client.query('vacuum analyze');
  } finally {
    client.release(true);
  }
  return holders;
}

async function makeHolder(pool: pg.Pool, n: number): Promise<Holder> {
  const number = `+4930${String(10_000_000 + n)}`;
  const { account_id, wallet_id } = await makeCustomer(pool, { balance_micros: 1_000_000_000n, number });
  const [user_id, key_id] = [randomUUID(), randomUUID()];
  await inTransaction(pool, async (tx) => {
    await tx.query(`insert into data_key (id, wrapped, kek_id) values ($1, '\\x00', 'none')`, [key_id]);
    await tx.query(
      `insert into portal_user (id, kind, data_key_id, email_sealed, email_index) values ($1, 'customer', $2, '\\x00', sha256($3))`,
      [user_id, key_id, Buffer.from(user_id)],
    );
    await tx.query(`insert into membership (account_id, user_id, role) values ($1, $2, 'owner')`, [
      account_id,
      user_id,
    ]);
    await tx.query(
      `insert into number_holding (id, number, account_id, wallet_id, state, state_since, held_from, currency, monthly_micros, anchor_day, paid_until)
       values (gen_random_uuid(), $1, $2, $3, 'active', now(), now() - interval '1 year', 'EUR', 3000000, 1, now() + interval '1 month')`,
      [number, account_id, wallet_id.toString()],
    );
  });
  return { account_id, user_id, number };
}

/** $1: accounts, $2: how many of them all. */
const CALLS = `
insert into cdr (leg_id, call_id, started_at, account_id, direction, device, dialled, caller, callee, destination, answered_at, ended_at,
                 duration_ms, duration_source, seconds_charged, seconds_billed, net_micros, tax_micros, cost_micros, currency, result, cause, blame,
                 pdd_ms, snapshot, wallet_id)
select gen_random_uuid(), gen_random_uuid(), t.at, a.id, 'outbound', 'a-phone', '+33123456789', '+4930100', '+33123456789', 'France', t.at + interval '4 s',
       t.at + interval '64 s', 60000, 'record', 60, 60, 18000, 3420, 9000, 'EUR', 'answered', 16, 'nobody', 900, '{}', w.id
  from generate_series(1, $2::int) n
  join lateral (select ($1::uuid[])[1 + n % cardinality($1::uuid[])] as id) a on true
  join wallet w on w.account_id = a.id
  join lateral (select now() - (n * 31.0 / $2::int) * interval '1 day' as at) t on true`;

const TEXTS = `
insert into message (id, account_id, direction, accepted_at, sender, recipient, body, encoding, segments, source)
select (left(uuid_v7_floor(t.at)::text, 14) || '7' || right(gen_random_uuid()::text, 21))::uuid, a.id, 'mt', t.at, '+4930100', '+33612345678',
       'Your parcel is on its way', 'gsm7', 1, 'http'
  from generate_series(1, $2::int) n
  join lateral (select ($1::uuid[])[1 + n % cardinality($1::uuid[])] as id) a on true
  join lateral (select now() - (n * 31.0 / $2::int) * interval '1 day' as at) t on true`;

const FINALS = `
insert into message_event (message_id, at, kind, state) select id, accepted_at + interval '3 s', 'final', 'delivered' from message`;
