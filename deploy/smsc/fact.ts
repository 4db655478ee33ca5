/**
 * The lines of the log. Each is a JSON object with these keys; `at` is in milliseconds since 1970, `conn` numbers the
 * connections of one process, `bind` is the system_id.
 *
 * What a peer may come to know is in the log before it: a text before its answer leaves, a receipt before it is sent. The
 * one that is written afterwards is `answered`, so that it stands there only if the response was handed to the socket.
 */
export type Fact =
  | StartFact
  | StopFact
  | BehaviourFact
  | ListenFact
  | ConnectFact
  | BindFact
  | LostFact
  | NonsenseFact
  | SubmitFact
  | AnsweredFact
  | ReceiptFact
  | ReceiptAckFact
  | ReceiptLostFact
  | MoFact
  | MoAckFact
  | OperationFact;

interface At {
  at: number;
}

export interface StartFact extends At {
  t: 'start';
  port: number;
}

export interface StopFact extends At {
  t: 'stop';
  counts: Counts;
}

export interface BehaviourFact extends At {
  t: 'behaviour';
  behaviour: unknown;
}

/** The carrier closed or opened its SMPP port. */
export interface ListenFact extends At {
  t: 'listen';
  on: boolean;
}

export interface ConnectFact extends At {
  t: 'connect';
  conn: number;
  peer: string;
}

export interface BindFact extends At {
  t: 'bind';
  conn: number;
  bind: string;
  role: 'transmitter' | 'receiver' | 'transceiver';
  status: number;
}

/** A connection ended. `dropped`: the carrier reset it. */
export interface LostFact extends At {
  t: 'lost';
  conn: number;
  bind: string | null;
  why: 'unbound' | 'closed_by_peer' | 'failed' | 'dropped' | 'unframeable' | 'stopped';
  /** Receipts and MOs that were sent over it and not acknowledged; they will be sent again. */
  unacknowledged: number;
}

/** What could not be read, or is no request of an ESME, and was refused. */
export interface NonsenseFact extends At {
  t: 'nonsense';
  conn: number;
  bind: string | null;
  status: number;
  why: string;
}

/** A text for one recipient came. Accepted where `status` is 0; only then has it an id. */
export interface SubmitFact extends At {
  t: 'submit';
  cmd?: 'submit_multi' | 'data_sm';
  seq: number;
  conn: number;
  bind: string;
  from: string;
  from_ton: number;
  to: string;
  to_ton: number;
  dc: number;
  esm: number;
  /** short_message or message_payload, with its UDH if it has one. */
  hex: string;
  /** The SAR TLVs. */
  ref: { ref: number; of: number; part: number } | null;
  rd: number;
  /** validity_period, where it has one. */
  vp?: string;
  /** user_message_reference, where it has one. */
  umr?: number;
  id: string | null;
  status: number;
}

/** The response to a submit was handed to the socket. */
export interface AnsweredFact extends At {
  t: 'answered';
  seq: number;
  conn: number;
  id: string | null;
  status: number;
}

/** `copy` 2 is the second of a receipt that is sent twice; `try` counts how often this one was sent. */
export interface ReceiptFact extends At {
  t: 'receipt';
  /** As in the submit_sm_resp. */
  id: string;
  /** As the receipt writes it. */
  as: string;
  stat: string;
  err: string;
  copy: number;
  try: number;
  /** It was put before the answer to the text. The place of its line does not tell, as all receipts stand before it. */
  early?: true;
  conn: number;
}

export interface ReceiptAckFact extends At {
  t: 'receipt_ack';
  id: string;
  stat: string;
  copy: number;
  try: number;
  conn: number;
  status: number;
}

/** A receipt that was wanted and that the carrier will not send. */
export interface ReceiptLostFact extends At {
  t: 'receipt_lost';
  id: string;
  stat: string;
}

/** `mo` numbers the texts of one process, `part` and `of` their parts, from 1. */
export interface MoFact extends At {
  t: 'mo';
  mo: number;
  part: number;
  of: number;
  from: string;
  to: string;
  dc: number;
  esm: number;
  hex: string;
  try: number;
  conn: number;
}

export interface MoAckFact extends At {
  t: 'mo_ack';
  mo: number;
  part: number;
  try: number;
  conn: number;
  status: number;
}

export interface OperationFact extends At {
  t: 'query' | 'cancel' | 'replace';
  conn: number;
  bind: string;
  id: string;
  status: number;
  /** Of replace_sm, the new text. */
  hex?: string;
}

export interface Counts {
  /** Texts that came, whatever became of them. */
  submits: number;
  /** Texts that were accepted, each under an id of its own (the recipients of one submit_multi share one). */
  accepted: number;
  distinct_ids: number;
  refused: number;
  /** Responses to submits that were handed to a socket. */
  answered: number;
  /** Each time that one was sent, the intermediate ones, second ones and repetitions too. */
  receipts_sent: number;
  /** With status 0. */
  receipts_acked: number;
  receipts_lost: number;
  /** Parts, each time that one was sent. */
  mo_parts_sent: number;
  mo_parts_acked: number;
}
