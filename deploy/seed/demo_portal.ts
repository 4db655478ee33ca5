import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { DataKeys } from '../../domain/privacy/data_keys.ts';
import type { KeyRing } from '../../domain/privacy/sealing.ts';
import { parseKeyRing } from '../../portal-api/key_ring_file.ts';
import { adoptNumbers } from '../../portal-api/numbers/holdings/adopt_numbers.ts';
import { seedLegalDocuments } from '../../portal-api/legal/seed_legal_documents.ts';
import { makeAdminUser } from '../../portal-api/sign_in/make_admin.ts';
import { emailIndexOf } from '../../portal-api/sign_in/users.ts';
import { keptKeyRing } from '../parts/key_ring.ts';
import { keptSecret } from '../runtime/process/secret.ts';

export interface DemoPortal {
  /** Who may do everything in the portal; the codes are made by an app that is given the secret. Null where an operator has admins of his own. */
  admin: { email: string; password: string; totp_secret_base32: string } | null;
}

const EMAIL = 'admin@letsdial.example';

/** Numbers for sale: from the ranges that regulators keep for drama where there are such, and that nobody has. */
const offers = [
  { country: 'GB', number_type: 'geographic', first: '+442079460100', count: 20, provider: 'stock' },
  { country: 'DE', number_type: 'geographic', first: '+493023125100', count: 20, provider: 'partner' },
  { country: 'US', number_type: 'geographic', first: '+12025550100', count: 20, provider: 'partner' },
] as const;
const SETUP_MICROS = 1_000_000n;
const MONTHLY_MICROS = 3_000_000n;

/**
 * What a portal begins with: an admin, the texts that customers agree to, and numbers for sale. Made once, found again later. Without the
 * demo nothing is offered for sale, and an admin is made only where there is none yet: somebody has to be the first.
 */
export async function seedDemoPortal(
  home: string,
  database_url: string,
  { is_demo }: { is_demo: boolean },
): Promise<DemoPortal> {
  const password = await keptSecret(join(home, 'secrets/demo-admin'));
  const totp_secret_base32 = base32Of(await keptSecret(join(home, 'secrets/demo-admin-totp')));
  const ring = parseKeyRing(await readFile(await keptKeyRing(join(home, 'secrets/key-ring.json')), 'utf8'));
  const pool = new pg.Pool({ connectionString: database_url, max: 2 });
  try {
    const now = new Date();
    const wishes = { email: EMAIL, name: 'Demo Admin', password, roles: ['owner', 'kyc', 'finance'] as const };
    const has_admin = is_demo || !(await hasOtherAdmin(pool, ring));
    if (has_admin) await makeAdminUser({ pool, ring }, now, { ...wishes, totp_secret_base32 });
    await seedLegalDocuments(pool, now);
    await keyForAccounts(pool, new DataKeys(ring), now);
    if (is_demo) {
      for (const offer of offers) await putOffer(pool, offer);
      // The number of the demo's customer was given to him before there was a portal as well.
      await adoptNumbers(pool, MONTHLY_MICROS, now);
    }
    return { admin: has_admin ? { email: EMAIL, password, totp_secret_base32 } : null };
  } finally {
    await pool.end();
  }
}

/** Whether one of the operator's people can sign in already who is not the one that is made here. */
async function hasOtherAdmin(pool: pg.Pool, ring: KeyRing): Promise<boolean> {
  const { rowCount } = await pool.query(
    `select from portal_user where kind = 'admin' and state <> 'closed' and email_index <> $1 limit 1`,
    [emailIndexOf(ring, EMAIL)],
  );
  return rowCount === 1;
}

/** The demo's customer of calls and texts was made before there was a portal. */
async function keyForAccounts(pool: pg.Pool, keys: DataKeys, now: Date): Promise<void> {
  const { rows } = await pool.query<{ id: string }>('select id from account where data_key_id is null');
  for (const { id } of rows) {
    const { id: data_key_id } = await keys.make(pool, now);
    await pool.query('update account set data_key_id = $2 where id = $1 and data_key_id is null', [id, data_key_id]);
  }
}

async function putOffer(pool: pg.Pool, offer: (typeof offers)[number]): Promise<void> {
  const numbers = Array.from({ length: offer.count }, (_, n) => `+${BigInt(offer.first.slice(1)) + BigInt(n)}`);
  await pool.query('insert into did (number) select unnest($1::text[]) on conflict do nothing', [numbers]);
  await pool.query(
    `insert into number_offer (number, country, number_type, calls, texts, provider)
     select unnest($1::text[]), $2, $3, true, true, $4 on conflict do nothing`,
    [numbers, offer.country, offer.number_type, offer.provider],
  );
  await pool.query(
    `insert into number_price (number, valid_from, currency, setup_micros, monthly_micros)
     select n, '2020-01-01', 'EUR', $2, $3 from unnest($1::text[]) n
      where not exists (select 1 from number_price p where p.number = n)`,
    [numbers, SETUP_MICROS.toString(), MONTHLY_MICROS.toString()],
  );
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** As apps that make codes take it (RFC 4648, 6): each hexadecimal digit of a kept secret stands for one of its letters. */
function base32Of(hex: string): string {
  return Array.from(hex.slice(0, 32), (digit, n) => BASE32[(parseInt(digit, 16) * 2 + (n % 2)) % 32]).join('');
}
