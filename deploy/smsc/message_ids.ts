import { randomUUID } from 'node:crypto';
import type { IdBehaviour } from './behaviour.ts';

/** What a text is called: as in the submit_sm_resp, and as the number behind it, which a UUID has not. */
export interface MessageId {
  id: string;
  number: number | null;
}

/** Each is given once. */
export class MessageIds {
  #next: number;

  constructor(first: number) {
    this.#next = first;
  }

  /** A thousand ids for each millisecond that passes until a restart, which begins behind all of them. */
  static ofClock(now_ms: number): MessageIds {
    return new MessageIds(now_ms * 1000);
  }

  next(form: IdBehaviour['form']): MessageId {
    if (form === 'uuid') return { id: randomUUID(), number: null };
    const number = this.#next;
    this.#next += 1;
    return { id: number.toString(form === 'hex' ? 16 : 10), number };
  }
}

/** The id as the receipt of that text writes it. */
export function idInReceipt(of: MessageId, ids: IdBehaviour): string {
  const { receipt_form, receipt_letters, receipt_digits_min } = ids;
  const { number } = of;
  const id = receipt_form === 'same' || number === null ? of.id : number.toString(receipt_form === 'hex' ? 16 : 10);
  return (receipt_letters === 'upper' ? id.toUpperCase() : id).padStart(receipt_digits_min, '0');
}
