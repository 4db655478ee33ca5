import type { Queryable } from '../../domain/db/transaction.ts';
import type { MessageState } from '../../domain/texts/message.ts';
import { commandStatus } from '../../domain/texts/outcomes.ts';
import { inTheirOrder } from './event_order.ts';
import { readCharge, readDeck, readRefund } from './read_charge.ts';
import type { StoredDelivery, StoredEvent, StoredPlace, StoredStray, StoredText, TextRecord } from './text_record.ts';

/** The ids of texts between the two, in their order; at most `most` of them. */
export async function textsBetween(
  db: Queryable,
  lowest: string,
  highest: string,
  most: number,
): Promise<readonly string[]> {
  const { rows } = await db.query<{ id: string }>(
    'select id from message where id between $1 and $2 order by id limit $3',
    [lowest, highest, most],
  );
  return rows.map(({ id }) => id);
}

/** What there is of a text; null where there is no such text. */
export async function readText(db: Queryable, id: string): Promise<TextRecord | null> {
  const found = await readMessage(db, id);
  if (found === null) return null;
  const { message, charge_ref, deck_id, time_zone, state } = found;
  return {
    message,
    time_zone,
    state,
    events: await readEvents(db, id),
    place: await readPlace(db, id),
    deliveries: await readDeliveries(db, id),
    stray: message.direction === 'mo' ? await readStray(db, id) : null,
    deck: deck_id === null || message.rate === null ? null : await readDeck(db, deck_id, message.rate),
    charge: charge_ref === null ? null : await readCharge(db, charge_ref),
    refund: await readRefund(db, id),
  };
}

interface MessageRow extends Omit<StoredText, 'net_micros' | 'tax_micros' | 'rate'> {
  net_micros: string;
  tax_micros: string;
  prefix: string | null;
  destination: string | null;
  rate_micros_per_segment: string | null;
  charge_ref: string | null;
  deck_id: number | null;
  time_zone: string;
  state: MessageState;
}

async function readMessage(
  db: Queryable,
  id: string,
): Promise<(Pick<MessageRow, 'charge_ref' | 'deck_id' | 'time_zone' | 'state'> & { message: StoredText }) | null> {
  const { rows } = await db.query<MessageRow>(
    `select m.id, m.direction, m.account_id, m.accepted_at, m.sender, m.recipient, m.body, m.encoding, m.segments, m.class,
            m.on_doubt, m.currency, m.net_micros, m.tax_micros, m.prefix, m.destination, m.rate_micros_per_segment, m.source,
            m.system_id, c.code as carrier, m.client_ref, m.wants_receipt, m.due_at, m.valid_until, m.keyword, m.charge_ref,
            m.deck_id, coalesce(a.time_zone, 'UTC') as time_zone, s.state
       from message m join message_state s on s.message_id = m.id
            left join account a on a.id = m.account_id left join carrier c on c.id = m.carrier_id
      where m.id = $1`,
    [id],
  );
  const [row] = rows;
  if (row === undefined) return null;
  const { net_micros, tax_micros, prefix, destination, rate_micros_per_segment, ...rest } = row;
  const { charge_ref, deck_id, time_zone, state, ...message } = rest;
  const rate =
    prefix === null || destination === null || rate_micros_per_segment === null
      ? null
      : { prefix, destination, rate_micros_per_segment: BigInt(rate_micros_per_segment) };
  const amounts = { net_micros: BigInt(net_micros), tax_micros: BigInt(tax_micros) };
  return { charge_ref, deck_id, time_zone, state, message: { ...message, ...amounts, rate } };
}

type EventRow = Omit<StoredEvent, 'cost'> & { cost_micros: string; cost_currency: string | null };

async function readEvents(db: Queryable, id: string): Promise<StoredEvent[]> {
  const { rows } = await db.query<EventRow>(
    `select e.at, e.kind, e.part_no, e.attempt, c.code as carrier, e.bind_id, e.carrier_message_id, e.status, e.error, e.state,
            e.cost_micros, e.cost_currency, e.detail
       from message_event e left join carrier c on c.id = e.carrier_id
      where e.message_id = $1 order by e.n`,
    [id],
  );
  return inTheirOrder(
    rows.map(({ cost_micros, cost_currency, status, ...event }) => ({
      ...event,
      status: status === null ? null : commandStatus(status),
      cost: cost_currency === null ? null : { micros: BigInt(cost_micros), currency: cost_currency },
    })),
  );
}

const PLACES: Readonly<Record<string, StoredPlace['state']>> = {
  ...{ u: 'unscreened', w: 'waiting', c: 'claimed', h: 'held', d: 'in_doubt' },
};

async function readPlace(db: Queryable, id: string): Promise<StoredPlace | null> {
  const { rows } = await db.query<Omit<StoredPlace, 'state'> & { state: string }>(
    `select q.state, c.code as carrier, q.due_at, q.valid_until, q.attempt, q.sending, q.looked_at
       from message_queue q left join carrier c on c.id = q.carrier_id where q.message_id = $1`,
    [id],
  );
  const [row] = rows;
  if (row === undefined) return null;
  const state = PLACES[row.state];
  if (state === undefined) throw new Error(`A text waits in a state of which nothing is known: ${row.state}.`);
  return { ...row, state };
}

async function readDeliveries(db: Queryable, id: string): Promise<StoredDelivery[]> {
  const { rows } = await db.query<StoredDelivery>(
    `select channel, target, due_at, attempts, last_error, dead_at from customer_delivery where message_id = $1 order by id`,
    [id],
  );
  return rows;
}

/** By the text that came, or by its copy. */
async function readStray(db: Queryable, id: string): Promise<StoredStray | null> {
  const { rows } = await db.query<StoredStray>(
    `select message_id, decision, account_id, copy_id, reason, decided_at from unheld_text where message_id = $1 or copy_id = $1`,
    [id],
  );
  return rows[0] ?? null;
}
