import type { Queryable } from '../../domain/db/transaction.ts';
import { postedTransaction } from '../../domain/ledger/postings.ts';
import type { PostedTransaction } from '../../domain/ledger/postings.ts';
import type { StoredCharge, StoredDeck, StoredText } from './text_record.ts';

/** Null where there is no such deck. */
export async function readDeck(
  db: Queryable,
  deck_id: number,
  { prefix, rate_micros_per_segment }: NonNullable<StoredText['rate']>,
): Promise<StoredDeck | null> {
  const { rows } = await db.query<Omit<StoredDeck, 'rows'>>(
    'select name, version, currency from rate_deck where id = $1',
    [deck_id],
  );
  const [deck] = rows;
  if (deck === undefined) return null;
  const { rows: deck_rows } = await db.query<StoredDeck['rows'][number]>(
    `select nullif(effective_from, '-infinity') as effective_from, effective_to from text_rate
      where deck_id = $1 and prefix = $2 and rate_micros_per_segment = $3 order by text_rate.effective_from`,
    [deck_id, prefix, rate_micros_per_segment.toString()],
  );
  return { ...deck, rows: deck_rows };
}

export async function readCharge(db: Queryable, charge_ref: string): Promise<StoredCharge> {
  const { rows } = await db.query<{ texts: string; net_micros: string; tax_micros: string }>(
    `select count(*) as texts, coalesce(sum(net_micros), 0) as net_micros, coalesce(sum(tax_micros), 0) as tax_micros
       from message where charge_ref = $1`,
    [charge_ref],
  );
  const { texts = '0', net_micros = '0', tax_micros = '0' } = rows[0] ?? {};
  return {
    ref: charge_ref,
    texts: Number(texts),
    net_micros: BigInt(net_micros),
    tax_micros: BigInt(tax_micros),
    transaction: await postedTransaction(db, 'text', charge_ref),
  };
}

export function readRefund(db: Queryable, message_id: string): Promise<PostedTransaction | null> {
  return postedTransaction(db, 'text_refund', message_id);
}
