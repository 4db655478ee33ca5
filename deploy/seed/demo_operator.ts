import { join } from 'node:path';
import pg from 'pg';
import { OPERATOR_ACCOUNT_ID } from '../../domain/accounts/operator_account.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { deviceDigests } from '../../domain/devices/credentials.ts';
import { keptSecret } from '../runtime/process/secret.ts';
import { makeCarrier, makeCustomerIn } from '../world/people.ts';
import { putDeck, putTextDeck } from '../world/tariffs.ts';
import type { DeckRow, TextDeckRow } from '../world/tariffs.ts';
import { keepApiKey, makeBind, makeEsme } from '../world/texts.ts';

export interface DemoOperator {
  username: string;
  password: string;
  /** The virtual number of the demo customer, from the range that Ofcom keeps for drama. */
  number: string;
  /** By which programs send texts. */
  api_key: string;
  /** How we log in to the carrier's SMSC, and customers to ours. */
  smsc: { system_id: string; password: string };
  esme: { system_id: string; password: string };
  /** False where the phone was taken away, or has a password that another home keeps: then nobody can be told how to call by it. */
  has_phone: boolean;
}

export interface DemoOptions {
  home: string;
  database_url: string;
  carrier: { address: string; port: number };
  smsc: { address: string; port: number };
}

const DEMO: Pick<DemoOperator, 'username' | 'number'> = { username: 'demo-phone', number: '+442079460001' };
const CARRIER_CODE = 'demo-carrier';

/** Amounts in micros of a euro: 60,000 a minute is a tenth of a cent a second. */
const sell: readonly DeckRow[] = [
  { prefix: '33', destination: 'France', rate_micros_per_minute: 18_000n },
  { prefix: '336', destination: 'France mobile', rate_micros_per_minute: 60_000n },
  { prefix: '44', destination: 'United Kingdom', rate_micros_per_minute: 15_000n },
  { prefix: '447', destination: 'United Kingdom mobile', rate_micros_per_minute: 90_000n },
  { prefix: '49', destination: 'Germany', rate_micros_per_minute: 15_000n },
  {
    prefix: '1',
    destination: 'North America',
    rate_micros_per_minute: 12_000n,
    initial_increment_seconds: 6,
    subsequent_increment_seconds: 6,
  },
  {
    prefix: '81',
    destination: 'Japan',
    rate_micros_per_minute: 30_000n,
    connect_fee_micros: 10_000n,
    initial_increment_seconds: 60,
    subsequent_increment_seconds: 60,
  },
];

/**
 * A demo operator: a carrier, prices, and one customer with ten euros, a number and a phone. Made once, whole or not at all, and never
 * made again: what is taken away of it stays away. Null where the database is an operator's own, in which no demo prices may come into force.
 */
export async function seedDemoOperator({
  home,
  database_url,
  carrier,
  smsc,
}: DemoOptions): Promise<DemoOperator | null> {
  const password = await keptSecret(join(home, 'secrets/demo-phone'));
  const texts = await textSecrets(home);
  const pool = new pg.Pool({ connectionString: database_url, max: 2 });
  try {
    const is_there = await inTransaction(pool, async (tx) => {
      // Two that start at the same time take turns; the second finds what the first made.
      await tx.query(`select pg_advisory_xact_lock(hashtext('demo_operator'))`);
      if (await wasSeeded(tx)) return true;
      if (await isInUse(tx)) return false;
      const made = await seedCalls(tx, carrier, password);
      await seedTexts(tx, made, smsc, texts);
      return true;
    });
    if (!is_there) return null;
    return { ...DEMO, password, ...texts, has_phone: await hasPhone(pool, password) };
  } finally {
    await pool.end();
  }
}

/** Decks are never deleted, so this one tells for good that the demo was made here: phone, number and customer can all go. */
async function wasSeeded(db: Queryable): Promise<boolean> {
  const { rowCount } = await db.query(`select from rate_deck where name = $1 and imported_by = 'demo seed' limit 1`, [
    CARRIER_CODE,
  ]);
  return rowCount === 1;
}

/** Whether somebody has begun to be an operator here: with customers, carriers or prices, in force or in preparation. */
async function isInUse(db: Queryable): Promise<boolean> {
  const { rowCount } = await db.query(
    `select where exists (select from account where id <> $1) or exists (select from carrier) or exists (select from rate_deck)`,
    [OPERATOR_ACCOUNT_ID],
  );
  return rowCount === 1;
}

