import type { PostedTransaction } from '../../domain/ledger/postings.ts';
import type { MessageClass, MessageSource, MessageState, OnDoubt } from '../../domain/texts/message.ts';

/** Everything that the database has of one text, in one snapshot. */
export interface TextRecord {
  message: StoredText;
  /** Of the account, in which its times are told; of a text that nobody holds, UTC. */
  time_zone: string;
  state: MessageState;
  /** In the order in which they were stored. */
  events: readonly StoredEvent[];
  /** Null once carriers have all of it, or it has ended. */
  place: StoredPlace | null;
  deliveries: readonly StoredDelivery[];
  /** Of a text that came for a number that nobody held, and of its copy: what a person decided; null where nobody has. */
  stray: StoredStray | null;
  deck: StoredDeck | null;
  charge: StoredCharge | null;
  refund: PostedTransaction | null;
}

export interface StoredText {
  id: string;
  direction: 'mt' | 'mo';
  account_id: string | null;
  accepted_at: Date;
  sender: string;
  recipient: string;
  /** Null once it was erased. */
  body: string | null;
  encoding: 'gsm7' | 'ucs2' | 'binary';
  segments: number;
  class: MessageClass;
  on_doubt: OnDoubt;
  currency: string | null;
  net_micros: bigint;
  tax_micros: bigint;
  /** Null: nobody pays for it. */
  rate: { prefix: string; destination: string; rate_micros_per_segment: bigint } | null;
  source: MessageSource | 'carrier';
  system_id: string | null;
  /** The carrier that brought it. */
  carrier: string | null;
  client_ref: string | null;
  wants_receipt: boolean;
  due_at: Date | null;
  valid_until: Date | null;
  keyword: 'stop' | 'start' | 'help' | null;
}

export type EventKind =
  | 'submitted'
  | 'refused'
  | 'throttled'
  | 'in_doubt'
  | 'resent'
  | 'replaced'
  | 'held'
  | 'released'
  | 'receipt'
  | 'final'
  | 'refunded';

export interface StoredEvent {
  at: Date;
  kind: EventKind;
  /** 0 is the whole. */
  part_no: number;
  attempt: number;
  carrier: string | null;
  bind_id: string | null;
  carrier_message_id: string | null;
  /** command_status (SMPP 3.4, 5.1.3). */
  status: number | null;
  error: string | null;
  state:
    | Exclude<MessageState, 'queued' | 'scheduled' | 'held' | 'in_doubt' | 'submitted' | 'received'>
    | ReceiptOnWay
    | null;
  cost: { micros: bigint; currency: string } | null;
  detail: string | null;
}

type ReceiptOnWay = 'enroute' | 'accepted';

/** Where a text waits, or in whose hands it is. */
export interface StoredPlace {
  /** `unscreened`: of the portal, and no gateway has looked at it yet. */
  state: 'waiting' | 'claimed' | 'held' | 'in_doubt' | 'unscreened';
  /** In whose lane; null where no carrier was chosen. */
  carrier: string | null;
  due_at: Date;
  valid_until: Date;
  attempt: number;
  /** Whether its next step is the wire. */
  sending: boolean;
  looked_at: Date | null;
}

/** What a customer is still to be told, or was told in vain. */
export interface StoredDelivery {
  channel: 'webhook' | 'smpp';
  target: string;
  due_at: Date;
  attempts: number;
  last_error: string | null;
  dead_at: Date | null;
}

export interface StoredStray {
  /** The text as it came. */
  message_id: string;
  decision: 'handed_on' | 'dealt_with';
  account_id: string | null;
  /** The text that the account was given. */
  copy_id: string | null;
  reason: string | null;
  decided_at: Date;
}

/** The deck that says the price, and its rows for the prefix at that price: none where it says another. */
export interface StoredDeck {
  name: string;
  version: number;
  currency: string;
  rows: readonly { effective_from: Date | null; effective_to: Date | null }[];
}

/** The transaction that charged it, and all the texts that share it. */
export interface StoredCharge {
  ref: string;
  texts: number;
  net_micros: bigint;
  tax_micros: bigint;
  /** Null where the ledger has none. */
  transaction: PostedTransaction | null;
}
