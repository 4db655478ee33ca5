import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type pg from 'pg';
import { generousLimits } from '../../deploy/world/people.ts';
import { openAccount } from '../../domain/accounts/open_account.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import { topUp } from '../../domain/ledger/top_up.ts';
import { DataKeys } from '../../domain/privacy/data_keys.ts';
import { blindIndex, emailSpelling, seal } from '../../domain/privacy/sealing.ts';
import type { KeyRing } from '../../domain/privacy/sealing.ts';
import type { AdminRole, CustomerRole } from '../identity/identity.ts';
import type { NewSession } from '../identity/sessions.ts';
import type { PortalClient } from './portal_client.ts';
import type { PortalWorld } from './portal_world.ts';

export interface TestUser {
  user_id: string;
  account_id: string;
  wallet_id: bigint;
  /** A browser that is signed in as this person, as after a password. */
  signIn: () => Promise<PortalClient>;
}

export interface UserWishes {
  email?: string;
  name?: string;
  party?: 'person' | 'business';
  home_country?: string;
  tax_ppm?: number;
  balance_micros?: bigint;
  currency?: string;
}

/** A customer with an account, a wallet and a session at hand, without the way through registration. */
export async function makeUser(world: PortalWorld, wishes: UserWishes = {}): Promise<TestUser> {
  const account_id = randomUUID();
  const { user_id } = await insertUser(world, 'customer', wishes, []);
  const wallet_id = await inTransaction(world.pool, async (tx) => {
    const opened = await openAccount(tx, {
      ...{ account_id, name: wishes.name ?? 'Ada Example', home_country: wishes.home_country ?? 'DE' },
      ...{ time_zone: 'Europe/Berlin', tax_ppm: wishes.tax_ppm ?? 0, sell_deck: 'retail' },
      currency: wishes.currency ?? 'EUR',
      limits: generousLimits,
    });
    const { id: data_key_id } = await new DataKeys(world.ring).make(tx, world.now());
    await tx.query('update account set party = $2, data_key_id = $3 where id = $1', [
      ...[account_id, wishes.party ?? 'person', data_key_id],
    ]);
    await tx.query(`insert into membership (account_id, user_id, role) values ($1, $2, 'owner')`, [
      account_id,
      user_id,
    ]);
    const { balance_micros = 0n } = wishes;
    if (balance_micros > 0n) {
      const top_up = { payment_id: randomUUID(), amount_micros: balance_micros, reason: 'opening balance' };
      await topUp(tx, { ...top_up, wallet_id: opened.wallet_id });
    }
    return opened.wallet_id;
  });
  const session = { user_id, kind: 'customer' as const, account_id, role: 'owner' as CustomerRole, admin_roles: [] };
  return { user_id, account_id, wallet_id, signIn: () => signIn(world, session) };
}

/** Somebody else who may act for an account. */
export async function makeMember(
  world: PortalWorld,
  account_id: string,
  role: CustomerRole,
): Promise<{ user_id: string; signIn: () => Promise<PortalClient> }> {
  const { user_id } = await insertUser(world, 'customer', {}, []);
  await world.pool.query('insert into membership (account_id, user_id, role) values ($1, $2, $3)', [
    ...[account_id, user_id, role],
  ]);
  const session = { user_id, kind: 'customer' as const, account_id, role, admin_roles: [] };
  return { user_id, signIn: () => signIn(world, session) };
}

/** One of the operator's people, signed in with a second factor. */
export async function makeAdmin(
  world: PortalWorld,
  roles: AdminRole[],
): Promise<{ user_id: string; signIn: () => Promise<PortalClient> }> {
  const { user_id } = await insertUser(world, 'admin', {}, roles);
  const session = { user_id, kind: 'admin' as const, account_id: null, role: null, admin_roles: roles };
  return { user_id, signIn: () => signIn(world, session) };
}

async function insertUser(
  { pool, ring }: { pool: pg.Pool; ring: KeyRing },
  kind: 'customer' | 'admin',
  wishes: UserWishes,
  roles: readonly AdminRole[],
): Promise<{ user_id: string }> {
  const user_id = randomUUID();
  const email = wishes.email ?? `${user_id}@example.org`;
  await inTransaction(pool, async (tx) => {
    const { id: key_id, key } = await new DataKeys(ring).make(tx, new Date());
    const sealed = (column: string, value: string): Buffer =>
      seal(key, `portal_user.${column}:${user_id}`, Buffer.from(value));
    await tx.query(
      `insert into portal_user (id, kind, data_key_id, name_sealed, email_sealed, email_index, email_verified_at, admin_roles)
       values ($1, $2, $3, $4, $5, $6, now(), $7)`,
      [
        ...[user_id, kind, key_id, sealed('name', wishes.name ?? 'Ada Example'), sealed('email', email)],
        ...[blindIndex(ring, 'email', emailSpelling(email)), roles],
      ],
    );
  });
  return { user_id };
}

async function signIn(world: PortalWorld, session: Omit<NewSession, 'address' | 'user_agent'>): Promise<PortalClient> {
  const { token, csrf_token } = await world.portal.sessions.begin({
    ...session,
    ...{ address: '127.0.0.1', user_agent: 'a test' },
  });
  return world.client().adopt(`letsdial_session=${token}`, csrf_token);
}

/** A key for programs; its secret. */
export async function makeApiKey(world: PortalWorld, account_id: string, scopes: readonly string[]): Promise<string> {
  const secret = `ld_${randomBytes(32).toString('hex')}`;
  await world.pool.query(
    'insert into api_key (id, account_id, name, secret_sha256, scopes) values ($1, $2, $3, $4, $5)',
    [...[randomUUID(), account_id, 'a program', createHash('sha256').update(secret).digest('hex'), scopes]],
  );
  return secret;
}