/** Whether the phone is still there, and answers to the password that this home keeps. */
async function hasPhone(db: Queryable, password: string): Promise<boolean> {
  const { rowCount } = await db.query('select from sip_device where username = $1 and ha1_sha256 = $2', [
    DEMO.username,
    deviceDigests(DEMO.username, password).ha1_sha256,
  ]);
  return rowCount === 1;
}

/** Whom the demo's texts belong to, and who carries them. */
interface SeededCalls {
  account_id: string;
  carrier_id: number;
}

async function seedCalls(tx: Transaction, carrier: DemoOptions['carrier'], password: string): Promise<SeededCalls> {
  const carrier_id = await makeCarrier(tx, { carrier: CARRIER_CODE, trunk: 'trunk-demo', ...carrier });
  await putDeck(tx, { name: 'retail', currency: 'EUR', carrier_id: null, rows: sell });
  // The carrier takes half of what the customer pays.
  const buy = sell.map((row) => ({
    ...row,
    rate_micros_per_minute: row.rate_micros_per_minute / 2n,
    connect_fee_micros: 0n,
  }));
  await putDeck(tx, { name: CARRIER_CODE, currency: 'EUR', carrier_id, rows: buy });
  const { account_id } = await makeCustomerIn(tx, {
    name: 'Demo customer',
    number: DEMO.number,
    username: DEMO.username,
    password,
    home_country: 'GB',
    time_zone: 'Europe/London',
    balance_micros: 10_000_000n,
    inbound_rate_micros_per_minute: 6_000n,
    limits: {
      concurrent_calls_max: 10,
      calls_per_second_max: 5,
      spend_micros_per_hour_max: 20_000_000n,
      spend_micros_per_day_max: 50_000_000n,
      rate_micros_per_minute_max: 1_000_000n,
    },
  });
  return { account_id, carrier_id };
}

/** Passwords of SMPP have eight characters at most (SMPP 3.4, 5.2.2). */
const SMPP_PASSWORD_CHARACTERS = 8;

type TextSecrets = Pick<DemoOperator, 'api_key' | 'smsc' | 'esme'>;

async function textSecrets(home: string): Promise<TextSecrets> {
  const secret = (name: string): Promise<string> => keptSecret(join(home, 'secrets', name));
  const smppPassword = async (name: string): Promise<string> => (await secret(name)).slice(0, SMPP_PASSWORD_CHARACTERS);
  return {
    api_key: `ld_${await secret('demo-api-key')}`,
    smsc: { system_id: 'letsdial', password: await smppPassword('demo-smsc') },
    esme: { system_id: 'demo-esme', password: await smppPassword('demo-esme') },
  };
}

/** Amounts in micros of a euro for a segment. */
const textSell: readonly TextDeckRow[] = [
  { prefix: '33', destination: 'France', rate_micros_per_segment: 52_000n },
  { prefix: '44', destination: 'United Kingdom', rate_micros_per_segment: 38_000n },
  { prefix: '49', destination: 'Germany', rate_micros_per_segment: 75_000n },
  { prefix: '1', destination: 'North America', rate_micros_per_segment: 9_000n },
];

/** What the demo needs for texts: prices, a bind, and a customer's ways in. */
async function seedTexts(
  tx: Transaction,
  { account_id, carrier_id }: SeededCalls,
  address: DemoOptions['smsc'],
  { api_key, smsc, esme }: TextSecrets,
): Promise<void> {
  await putTextDeck(tx, { name: 'retail-texts', currency: 'EUR', carrier_id: null, rows: textSell });
  // The carrier takes half of what the customer pays.
  const buy = textSell.map((row) => ({ ...row, rate_micros_per_segment: row.rate_micros_per_segment / 2n }));
  await putTextDeck(tx, { name: `${CARRIER_CODE}-texts`, currency: 'EUR', carrier_id, rows: buy });
  await makeBind(tx, { id: 'demo-carrier-1', carrier_id, host: address.address, port: address.port, ...smsc });
  await keepApiKey(tx, account_id, api_key);
  await makeEsme(tx, account_id, esme);
}
