import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { freshDatabase } from '../../../deploy/testing/database.ts';
import { makeCarrier, makeCustomer } from '../../../deploy/world/people.ts';
import type { Customer } from '../../../deploy/world/people.ts';
import { putTextDeck } from '../../../deploy/world/tariffs.ts';
import { takeLease } from '../../lease/lease.ts';
import type { NewMessage } from '../accept_messages.ts';
import { MessageIds } from '../message_id.ts';
import type { Outcome } from '../outcomes.ts';
import type { GatewayLease } from '../queue.ts';
import type { Receipt } from '../receipts.ts';

export const RATE_MICROS_PER_SEGMENT = 1_000n;
export const COST_MICROS_PER_SEGMENT = 400n;

/** A database with one carrier, one deck of texts and a gateway's lease. */
export interface TextBooks {
  /** Of the superuser. */
  database_url: string;
  pool: pg.Pool;
  carrier_id: number;
  lease: GatewayLease;
  deck_id: number;
  customer: (balance_micros: bigint) => Promise<Customer>;
  text: (customer: Customer, wishes?: Partial<NewMessage>) => NewMessage;
  end: () => Promise<void>;
}

export async function textBooks(): Promise<TextBooks> {
  const database = await freshDatabase();
  const pool = new pg.Pool({ connectionString: database.url, max: 12 });
  const ids = new MessageIds(Date.now);
  const carrier_id = await makeCarrier(pool, { carrier: 'alpha', trunk: 'trunk-alpha', address: '127.0.0.5', port: 1 });
  const deck_id = await putTextDeck(pool, {
    name: 'retail-texts',
    currency: 'EUR',
    carrier_id: null,
    rows: [{ prefix: '44', destination: 'United Kingdom', rate_micros_per_segment: RATE_MICROS_PER_SEGMENT }],
  });
  const { epoch } = await takeLease(pool, 'sms', randomUUID(), new Date());
  let numbers = 0;
  const books: TextBooks = {
    database_url: database.url,
    pool,
    carrier_id,
    lease: { gateway_id: 'sms', epoch },
    deck_id,
    customer: (balance_micros) => {
      numbers += 1;
      return makeCustomer(pool, { balance_micros, number: `+4930${String(numbers).padStart(7, '0')}` });
    },
    // In the name of whoever has the lease by then.
    text: (customer, wishes = {}) =>
      newText({ customer, id: ids.next(), deck_id, carrier_id, epoch: books.lease.epoch }, wishes),
    end: async () => {
      await pool.end();
      await database.drop();
    },
  };
  return books;
}

interface Written {
  customer: Customer;
  id: string;
  deck_id: number;
  carrier_id: number;
  epoch: number;
}

function newText({ customer, id, deck_id, carrier_id, epoch }: Written, wishes: Partial<NewMessage>): NewMessage {
  const segments = wishes.segments ?? 1;
  return {
    id,
    account_id: customer.account_id,
    wallet_id: customer.wallet_id,
    sender: customer.number,
    recipient: '+447700900123',
    body: 'Hello',
    encoding: 'gsm7',
    segments,
    class: 'normal',
    on_doubt: 'resend',
    net_micros: RATE_MICROS_PER_SEGMENT * BigInt(segments),
    tax_micros: 0n,
    rate: {
      deck_id,
      prefix: '44',
      destination: 'United Kingdom',
      rate_micros_per_segment: RATE_MICROS_PER_SEGMENT,
    },
    source: 'http',
    system_id: null,
    client_ref: null,
    wants_receipt: true,
    idempotency: null,
    due_at: null,
    valid_until: new Date(Date.now() + 86_400_000),
    carrier_id,
    epoch,
    hold_reason: null,
    ...wishes,
  };
}

/** A carrier took a part of that text. */
export function submitted(
  books: TextBooks,
  message_id: string,
  carrier_message_id: string,
  more: Partial<Outcome> = {},
): Outcome {
  return {
    message_id,
    part_no: 1,
    attempt: 1,
    kind: 'submitted',
    carrier_id: books.carrier_id,
    bind_id: 'alpha-1',
    carrier_message_id,
    status: 0,
    at: new Date(),
    cost: { micros: COST_MICROS_PER_SEGMENT, currency: 'EUR' },
    detail: null,
    then_state: 'done',
    refund_segments: 0,
    ...more,
  };
}

/** That carrier says so of the part that it gave this id. */
export function receiptOf(books: TextBooks, carrier_message_id: string, more: Partial<Receipt> = {}): Receipt {
  return {
    carrier_id: books.carrier_id,
    carrier_message_ids: [carrier_message_id],
    state: 'delivered',
    error: null,
    done_at: new Date(),
    ...more,
  };
}

/** Another gateway takes over. */
export async function takeOver(books: TextBooks): Promise<void> {
  const { gateway_id } = books.lease;
  const { epoch } = await takeLease(books.pool, gateway_id, randomUUID(), new Date());
  books.lease = { gateway_id, epoch };
}

/** The kinds of what happened to a text, sorted. */
export async function eventsOf(pool: pg.Pool, message_id: string): Promise<string[]> {
  const { rows } = await pool.query<{ kind: string }>('select kind from message_event where message_id = $1', [
    message_id,
  ]);
  return rows.map(({ kind }) => kind).sort();
}

export async function stateOf(pool: pg.Pool, message_id: string): Promise<string | undefined> {
  const { rows } = await pool.query<{ state: string }>('select state from message_state where message_id = $1', [
    message_id,
  ]);
  return rows[0]?.state;
}

export async function balanceOf(pool: pg.Pool, customer: Customer): Promise<bigint> {
  const { rows } = await pool.query<{ balance_micros: string }>('select balance_micros from wallet where id = $1', [
    customer.wallet_id.toString(),
  ]);
  return BigInt(rows[0]?.balance_micros ?? '-1');
}
