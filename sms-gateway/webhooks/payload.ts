import type { FinalState } from '../../domain/texts/message.ts';

/** How a text of the customer's ended. */
export interface ReceiptPayload {
  type: 'message.receipt';
  /** When it ended; ISO 8601, UTC. */
  timestamp: string;
  data: {
    id: string;
    client_ref: string | null;
    state: FinalState;
    /** The network's or the carrier's code, or why it was refused. */
    error: string | null;
    segments: number;
    /** What was charged for it, tax included, in millionths of the currency's unit. A string: JSON's numbers are floats. */
    price: { amount_micros: string; currency: string } | null;
    sender: string;
    recipient: string;
  };
}

/** A text to a number of the customer's. */
export interface ArrivalPayload {
  type: 'message.received';
  /** When it came; ISO 8601, UTC. */
  timestamp: string;
  data: {
    id: string;
    sender: string;
    recipient: string;
    /** What it says; of a binary one the octets in hex. Null once it was erased. */
    text: string | null;
    encoding: 'gsm7' | 'ucs2' | 'binary';
    segments: number;
    keyword: 'stop' | 'start' | 'help' | null;
    received_at: string;
  };
}

export type WebhookPayload = ReceiptPayload | ArrivalPayload;

/** What is stored of a text, as far as its customer is told. */
export interface ToldMessage {
  id: string;
  client_ref: string | null;
  accepted_at: Date;
  sender: string;
  recipient: string;
  body: string | null;
  encoding: 'gsm7' | 'ucs2' | 'binary';
  segments: number;
  keyword: 'stop' | 'start' | 'help' | null;
  charge: { micros: bigint; currency: string } | null;
  ended: { state: FinalState; error: string | null; at: Date } | null;
}

/** The same at every attempt, since what it is made of is written once. Null for a receipt of a text that has not ended. */
export function payloadOf(kind: 'receipt' | 'text', message: ToldMessage): WebhookPayload | null {
  return kind === 'receipt' ? receiptPayload(message) : arrivalPayload(message);
}

function receiptPayload(message: ToldMessage): ReceiptPayload | null {
  const { id, client_ref, segments, sender, recipient, charge, ended } = message;
  if (ended === null) return null;
  return {
    type: 'message.receipt',
    timestamp: ended.at.toISOString(),
    data: {
      id,
      client_ref,
      state: ended.state,
      error: ended.error,
      segments,
      price: charge === null ? null : { amount_micros: charge.micros.toString(), currency: charge.currency },
      sender,
      recipient,
    },
  };
}

function arrivalPayload(message: ToldMessage): ArrivalPayload {
  const { id, sender, recipient, body, encoding, segments, keyword } = message;
  const received_at = message.accepted_at.toISOString();
  return {
    type: 'message.received',
    timestamp: received_at,
    data: { id, sender, recipient, text: body, encoding, segments, keyword, received_at },
  };
}
