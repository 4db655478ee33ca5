import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, type FreshDatabase } from '../../deploy/testing/database.ts';
import { attacksOnCalls } from './testing/attacks_on_calls.ts';
import { attacksOnClaims, booksOfClaims } from './testing/attacks_on_claims.ts';
import { attacksOnDisputes, booksOfDisputes } from './testing/attacks_on_disputes.ts';
import { attacksOnMoney } from './testing/attacks_on_money.ts';
import type { Attack, Attacks } from './testing/attacks_on_money.ts';
import { attacksOnNumberMoves, booksOfNumberMoves } from './testing/attacks_on_number_moves.ts';
import { attacksOnNumbers, booksOfNumbers } from './testing/attacks_on_numbers.ts';
import { attacksOnParties, booksOfParties, toldOfParties } from './testing/attacks_on_parties.ts';
import { attacksOnPayments, booksOfPayments } from './testing/attacks_on_payments.ts';
import { attacksOnPrices, toldOfPrices } from './testing/attacks_on_prices.ts';
import { attacksOnTexts, toldOfTexts } from './testing/attacks_on_texts.ts';
import { books } from './testing/books.ts';

const tables: Readonly<Record<string, Attacks>> = {
  ...attacksOnMoney,
  ...attacksOnCalls,
  ...attacksOnPrices,
  ...attacksOnTexts,
  ...attacksOnPayments,
  ...attacksOnNumbers,
  ...attacksOnNumberMoves,
  ...attacksOnClaims,
  ...attacksOnDisputes,
  ...attacksOnParties,
};
const told = { ...toldOfPrices, ...toldOfTexts, ...toldOfParties };

/** Columns of these tables that may be empty; every other one has to say something. */
const MAY_BE_EMPTY = [
  'account: data_key_id',
  'api_key: revoked_at',
  'auto_top_up: stopped_because',
  'call_hold: answered_at, answered_attempt, pack_id',
  'cancellation_order: decided_at',
  'carrier: operation_id',
  'carrier_bind: closes_at, countries, home_country, opens_at, operation_id, outbind_address, outbind_password, outbind_system_id, tls_authorities, tls_name',
  'cdr: account_id, answered_at, callee, caller, carrier_id, cost_currency, currency, destination, device, pack_id, pdd_ms, refusal, trunk_id, wallet_id',
  'customer_delivery: dead_at, last_error',
  'did: account_id, forward_to, forward_when, voicemail, voicemail_greeting',
  'dunning: next_at',
  'esme: address_range, allowed_address, operation_id',
  'fault_claim: answer, closed_at, closed_by, ended_at',
  'finance_order: corrects_invoice_id, expires_at',
  'invoice: attempt_id, corrects_invoice_id, month, period_from, period_to, unbilled_from_tx',
  'invoice_line: tx_id',
  'ledger_account: carrier_id, wallet_id',
  'message: account_id, body, carrier_id, charge_ref, client_ref, currency, deck_id, destination, due_at, keyword, prefix, rate_micros_per_segment, system_id, valid_until, wallet_id',
  'message_event: bind_id, carrier_id, carrier_message_id, cost_currency, detail, error, state, status',
  'message_queue: carrier_id, epoch, looked_at',
  'number_cancellation: done_at, undone_at',
  'number_holding: blocked_until, end_reason, fx_denominator, fx_numerator, fx_on_date, held_to, list_currency, list_monthly_micros, order_id, port_pin_hmac',
  'number_order: failure, fx_denominator, fx_numerator, fx_on_date, list_currency, list_monthly_micros, list_setup_micros, provisioning_since',
  'opt_out: message_id',
  'ownership_dispute: answer, closed_at, closed_by, holder_answered_at, holder_words, proposed_at, proposed_by',
  'pack_offer: sold_until',
  'parked_receipt: done_at, error',
  'payment_attempt: checkout_url, failure, method_id, provider_payment',
  'payment_dispute: closed_at',
  'port_in: reason, scheduled_for',
  'rate: effective_to',
  'rate_deck: carrier_id, checksum',
  'refund_part: provider_refund',
  'restriction: end_reason, end_told_at, ended_by, ends_at, evidence',
  'sip_device: allowed_address, caller_number, label',
  'switch_lease: owner, record_position, taken_at',
  'text_rate: effective_to',
  'trunk: auth_secret, auth_username, from_domain, operation_id',
  'webhook_endpoint: old_secret, old_secret_until',
];

