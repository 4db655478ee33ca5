import { randomUUID } from 'node:crypto';
import { openAccount } from '../../domain/accounts/open_account.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import { blindIndex, seal } from '../../domain/privacy/sealing.ts';
import type { PortalContext } from '../context.ts';
import type { CustomerRole } from '../identity/identity.ts';
import { recordLogin } from '../sign_in/login_events.ts';
import type { Visitor } from '../sign_in/login_events.ts';
import { ACCOUNT_NAMES, insertHolder } from './account_holder.ts';
import { finishFlow } from './flow.ts';
import type { Flow } from './flow.ts';
import type { TermsPort } from './terms_port.ts';

export type MadeCustomer =
  | { kind: 'made'; user_id: string; account_id: string; role: CustomerRole }
  /** Somebody else registered that address meanwhile. */
  | { kind: 'taken' }
  /** The invitation was accepted or withdrawn meanwhile. */
  | { kind: 'not_invited' };

/** Makes a person of a flow whose codes were right, with an account of their own or as a member of the one they are invited to. */
export async function makeCustomer(
  context: PortalContext,
  terms: TermsPort,
  tx: Transaction,
  now: Date,
  flow: Flow,
  visitor: Visitor,
): Promise<MadeCustomer> {
  const user_id = randomUUID();
  if (!(await insertPerson(tx, context, flow, user_id, now))) return { kind: 'taken' };
  const place = flow.invitation_id === null ? await ownAccount(tx, context, flow, now) : await invitedTo(tx, flow, now);
  if (place === null) return { kind: 'not_invited' };
  const { account_id, role } = place;
  await tx.query('insert into membership (account_id, user_id, role) values ($1, $2, $3)', [account_id, user_id, role]);
  if (role === 'owner') {
    // A number that is proven may be shown to those who are called.
    await tx.query(
      'insert into verified_caller (account_id, number, verified_at) values ($1, $2, $3) on conflict do nothing',
      [account_id, flow.wishes.phone, now],
    );
    // Who owns an account agrees for it. What anybody else of it agreed to stands with their registration, and binds nobody but them.
    await terms.recordAcceptances(tx, user_id, account_id, flow.document_ids, {
      ...{ at: now, address: visitor.address },
    });
  }
  await finishFlow(tx, flow.id, user_id);
  await recordLogin(tx, now, { user_id, method: 'registration', result: 'signed_in' }, visitor);
  return { kind: 'made', user_id, account_id, role };
}

async function insertPerson(
  tx: Transaction,
  { ring }: PortalContext,
  { wishes, data_key, email_index, locale }: Flow,
  user_id: string,
  now: Date,
): Promise<boolean> {
  const sealed = (column: string, value: string): Buffer =>
    seal(data_key.key, `portal_user.${column}:${user_id}`, Buffer.from(value));
  const { rows } = await tx.query(
    `insert into portal_user (id, kind, data_key_id, name_sealed, email_sealed, email_index, email_verified_at, phone_sealed, phone_index,
                              phone_verified_at, locale, created_at)
     values ($1, 'customer', $2, $3, $4, $5, $6, $7, $8, $6, $9, $6) on conflict do nothing returning 1`,
    [
      ...[user_id, data_key.id, sealed('name', wishes.name), sealed('email', wishes.email), email_index, now],
      ...[sealed('phone', wishes.phone), blindIndex(ring, 'phone', wishes.phone), locale],
    ],
  );
  return rows.length > 0;
}

interface Place {
  account_id: string;
  role: CustomerRole;
}

async function ownAccount(tx: Transaction, context: PortalContext, flow: Flow, now: Date): Promise<Place> {
  const { settings, keys } = context;
  const account_id = randomUUID();
  await openAccount(tx, {
    account_id,
    name: ACCOUNT_NAMES[flow.party],
    ...{ home_country: flow.home_country, time_zone: flow.time_zone, currency: settings.CURRENCY },
    tax_ppm: await taxOf(tx, flow, now),
    sell_deck: 'retail',
    limits: {
      concurrent_calls_max: settings.NEW_ACCOUNT_CALLS_MAX,
      calls_per_second_max: settings.NEW_ACCOUNT_CALLS_PER_SECOND_MAX,
      spend_micros_per_hour_max: settings.NEW_ACCOUNT_SPEND_MICROS_PER_HOUR_MAX,
      spend_micros_per_day_max: settings.NEW_ACCOUNT_SPEND_MICROS_PER_DAY_MAX,
      rate_micros_per_minute_max: settings.NEW_ACCOUNT_RATE_MICROS_PER_MINUTE_MAX,
      blocked_prefixes: [],
    },
  });
  const { id: data_key_id, key } = await keys.make(tx, now);
  await tx.query('update account set party = $2, data_key_id = $3 where id = $1', [
    account_id,
    flow.party,
    data_key_id,
  ]);
  await insertHolder(tx, { account_id, key, name: flow.wishes.business_name ?? flow.wishes.name });
  return { account_id, role: 'owner' };
}

async function invitedTo(tx: Transaction, flow: Flow, now: Date): Promise<Place | null> {
  const { rows } = await tx.query<Place>(
    `update invitation set accepted_at = $2
      where id = $1 and email_index = $3 and accepted_at is null and revoked_at is null and expires_at > $2
        and exists (select from account a where a.id = invitation.account_id and a.state <> 'closed')
     returning account_id, role`,
    [flow.invitation_id, now, flow.email_index],
  );
  return rows[0] ?? null;
}

/** What the country of the customer asks on top of each price; nothing where no rate is known. */
async function taxOf(tx: Transaction, { home_country, party }: Flow, now: Date): Promise<number> {
  const { rows } = await tx.query<{ tax_ppm: number }>(
    'select tax_ppm from tax_rate where country = $1 and party = $2 and valid_from <= $3 order by valid_from desc limit 1',
    [home_country, party, now],
  );
  return rows[0]?.tax_ppm ?? 0;
}
