import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, type FreshDatabase } from '../../deploy/testing/database.ts';
import { makeCustomer } from '../../deploy/world/people.ts';
import { callerProfiles } from './caller_profile.ts';
import { emergencyCallers } from './emergency_callers.ts';

let database: FreshDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
  for (const [n, username] of ['desk-b', 'desk-a', 'desk-c', 'desk-off'].entries())
    await makeCustomer(pool, { balance_micros: 0n, number: `+49301234567${n}`, home_country: 'AT', username });
  await pool.query("update sip_device set enabled = false where username = 'desk-off'");
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

async function names(after: string, rows_max: number): Promise<string[]> {
  return (await emergencyCallers(pool, after, rows_max)).map(({ device }) => device);
}

describe('what a call for help needs to know', () => {
  it('is read part by part, and not of devices that are switched off', async () => {
    expect(await names('', 2)).toEqual(['desk-a', 'desk-b']);
    expect(await names('desk-b', 2)).toEqual(['desk-c']);
    expect(await names('desk-c', 2)).toEqual([]);
  });

  it('is the same as a call of that device is looked up with', async () => {
    const [known] = await emergencyCallers(pool, '', 1);
    const [profile] = await callerProfiles(pool, [{ device: 'desk-a', claimed_caller: null }]);
    expect(known?.home_country).toBe('AT');
    expect(profile).toMatchObject({ ...known });
  });

  it('shows no number that the account does not hold any more', async () => {
    await pool.query("update did set state = 'quarantined' where number = '+493012345671'");
    const [known] = await emergencyCallers(pool, '', 1);
    expect(known).toMatchObject({ device: 'desk-a', caller_number: null });
  });

  it('is known of an account without a wallet', async () => {
    await pool.query(
      `with a as (insert into account (id, name, home_country, time_zone, sell_deck, state)
                  select gen_random_uuid(), 'No wallet', home_country, time_zone, sell_deck, state from account limit 1 returning id)
       update sip_device set account_id = a.id from a where username = 'desk-c'`,
    );
    const [known] = await emergencyCallers(pool, 'desk-b', 1);
    expect(known).toMatchObject({ device: 'desk-c', wallet_id: null, currency: null });
  });
});