interface Rule {
  /** The table, the rule's own name, and for a trigger one of the events that it is fired by. */
  key: string;
  /** The statement that removes it, and whatever stands on it. */
  removal: string;
}

/** Every check, key, exclusion, unique index and trigger of the tables, as the catalogue knows them. */
async function rulesOf(db: pg.Client): Promise<Rule[]> {
  const { rows } = await db.query<Rule>(
    `select format('%s %s', t, c.conname) as key, format('alter table %s drop constraint %I cascade', t, c.conname) as removal
       from unnest($1::text[]) t join pg_constraint c on c.conrelid = t::regclass where c.contype in ('c', 'f', 'p', 'u', 'x')
     union all
     select format('%s %s', t, i.indexrelid::regclass), format('drop index %s', i.indexrelid::regclass)
       from unnest($1::text[]) t join pg_index i on i.indrelid = t::regclass
      where i.indisunique and not exists (select 1 from pg_constraint c where c.conindid = i.indexrelid and c.contype in ('p', 'u', 'x'))
     union all
     select format('%s %s on %s', t, g.tgname, e.name), format('drop trigger %I on %s', g.tgname, t)
       from unnest($1::text[]) t join pg_trigger g on g.tgrelid = t::regclass and not g.tgisinternal
       join (values (4, 'insert'), (8, 'delete'), (16, 'update'), (32, 'truncate')) e (bit, name) on g.tgtype & e.bit <> 0`,
    [Object.keys(tables)],
  );
  return rows;
}

/** Refused by a rule of the tables, or done; what is wrong in itself is thrown. It leaves nothing behind. */
async function attempt(db: pg.Client, sql: string): Promise<'refused' | 'done' | 'nothing done'> {
  await db.query('savepoint attempt');
  try {
    // A text of several statements gives a result for each.
    const results: unknown = await db.query(sql);
    const last = (Array.isArray(results) ? results.at(-1) : results) as pg.QueryResult;
    return (last.rowCount ?? 0) > 0 ? 'done' : 'nothing done';
  } catch (error) {
    const code = error instanceof pg.DatabaseError ? (error.code ?? '') : '';
    // Integrity constraint violations, and what a trigger raises (PostgreSQL, appendix A).
    if (!code.startsWith('23') && code !== 'P0001') throw new Error(`${sql} is no attack.`, { cause: error });
    return 'refused';
  } finally {
    await db.query('rollback to savepoint attempt');
  }
}

/** What is wrong with an attack on a rule; null when it fails with the rule and succeeds without. */
async function flaw(db: pg.Client, rule: Rule, others: readonly string[], sql: string): Promise<string | null> {
  await db.query('begin');
  try {
    for (const removal of others) await db.query(removal);
    const guarded = await attempt(db, sql);
    // A trigger that has an effect, and refuses nothing, leaves the attack without one.
    if (guarded === 'done') return `${rule.key} lets pass: ${sql}`;
    await db.query(rule.removal);
    const bare = await attempt(db, sql);
    return bare === 'done' ? null : `${bare} without ${rule.key}, too: ${sql}`;
  } finally {
    await db.query('rollback');
  }
}

let database: FreshDatabase;
let db: pg.Client;
let rules: Rule[];

