import type pg from 'pg';

export interface StockWishes {
  country?: string;
  number_type?: 'geographic' | 'mobile' | 'toll_free';
  calls?: boolean;
  texts?: boolean;
  provider?: 'stock' | 'partner';
  currency?: string;
  setup_micros?: bigint;
  monthly_micros?: bigint;
}

/** Numbers for sale, without an import. */
export async function putInStock(pool: pg.Pool, numbers: readonly string[], wishes: StockWishes = {}): Promise<void> {
  const { country = 'DE', number_type = 'geographic', calls = true, texts = true, provider = 'stock' } = wishes;
  await pool.query('insert into did (number) select unnest($1::text[])', [numbers]);
  await pool.query(
    `insert into number_offer (number, country, number_type, calls, texts, provider) select unnest($1::text[]), $2, $3, $4, $5, $6`,
    [numbers, country, number_type, calls, texts, provider],
  );
  await pool.query(
    `insert into number_price (number, valid_from, currency, setup_micros, monthly_micros) select unnest($1::text[]), '2020-01-01', $2, $3, $4`,
    [
      ...[numbers, wishes.currency ?? 'EUR', (wishes.setup_micros ?? 1_000_000n).toString()],
      (wishes.monthly_micros ?? 3_000_000n).toString(),
    ],
  );
}
