import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, type FreshDatabase } from '../../deploy/testing/database.ts';
import { generousLimits, makeCustomer, type Customer } from '../../deploy/world/people.ts';
import { termsWithOwner } from './testing/terms.ts';
import { callerProfiles, type CallerProfile } from './caller_profile.ts';

const OWN = '+493012345678';
const MOBILE = '+4915112345678';
const STRANGERS = '+498912345678';

let database: FreshDatabase;
let pool: pg.Pool;
let customer: Customer;

beforeAll(async () => {
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
  customer = await makeCustomer(pool, { balance_micros: 0n, number: OWN });
  await makeCustomer(pool, { balance_micros: 0n, number: STRANGERS });
  await pool.query('insert into verified_caller (account_id, number) values ($1, $2)', [customer.account_id, MOBILE]);
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

async function asks(claimed_caller: string | null): Promise<CallerProfile | null> {
  const [profile] = await callerProfiles(pool, [{ device: customer.device.username, claimed_caller }]);
  return profile ?? null;
}

describe('the number that a call shows', () => {
  it.each(['+4915112345678', '004915112345678', '4915112345678', '015112345678', '+49 (151) 12345678'])(
    'is the one asked for as %s, which the account has verified',
    async (claim) => {
      expect(await asks(claim)).toMatchObject({ caller_number: MOBILE, claim_refused: false });
    },
  );

  it('is the one asked for when the account holds it', async () => {
    expect(await asks('03012345678')).toMatchObject({ caller_number: OWN, claim_refused: false });
  });

  it.each([STRANGERS, '08912345678', '+1900', '78', '345678901', '5678', "' or true --", '+'])(
    'is the own one when %s is asked for, which is not the account’s',
    async (claim) => {
      expect(await asks(claim)).toMatchObject({ caller_number: OWN, claim_refused: true });
    },
  );

  it('is the own one when none is asked for, or the name of the device', async () => {
    expect(await asks(null)).toMatchObject({ caller_number: OWN, claim_refused: false });
    expect(await asks(customer.device.username)).toMatchObject({ caller_number: OWN, claim_refused: false });
  });

  it('is none once the number is no longer the account’s', async () => {
    await pool.query(`update did set state = 'quarantined' where number = $1`, [OWN]);
    expect(await asks('03012345678')).toMatchObject({ caller_number: null, claim_refused: true });
    await pool.query(`update did set state = 'active' where number = $1`, [OWN]);
  });
});

describe('what is known of a caller', () => {
  it('is nothing for a device that is not there or switched off', async () => {
    const off = await makeCustomer(pool, { balance_micros: 0n, number: '+4930999' });
    await pool.query('update sip_device set enabled = false where username = $1', [off.device.username]);
    const devices = [off.device.username, 'nobody', customer.device.username];
    const profiles = await callerProfiles(
      pool,
      devices.map((device) => ({ device, claimed_caller: null })),
    );
    expect(profiles.map((profile) => profile?.device ?? null)).toEqual([null, null, customer.device.username]);
  });

  it('names the restrictions that are in force, and no others', async () => {
    const restricted = await makeCustomer(pool, { balance_micros: 0n, number: '+4930998', limits: generousLimits });
    const add = (scope: string, from: string, to: string | null): Promise<unknown> =>
      pool.query(
        `insert into restriction (id, account_id, scope, reason, starts_at, ends_at)
         values ($1, $2, $3, 'test', now() + $4::interval, now() + $5::interval)`,
        [randomUUID(), restricted.account_id, scope, from, to],
      );
    await add('calls_out', '-1 hour', null);
    await add('sms', '-2 hours', '-1 hour');
    await add('purchases', '1 hour', null);
    await add('all', '-1 hour', '1 hour');
    const [profile] = await callerProfiles(pool, [{ device: restricted.device.username, claimed_caller: null }]);
    expect(profile?.restrictions.toSorted()).toEqual(['all', 'calls_out']);
  });

  it('says that nobody agreed to the terms in force, where somebody could have', async () => {
    const debtor = await makeCustomer(pool, { balance_micros: 0n, number: '+4930997' });
    const owes = async (): Promise<boolean | undefined> =>
      (await callerProfiles(pool, [{ device: debtor.device.username, claimed_caller: null }]))[0]?.owes_terms;
    const terms = await termsWithOwner(pool, debtor.account_id);
    expect(await owes()).toBe(false);
    await terms.publish({ version: 1 });
    expect(await owes()).toBe(true);
    await terms.agree(1);
    expect(await owes()).toBe(false);
    await terms.publish({ version: 2, is_material: false });
    expect(await owes()).toBe(false);
    await terms.publish({ version: 3, in_force_from: new Date(Date.now() + 3_600_000) });
    expect(await owes()).toBe(false);
    await terms.publish({ version: 4 });
    expect(await owes()).toBe(true);
    await terms.agree(4);
    expect(await owes()).toBe(false);
    // A payment policy is agreed to, too; the privacy notice only told.
    await terms.publish({ kind: 'privacy', version: 1 });
    expect(await owes()).toBe(false);
    await terms.publish({ kind: 'payment_policy', version: 1 });
    expect(await owes()).toBe(true);
    // Nobody signs in to it who could agree.
    expect((await asks(null))?.owes_terms).toBe(false);
  });
});
