import type { Queryable } from '../db/transaction.ts';
import type { GatewayLease } from './queue.ts';

/** A text that came whole, or whose parts were put together. */
export interface Arrival {
  id: string;
  carrier_id: number;
  sender: string;
  recipient: string;
  body: string;
  encoding: 'gsm7' | 'ucs2' | 'binary';
  segments: number;
  keyword: 'stop' | 'start' | 'help' | null;
  /** Of the parts that it was made of; null for one that came whole. */
  concatenation: { reference: number; part_count: number } | null;
}

/** The holder of the number, or null where nobody holds it: then it is kept for the operator and told to nobody. */
export interface Arrived {
  account_id: string | null;
}

/** Stores texts for the holders of their numbers, and obeys STOP and START. Then they may be acknowledged. */
export async function receiveMessages(
  db: Queryable,
  { gateway_id, epoch }: GatewayLease,
  now: Date,
  arrivals: readonly Arrival[],
): Promise<(Arrived | 'fenced')[]> {
  const items = arrivals.map(({ concatenation, ...one }, n) => ({ n, ...one, ...concatenation }));
  const { rows } = await db.query<{ n: number; account_id: string | null }>({
    name: 'receive_messages',
    text: 'select n, account_id from receive_messages($1, $2, $3, $4)',
    values: [gateway_id, epoch, now, JSON.stringify(items)],
  });
  const answers = arrivals.map((): Arrived | 'fenced' => 'fenced');
  for (const { n, account_id } of rows) answers[n] = { account_id };
  return answers;
}

/** A part of a long text, as the carrier sent it. */
export interface MoPart {
  carrier_id: number;
  sender: string;
  recipient: string;
  reference: number;
  part_count: number;
  part_no: number;
  data_coding: number;
  /** With its user data header. */
  payload: Uint8Array;
}

type PartRow = Omit<MoPart, 'payload'> & { payload: Buffer };

/** Keeps a part, for good when this resolves; gives all parts of its text, in their order, once none is missing. */
export async function receivePart(
  db: Queryable,
  { gateway_id, epoch }: GatewayLease,
  now: Date,
  part: MoPart,
): Promise<MoPart[] | null> {
  const { rows } = await db.query<PartRow>({
    name: 'receive_part',
    text: `select carrier_id, sender, recipient, reference, part_count, part_no, data_coding, payload
             from receive_part($1, $2, $3, row($4, $5, $6, $7, $8, $9, $10, $11, $3)::mo_part)`,
    values: [
      gateway_id,
      epoch,
      now,
      part.carrier_id,
      part.sender,
      part.recipient,
      part.reference,
      part.part_count,
      part.part_no,
      part.data_coding,
      part.payload,
    ],
  });
  return rows.length === 0 ? null : rows;
}

/** Parts of texts of which nothing has come since `before`: what is missing of them will not come any more. */
export async function abandonedParts(db: Queryable, before: Date, texts_max: number): Promise<MoPart[][]> {
  const { rows } = await db.query<PartRow & { text_no: string }>(
    `select p.*, t.text_no from (
       select carrier_id, sender, recipient, reference, part_count, row_number() over () as text_no
         from mo_part group by carrier_id, sender, recipient, reference, part_count having max(received_at) < $1 limit $2) t
       join mo_part p using (carrier_id, sender, recipient, reference, part_count) order by t.text_no, p.part_no`,
    [before, texts_max],
  );
  const texts = new Map<string, MoPart[]>();
  for (const { text_no, ...part } of rows) texts.set(text_no, [...(texts.get(text_no) ?? []), part]);
  return [...texts.values()];
}
