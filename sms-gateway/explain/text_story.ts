import type { PostedTransaction } from '../../domain/ledger/postings.ts';
import type { MessageState } from '../../domain/texts/message.ts';
import type {
  StoredCharge,
  StoredDeck,
  StoredDelivery,
  StoredEvent,
  StoredPlace,
  StoredStray,
  StoredText,
} from './text_record.ts';
import type { TextSize } from './text_size.ts';

/** What a text may have done that it should not: gone to its recipient more than once. */
export interface GoneTwice {
  part_no: number;
  /** Whether carriers took it twice; else one took it and another may have, or two may have. */
  is_certain: boolean;
}

/** One list of carriers that were considered, in the order in which they are tried. */
export interface Consideration {
  at: Date;
  carriers: readonly string[];
  /** Those before the one that was asked then, which were not asked although they may carry it. */
  passed_over: readonly string[];
}

/** Everything that is known of one text. Amounts are micros of `currency`. */
export interface TextStory extends Omit<StoredText, 'id' | 'body' | 'net_micros' | 'tax_micros'> {
  message_id: string;
  time_zone: string;
  state: MessageState;
  /** What it says; null where nobody asked for that, and where it was erased. */
  body: string | null;
  is_erased: boolean;
  /** Null where it cannot be counted any more, and of a text that came in. */
  size: TextSize | null;
  considered: readonly Consideration[];
  events: readonly StoredEvent[];
  place: StoredPlace | null;
  gone_twice: readonly GoneTwice[];
  deliveries: readonly StoredDelivery[];
  stray: StoredStray | null;
  deck: StoredDeck | null;
  net_micros: bigint;
  tax_micros: bigint;
  /** With tax. */
  charged_micros: bigint;
  charge: StoredCharge | null;
  refund: PostedTransaction | null;
  refunded_micros: bigint;
  /** How many segments make the refund; null where none do. */
  segments_refunded: number | null;
  /** Charged less refunded: what it cost. */
  paid_micros: bigint;
  /** What carriers are owed for it. */
  carrier_costs: readonly { carrier: string; parts: number; micros: bigint; currency: string }[];
  /** What does not agree with the rest, in words; empty where every line leads to the cost, as it always should. */
  contradictions: readonly string[];
}
