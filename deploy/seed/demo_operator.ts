import { join } from 'node:path';
import pg from 'pg';
import { keptSecret } from '../runtime/process/secret.ts';
import { makeCarrier, makeCustomer } from '../world/people.ts';
import { putDeck } from '../world/tariffs.ts';
import type { DeckRow } from '../world/tariffs.ts';

export interface DemoOperator {
  username: string;
  password: string;
  /** The virtual number of the demo customer, from the range that Ofcom keeps for drama. */
  number: string;
}

export interface DemoOptions {
  home: string;
  database_url: string;
  carrier: { address: string; port: number };
}

const DEMO: Omit<DemoOperator, 'password'> = { username: 'demo-phone', number: '+442079460001' };

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
export async function seedDemoOperator({ home, database_url, carrier }: DemoOptions): Promise<DemoOperator> {
  const password = await keptSecret(join(home, 'secrets/demo-phone'));
  const pool = new pg.Pool({ connectionString: database_url, max: 2 });
  try {
    const { rowCount } = await pool.query('select 1 from sip_device where username = $1', [DEMO.username]);
    if (rowCount === 0) await seed(pool, carrier, password);
    return { ...DEMO, password };
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