beforeAll(async () => {
  database = await freshDatabase();
  db = new pg.Client({ connectionString: database.url });
  await db.connect();
  await db.query(books);
  await db.query(booksOfPayments);
  await db.query(booksOfNumbers);
  await db.query(booksOfNumberMoves);
  await db.query(booksOfClaims);
  await db.query(booksOfDisputes);
  await db.query(booksOfParties);
  rules = await rulesOf(db);
});

afterAll(async () => {
  await db.end();
  await database.drop();
});

describe('the rules of the tables', () => {
  it('are those that are attacked here, and none is missing', () => {
    const attacked = Object.entries(tables).flatMap(([table, attacks]) =>
      Object.keys(attacks).map((name) => `${table} ${name}`),
    );
    expect(rules.map((rule) => rule.key).sort()).toEqual([...attacked, ...Object.keys(told)].sort());
  });

  it('cover every table that has an amount of money', async () => {
    const { rows } = await db.query<{ name: string }>(
      `select distinct c.relname as name from pg_attribute a join pg_class c on c.oid = a.attrelid
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
          and a.attname ~ '_micros' and not a.attisdropped`,
    );
    expect(Object.keys(tables)).toEqual(expect.arrayContaining(rows.map((row) => row.name)));
  });

  it.each(Object.keys(tables))('of %s each refuse what nothing else refuses', async (table) => {
    const flaws: (string | null)[] = [];
    for (const [name, attacks] of Object.entries(tables[table] ?? {})) {
      const rule = rules.find(({ key }) => key === `${table} ${name}`);
      if (rule === undefined) throw new Error(`There is no rule ${name} of ${table}.`);
      expect(attacks.length, name).toBeGreaterThan(0);
      for (const attack of attacks) flaws.push(await flaw(db, rule, othersOf(attack), sqlOf(attack)));
    }
    expect(flaws.filter((one) => one !== null)).toEqual([]);
  });

  it('leave no column empty that has to say something', async () => {
    const { rows } = await db.query<{ empty: string }>(
      `select format('%s: %s', t, string_agg(a.attname, ', ' order by a.attname)) as empty
         from unnest($1::text[]) t join pg_attribute a on a.attrelid = t::regclass
        where a.attnum > 0 and not a.attisdropped and not a.attnotnull group by t order by t`,
      [Object.keys(tables)],
    );
    expect(rows.map((row) => row.empty)).toEqual(MAY_BE_EMPTY);
  });
});

function sqlOf(attack: Attack): string {
  return typeof attack === 'string' ? attack : attack.sql;
}

/** The statements that remove the rules which stand in the way of an attack besides its own. */
function othersOf(attack: Attack): string[] {
  const names = typeof attack === 'string' ? [] : attack.without;
  return names.map((name) => {
    const other = rules.find(({ key }) => key === name);
    if (other === undefined) throw new Error(`There is no rule ${name}.`);
    return other.removal;
  });
}

it.each(Object.keys(told))('%s tells whoever listens, and nothing else does', async (key) => {
  const own = await freshDatabase();
  const writer = new pg.Client({ connectionString: own.url });
  const listener = new pg.Client({ connectionString: own.url });
  const heard: string[] = [];
  listener.on('notification', (message) => heard.push(message.payload ?? ''));
  try {
    await Promise.all([writer.connect(), listener.connect()]);
    await writer.query(books);
    await writer.query(booksOfParties);
    const [table = ''] = key.split(' ');
    const { channel = '', change = '', heard: expected = [table] } = told[key] ?? {};
    await listener.query(`listen ${channel}`);
    await writer.query(change);
    await writer.query(rules.find((rule) => rule.key === key)?.removal ?? '');
    await writer.query(change);
    // Notifications come in the order of the commits, so after this one nothing of the above is on its way.
    await writer.query(`notify ${channel}, 'that was all'`);
    await expect.poll(() => heard.includes('that was all')).toBe(true);
    expect(heard).toEqual([...expected, 'that was all']);
  } finally {
    await Promise.all([writer.end(), listener.end()]);
    await own.drop();
  }
});
