import type { Queryable } from '../../domain/db/transaction.ts';
import type { Acceptance } from './acceptor.ts';

/** A request that was not accepted, by its key and what it holds. */
export interface KeyedRequest {
  account_id: string;
  key: string;
  content_sha256: string;
}

interface RepeatedRow {
  n: number;
  content_sha256: string;
  id: string;
  encoding: 'gsm7' | 'ucs2' | 'binary';
  segments: number;
  net_micros: string;
  tax_micros: string;
  currency: string;
  is_held: boolean;
}

/**
 * What was answered to the first request with the key of each, if it was accepted and was the same: as it was charged then. Null for the
 * others.
 */
export async function repeatedTexts(db: Queryable, requests: readonly KeyedRequest[]): Promise<(Acceptance | null)[]> {
  const { rows } = await db.query<RepeatedRow>({
    name: 'repeated_texts',
    text: `select a.n::integer, k.content_sha256, m.id, m.encoding, m.segments, m.net_micros, m.tax_micros, m.currency,
                  exists (select 1 from message_queue q where q.message_id = m.id and q.state = 'h' offset 0) as is_held
             from unnest($1::uuid[], $2::text[]) with ordinality a (account_id, key, n), lateral (
                    select x.content_sha256, x.message_id from message_key x
                     where x.account_id = a.account_id and x.idempotency_key = a.key offset 0) k, lateral (
                    select x.id, x.encoding, x.segments, x.net_micros, x.tax_micros, x.currency from message x where x.id = k.message_id offset 0) m`,
    values: [requests.map(({ account_id }) => account_id), requests.map(({ key }) => key)],
  });
  const answers = requests.map((): Acceptance | null => null);
  for (const row of rows) {
    if (row.content_sha256 === requests[row.n - 1]?.content_sha256) answers[row.n - 1] = acceptanceOf(row);
  }
  return answers;
}

function acceptanceOf({ id, encoding, segments, currency, is_held, ...row }: RepeatedRow): Acceptance {
  const [net_micros, tax_micros] = [BigInt(row.net_micros), BigInt(row.tax_micros)];
  return { kind: 'replay', id, encoding, segments, net_micros, tax_micros, currency, is_held };
}
