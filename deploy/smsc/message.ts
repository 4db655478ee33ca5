import type { FinalStat } from './behaviour.ts';
import type { MessageId } from './message_ids.ts';

/** A text for one recipient as it came, whichever command brought it. */
export interface Submission {
  command: 'submit_sm' | 'submit_multi' | 'data_sm';
  sequence_number: number;
  from: string;
  from_ton: number;
  from_npi: number;
  to: string;
  to_ton: number;
  to_npi: number;
  data_coding: number;
  esm_class: number;
  registered_delivery: number;
  validity_period: string;
  /** Of short_message, or of message_payload. */
  octets: Uint8Array;
  /** The SAR TLVs. */
  segment: { ref: number; of: number; part: number } | null;
  user_message_reference: number | null;
}

/** A text that the carrier has accepted. Its bytes are in the log only. */
export interface Message extends MessageId {
  system_id: string;
  from: string;
  from_ton: number;
  from_npi: number;
  to: string;
  to_ton: number;
  to_npi: number;
  registered_delivery: number;
  user_message_reference: number | null;
  submitted_at_ms: number;
  /** What a receipt quotes of it: at most 20 characters. */
  beginning: string;
  /** How it ends, or has ended. */
  outcome: Outcome;
  done: boolean;
}

export interface Outcome {
  stat: FinalStat;
  err: string;
}

/** The last texts that were accepted, for query_sm, cancel_sm and replace_sm. */
export class RememberedMessages {
  readonly #by_id = new Map<string, Message>();
  /** The ids in a ring, so that the oldest is found at once. */
  readonly #ids: string[] = [];
  readonly #count_max: number;
  #at = 0;

  constructor(count_max: number) {
    this.#count_max = count_max;
  }

  add(message: Message): void {
    const oldest = this.#ids[this.#at];
    if (oldest !== undefined) this.#by_id.delete(oldest);
    this.#ids[this.#at] = message.id;
    this.#at = (this.#at + 1) % this.#count_max;
    this.#by_id.set(message.id, message);
  }

  /** Undefined for an id that never was, is forgotten, or belongs to somebody else. */
  of(system_id: string, id: string): Message | undefined {
    const message = this.#by_id.get(id);
    return message?.system_id === system_id ? message : undefined;
  }
}
