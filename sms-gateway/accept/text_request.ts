import type { MessageClass, MessageSource, OnDoubt } from '../../domain/texts/message.ts';
import type { RawBody } from './raw_body.ts';

/** A text that somebody wants sent, however it came: not yet checked, not yet counted. */
export interface TextRequest {
  sender: string;
  recipient: string;
  /** What it says, or the octets that a customer encoded. */
  content: { kind: 'text'; text: string } | ({ kind: 'raw' } & RawBody);
  class: MessageClass;
  on_doubt: OnDoubt;
  client_ref: string | null;
  idempotency_key: string | null;
  /** Null: at once. */
  due_at_ms: number | null;
  /** Null: as long as texts are kept. */
  valid_for_ms: number | null;
  wants_receipt: boolean;
  source: MessageSource;
  system_id: string | null;
}
