import type { Queryable } from '../../domain/db/transaction.ts';
import type { Acceptance } from './acceptor.ts';

interface RepeatedRow {
  content_sha256: string;
  id: string;
  encoding: 'gsm7' | 'ucs2' | 'binary';
  segments: number;
  net_micros: string;
  tax_micros: string;
  currency: string;
  is_held: boolean;
}

/** What was answered to the first request with that key, if it was accepted and was the same: as it was charged then. */
export async function repeatedText(
  db: Queryable,
  account_id: string,
  { key, content_sha256 }: { key: string; content_sha256: string },
): Promise<Acceptance | null> {
  const { rows } = await db.query<RepeatedRow>({
    name: 'repeated_text',
    text: `select k.content_sha256, m.id, m.encoding, m.segments, m.net_micros, m.tax_micros, m.currency,
                  exists (select 1 from message_queue q where q.message_id = m.id and q.state = 'h') as is_held
             from message_key k join message m on m.id = k.message_id
            where k.account_id = $1 and k.idempotency_key = $2`,
    values: [account_id, key],
  });
  const [row] = rows;
  if (row?.content_sha256 !== content_sha256) return null;
  const { id, encoding, segments, currency, is_held } = row;
  const [net_micros, tax_micros] = [BigInt(row.net_micros), BigInt(row.tax_micros)];
  return { kind: 'replay', id, encoding, segments, net_micros, tax_micros, currency, is_held };
}
