import type { Transaction } from '../../../domain/db/transaction.ts';
import type { ImportedOffer } from './read_offers.ts';

export interface ImportCounts {
  offered: number;
  /** Of them, with another price than before. */
  repriced: number;
  withdrawn: number;
}

/**
 * Makes these the numbers that a provider has for sale, and no others of its, all at one moment. Whoever holds a number keeps it, at the
 * price at which he bought it. `other_provider`: numbers that stand in the inventory as somebody else's; nothing was done.
 */
export async function importOffers(
  tx: Transaction,
  provider: string,
  offers: readonly ImportedOffer[],
  now: Date,
): Promise<{ kind: 'imported'; counts: ImportCounts } | { kind: 'other_provider'; numbers: string[] }> {
  await tx.query('select pg_advisory_xact_lock(hashtext($1))', [`number_import:${provider}`]);
  const numbers = offers.map(({ number }) => number);
  const others = await tx.query<{ number: string }>(
    'select number from number_offer where number = any ($1) and provider <> $2 order by number',
    [numbers, provider],
  );
  if (others.rows.length > 0) return { kind: 'other_provider', numbers: others.rows.map(({ number }) => number) };
  const rows = JSON.stringify(
    offers.map(({ setup_micros, monthly_micros, valid_from, ...offer }) => ({
      ...offer,
      ...{ setup_micros: setup_micros.toString(), monthly_micros: monthly_micros.toString() },
      valid_from: valid_from ?? now.toISOString(),
    })),
  );
  await tx.query('insert into did (number) select unnest($1::text[]) on conflict do nothing', [numbers]);
  await tx.query(
    `insert into number_offer (number, country, number_type, calls, texts, provider)
     select r.number, r.country, r.number_type, r.calls, r.texts, $2
       from jsonb_to_recordset($1) as r (number text, country text, number_type text, calls boolean, texts boolean)
     on conflict (number) do update
       set country = excluded.country, number_type = excluded.number_type, calls = excluded.calls, texts = excluded.texts, offered = true`,
    [rows, provider],
  );
  const repriced = await tx.query(
    `insert into number_price (number, valid_from, currency, setup_micros, monthly_micros)
     select r.number, r.valid_from, r.currency, r.setup_micros, r.monthly_micros
       from jsonb_to_recordset($1) as r (number text, valid_from timestamptz, currency text, setup_micros bigint, monthly_micros bigint)
       left join lateral (select * from number_price p where p.number = r.number and p.valid_from <= r.valid_from
                           order by p.valid_from desc limit 1) p on true
      where (p.currency, p.setup_micros, p.monthly_micros) is distinct from (r.currency::char(3), r.setup_micros, r.monthly_micros)
     on conflict do nothing`,
    [rows],
  );
  const withdrawn = await tx.query(
    'update number_offer set offered = false where provider = $1 and offered and number <> all ($2)',
    [provider, numbers],
  );
  const counts = { offered: offers.length, repriced: repriced.rowCount ?? 0, withdrawn: withdrawn.rowCount ?? 0 };
  return { kind: 'imported', counts };
}
