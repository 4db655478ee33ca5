import { join } from 'node:path';
import pg from 'pg';
import { keptSecret } from '../runtime/process/secret.ts';
import { makeCarrier, makeCustomer } from '../world/people.ts';
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
}

export interface DemoOptions {
  home: string;
  database_url: string;
  carrier: { address: string; port: number };
  smsc: { address: string; port: number };
}

const DEMO: Pick<DemoOperator, 'username' | 'number'> = { username: 'demo-phone', number: '+442079460001' };

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

/** A demo operator: a carrier, prices, and one customer with ten euros, a number and a phone. Made once, found again later. */
export async function seedDemoOperator({ home, database_url, carrier, smsc }: DemoOptions): Promise<DemoOperator> {
  const password = await keptSecret(join(home, 'secrets/demo-phone'));
  const texts = await textSecrets(home);
  const pool = new pg.Pool({ connectionString: database_url, max: 2 });
  try {
    const { rowCount } = await pool.query('select 1 from sip_device where username = $1', [DEMO.username]);
    if (rowCount === 0) await seed(pool, carrier, password);
    await seedTexts(pool, smsc, texts);
    return { ...DEMO, password, ...texts };
  } finally {
    await pool.end();
  }
}

async function seed(pool: pg.Pool, carrier: DemoOptions['carrier'], password: string): Promise<void> {
  const carrier_id = await makeCarrier(pool, { carrier: 'demo-carrier', trunk: 'trunk-demo', ...carrier });
  await putDeck(pool, { name: 'retail', currency: 'EUR', carrier_id: null, rows: sell });
  // The carrier takes half of what the customer pays.
  const buy = sell.map((row) => ({
    ...row,
    rate_micros_per_minute: row.rate_micros_per_minute / 2n,
    connect_fee_micros: 0n,
  }));
  await putDeck(pool, { name: 'demo-carrier', currency: 'EUR', carrier_id, rows: buy });
  await makeCustomer(pool, {
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

/** What the demo needs for texts: prices, a bind, and a customer's ways in. Each is made where it is missing. */
async function seedTexts(
  pool: pg.Pool,
  address: DemoOptions['smsc'],
  { api_key, smsc, esme }: TextSecrets,
): Promise<void> {
  const { rows } = await pool.query<{ account_id: string; carrier_id: number; decks: string }>(
    `select d.account_id, c.id as carrier_id, (select count(*) from rate_deck where service = 'texts') as decks
       from sip_device d, carrier c where d.username = $1 and c.code = 'demo-carrier'`,
    [DEMO.username],
  );
  const [found] = rows;
  if (found === undefined) throw new Error('The demo operator was not made.');
  const { account_id, carrier_id, decks } = found;
  if (decks === '0') {
    await putTextDeck(pool, { name: 'retail-texts', currency: 'EUR', carrier_id: null, rows: textSell });
    // The carrier takes half of what the customer pays.
    const buy = textSell.map((row) => ({ ...row, rate_micros_per_segment: row.rate_micros_per_segment / 2n }));
    await putTextDeck(pool, { name: 'demo-carrier-texts', currency: 'EUR', carrier_id, rows: buy });
  }
  await makeBind(pool, { id: 'demo-carrier-1', carrier_id, host: address.address, port: address.port, ...smsc });
  await keepApiKey(pool, account_id, api_key);
  await makeEsme(pool, account_id, esme);
}
