import type pg from 'pg';
import { brokenInvariants } from '../../../domain/ledger/invariants.ts';
import { stateOfWord } from '../../../sms-gateway/receipts/receipt_state.ts';
import type { ReceiptAckFact, SubmitFact } from '../../smsc/fact.ts';
import { readLog } from '../../smsc/read_log.ts';
import { payloadOf } from '../../smsc/submitted_text.ts';
import type { SmsEvidence, StoredText, TakenPart } from './verdict.ts';
import type { AcceptedText } from './writers.ts';

/** By which a text is known in a carrier’s log. */
export const TAG = /tag-[0-9a-f-]{36}/u;

/** The database, and the carriers with their logs. */
export interface LoggedWorld {
  pool: pg.Pool;
  carriers: ReadonlyMap<string, { carrier_id: number; log_file: string }>;
}

/** What the carriers' logs and the database say when everything is over. */
export async function gatherEvidence(
  world: LoggedWorld,
  kills: number,
  accepted: readonly AcceptedText[],
): Promise<SmsEvidence> {
  const all_submits: SubmitFact[] = [];
  let acknowledged = 0;
  let stored = 0;
  for (const { carrier_id, log_file } of world.carriers.values()) {
    const { submits, acks } = await readCarrier(log_file);
    for (const submit of submits) all_submits.push(submit);
    stored += await receiptsStored(world.pool, carrier_id, acks);
    // A receipt that is sent twice counts once on both sides.
    acknowledged += new Set(acks.map(({ id, stat }) => `${id} ${stat}`)).size;
  }
  return {
    ...{ kills, accepted, taken: takenParts(all_submits) },
    stored: await storedTexts(world.pool),
    receipts_acknowledged: acknowledged,
    receipts_stored: stored,
    broken_invariants: (await brokenInvariants(world.pool)).map(({ name, broken }) => `BROKEN: ${name} (${broken})`),
  };
}

async function readCarrier(log_file: string): Promise<{ submits: SubmitFact[]; acks: ReceiptAckFact[] }> {
  const submits: SubmitFact[] = [];
  const acks: ReceiptAckFact[] = [];
  for await (const fact of readLog(log_file)) {
    if (fact.t === 'submit' && fact.status === 0) submits.push(fact);
    if (fact.t === 'receipt_ack' && fact.status === 0) acks.push(fact);
  }
  return { submits, acks };
}

/**
 * The tag stands in the first part. The others are known by the reference that they share with it, over whichever carrier each of
 * them went and however often.
 */
function takenParts(submits: readonly SubmitFact[]): TakenPart[] {
  const parts = submits.map((submit) => {
    const { text, segment } = payloadOf(submit);
    const { ref, of, part } = segment ?? { ref: 0, of: 1, part: 1 };
    return { tag: TAG.exec(text)?.[0], part, whole: `${submit.from} ${submit.to} ${ref} ${of}` };
  });
  const tags = new Map(parts.flatMap(({ tag, whole }) => (tag === undefined ? [] : [[whole, tag] as const])));
  return parts.flatMap(({ tag, part, whole }) => {
    const known = tag ?? tags.get(whole);
    return known === undefined ? [] : [{ tag: known, part }];
  });
}

/**
 * That a text has another receipt, one on its way to the end perhaps, says nothing of this one: each is looked for with what it said. All that
 * are stored are made one set, which is read once; asked for each receipt anew, a hundred thousand took longer than anybody waits.
 */
async function receiptsStored(pool: pg.Pool, carrier_id: number, acks: readonly ReceiptAckFact[]): Promise<number> {
  const { rows } = await pool.query<{ stored: string }>(
    `select count(*) as stored from (
       select id, state from unnest($2::text[], $3::text[]) a (id, state)
       intersect
       (select s.carrier_message_id, e.state
          from message_event s
          join message_event e on e.message_id = s.message_id and e.part_no = s.part_no and e.attempt = s.attempt and e.kind = 'receipt'
         where s.kind = 'submitted' and s.carrier_id = $1
        union all
        select unnest(p.carrier_message_ids), p.state from parked_receipt p where p.carrier_id = $1)) found`,
    [carrier_id, acks.map(({ id }) => id), acks.map(({ stat }) => stateOfWord(stat))],
  );
  return Number(rows[0]?.stored ?? 0);
}

async function storedTexts(pool: pg.Pool): Promise<Map<string, StoredText>> {
  const { rows } = await pool.query<{ id: string; state: string; is_flagged: boolean; charged: string }>(
    `select m.id, s.state, m.net_micros + m.tax_micros as charged,
            exists (select 1 from message_event e where e.message_id = m.id and e.kind in ('in_doubt', 'resent')) as is_flagged
       from message m join message_state s on s.message_id = m.id where m.direction = 'mt'`,
  );
  return new Map(
    rows.map(({ id, state, is_flagged, charged }) => [
      id,
      { message_id: id, state, is_flagged, charged_micros: BigInt(charged) },
    ]),
  );
}
