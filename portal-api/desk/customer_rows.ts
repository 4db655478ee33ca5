import { KeyDestroyed } from '../../domain/privacy/data_keys.ts';
import { blindIndex, emailSpelling, unseal } from '../../domain/privacy/sealing.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import type { CustomerRole } from '../identity/identity.ts';

/** One of these; each is matched whole, as nothing personal can be searched by a part of it. */
export type CustomerSearch = { by: 'account_id'; value: string } | { by: 'email' | 'phone' | 'number'; value: string };

const FOUND_MAX = 50;

export async function findAccounts(
  { ring }: Pick<PortalContext, 'ring'>,
  db: Queryable,
  search: CustomerSearch,
): Promise<string[]> {
  const { text, value } = searchQuery(ring, search);
  const { rows } = await db.query<{ account_id: string }>(`${text} order by 1 limit ${FOUND_MAX}`, [value]);
  return rows.map(({ account_id }) => account_id);
}

function searchQuery(ring: PortalContext['ring'], { by, value }: CustomerSearch): { text: string; value: unknown } {
  const byUser = (column: string) =>
    `select m.account_id from portal_user u join membership m on m.user_id = u.id where u.kind = 'customer' and u.${column} = $1`;
  switch (by) {
    case 'account_id':
      return { text: 'select id as account_id from account where id = $1', value };
    case 'email':
      return { text: byUser('email_index'), value: blindIndex(ring, 'email', emailSpelling(value)) };
    case 'phone':
      return { text: byUser('phone_index'), value: blindIndex(ring, 'phone', value) };
    case 'number':
      return { text: 'select account_id from did where number = $1 and account_id is not null', value };
  }
}

export interface AccountRow {
  account_id: string;
  state: 'inactive' | 'active' | 'suspended' | 'closed';
  party: 'person' | 'business';
  home_country: string;
  time_zone: string;
  created_at: Date;
  version: number;
}

export async function readAccount(db: Queryable, account_id: string, lock = false): Promise<AccountRow | null> {
  const { rows } = await db.query<AccountRow>(
    `select id as account_id, state, party, home_country, time_zone, created_at, version from account where id = $1
     ${lock ? 'for no key update' : ''}`,
    [account_id],
  );
  return rows[0] ?? null;
}

export interface Person {
  user_id: string;
  role: CustomerRole;
  state: string;
  /** Null where there is none, or the key of it was destroyed. */
  name: string | null;
  email: string | null;
  phone: string | null;
  email_verified: boolean;
  phone_verified: boolean;
}

interface PersonRow extends Pick<Person, 'user_id' | 'role' | 'state' | 'email_verified' | 'phone_verified'> {
  data_key_id: string;
  name_sealed: Buffer | null;
  email_sealed: Buffer;
  phone_sealed: Buffer | null;
}

/** Whoever may act for the account, in plain words: what of it is shown to whom is decided by who asks. */
export async function readPeople(
  { keys }: Pick<PortalContext, 'keys'>,
  db: Queryable,
  account_id: string,
): Promise<Person[]> {
  const { rows } = await db.query<PersonRow>(
    `select u.id as user_id, m.role, u.state, u.data_key_id, u.name_sealed, u.email_sealed, u.phone_sealed,
            u.email_verified_at is not null as email_verified, u.phone_verified_at is not null as phone_verified
       from membership m join portal_user u on u.id = m.user_id where m.account_id = $1 order by m.created_at, u.id limit 200`,
    [account_id],
  );
  const people: Person[] = [];
  for (const row of rows) {
    const { user_id, role, state, email_verified, phone_verified } = row;
    people.push({ user_id, role, state, email_verified, phone_verified, ...(await openPerson(keys, db, row)) });
  }
  return people;
}

async function openPerson(
  keys: PortalContext['keys'],
  db: Queryable,
  row: PersonRow,
): Promise<Pick<Person, 'name' | 'email' | 'phone'>> {
  try {
    const key = await keys.open(db, row.data_key_id);
    const open = (column: string, sealed: Buffer | null): string | null =>
      sealed === null ? null : unseal(key, `portal_user.${column}:${row.user_id}`, sealed).toString();
    return {
      name: open('name', row.name_sealed),
      email: open('email', row.email_sealed),
      phone: open('phone', row.phone_sealed),
    };
  } catch (error) {
    if (!(error instanceof KeyDestroyed)) throw error;
    return { name: null, email: null, phone: null };
  }
}

export interface LimitsRow {
  concurrent_calls_max: number;
  calls_per_second_max: number;
  spend_micros_per_hour_max: string;
  spend_micros_per_day_max: string;
  rate_micros_per_minute_max: string;
  blocked_prefixes: string[];
  texts_per_second_max: number | null;
  texts_per_day_max: number | null;
}

/** Limits of texts are null where the defaults hold; null where the account has none at all. */
export async function readLimits(db: Queryable, account_id: string): Promise<LimitsRow | null> {
  const { rows } = await db.query<LimitsRow>(
    `select c.concurrent_calls_max, c.calls_per_second_max, c.spend_micros_per_hour_max, c.spend_micros_per_day_max,
            c.rate_micros_per_minute_max, c.blocked_prefixes, t.texts_per_second_max, t.texts_per_day_max
       from call_limit c left join text_limit t on t.account_id = c.account_id where c.account_id = $1`,
    [account_id],
  );
  return rows[0] ?? null;
}
