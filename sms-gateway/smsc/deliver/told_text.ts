import type { FinalState } from '../../../domain/texts/message.ts';

/** What is stored of a text, as far as a bind is told of it. */
export interface ToldText {
  id: string;
  sender: string;
  recipient: string;
  /** Null once it was erased. */
  body: string | null;
  encoding: 'gsm7' | 'ucs2' | 'binary';
  client_ref: string | null;
  accepted_at: Date;
  /** Null for one that has not ended, as those that came never do. */
  ended: { state: FinalState; error: string | null; at: Date } | null;
}
