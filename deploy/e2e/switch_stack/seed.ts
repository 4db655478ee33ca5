import { createHash, randomUUID } from 'node:crypto';
import pg from 'pg';
import type { StackAddresses } from './addresses.ts';

/** Password of the role `asterisk` and of every device in these tests: a database that lives for seconds on loopback. */
export const TEST_PASSWORD = 'only-for-tests';

function ha1(algorithm: 'md5' | 'sha256', username: string): string {
  return createHash(algorithm).update(`${username}:letsdial:${TEST_PASSWORD}`).digest('hex');
}

/** Devices and trunks that the suite's people use. */
export async function seedSwitch(url: string, addresses: StackAddresses, devices: readonly string[]): Promise<void> {
  const db = new pg.Client({ connectionString: url });
  await db.connect();
  try {
    await db.query(`alter role asterisk login password '${TEST_PASSWORD}'`);
    const account = randomUUID();
    await db.query("insert into account (id, name, state, home_country) values ($1, 'Test', 'active', 'GB')", [
      account,
    ]);
    const { rows } = await db.query<{ id: number }>(
      "insert into carrier (code, name, currency) values ('test', 'Test', 'EUR') returning id",
    );
    for (const [trunk, host] of [
      ['trunk-carrier', addresses.carrier],
      ['trunk-silent', addresses.silent],
    ]) {
      await db.query('insert into trunk (id, carrier_id, host, port) values ($1, $2, $3, 5060)', [
        trunk,
        rows[0]?.id,
        host,
      ]);
      await db.query('insert into trunk_address (trunk_id, address) values ($1, $2)', [trunk, `${host ?? ''}/32`]);
    }
    for (const username of devices) {
      await db.query(
        'insert into sip_device (id, account_id, username, ha1_md5, ha1_sha256) values ($1, $2, $3, $4, $5)',
        [randomUUID(), account, username, ha1('md5', username), ha1('sha256', username)],
      );
    }
  } finally {
    await db.end();
  }
}
