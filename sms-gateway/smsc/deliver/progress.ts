import type { RequestOutcome } from '../../smpp/window.ts';
import { STATUS, statusName } from '../../smpp/status.ts';

/**
 * One delivery on its way to a bind, as one deliver_sm or as several:
 *
 *            ┌─ sent; ESME_ROK ─┐
 *            ▼                  │   the last ESME_ROK
 *         ┌───────┐ ────────────┘ ─────────────────────────> delivered
 *         │ going │
 *         └───────┘ ──refused, unanswered, never sent──> failing ──what else is out is answered──> failed, or unsent
 *
 * Parts that were taken before another one failed go again with it: the header tells who puts them together which they are.
 */
export interface Progress {
  readonly parts: number;
  /** Parts sent so far. */
  readonly sent: number;
  /** Of these, those without an answer. */
  readonly out: number;
  readonly failure: Failure | null;
}

/** `unsent`: the peer surely has none of it. */
export type Failure = { kind: 'unsent' } | { kind: 'failed'; why: string; wants_patience: boolean };

export type DeliveryEnd = { kind: 'delivered' } | Failure;

export function beginDelivery(parts: number): Progress {
  return { parts, sent: 0, out: 0, failure: null };
}

/** The next part to send, from 0; null where none is to be sent. */
export function nextPart({ parts, sent, failure }: Progress): number | null {
  return failure === null && sent < parts ? sent : null;
}

export function partSent(progress: Progress): Progress {
  return { ...progress, sent: progress.sent + 1, out: progress.out + 1 };
}

export function partAnswered(progress: Progress, outcome: RequestOutcome): Progress {
  const failure = progress.failure?.kind === 'failed' ? progress.failure : (failureOf(outcome) ?? progress.failure);
  return { ...progress, out: progress.out - 1, failure };
}

/** Something in the next part does not fit into a PDU. */
export function partUnwritable(progress: Progress, why: string): Progress {
  return { ...progress, failure: { kind: 'failed', why: `It cannot be written: ${why}`, wants_patience: false } };
}

/** The bind has ended before all of it was sent. */
export function bindEnded(progress: Progress): Progress {
  if (progress.failure !== null) return progress;
  const failure: Failure =
    progress.sent === 0
      ? { kind: 'unsent' }
      : { kind: 'failed', why: 'The bind ended in the middle of it.', wants_patience: false };
  return { ...progress, failure };
}

/** Null while it is not over. */
export function endOf({ parts, sent, out, failure }: Progress): DeliveryEnd | null {
  if (out > 0) return null;
  if (failure !== null) return failure;
  return sent === parts ? { kind: 'delivered' } : null;
}

/** Statuses that say something of the peer and nothing of the text (SMPP 3.4 section 5.1.3). */
const OF_THE_PEER: ReadonlySet<number> = new Set([
  STATUS.ESME_RTHROTTLED,
  STATUS.ESME_RMSGQFUL,
  STATUS.ESME_RX_T_APPN,
  STATUS.ESME_RSYSERR,
]);

function failureOf(outcome: RequestOutcome): Failure | null {
  if (outcome.kind === 'response') {
    const { command_status } = outcome.pdu;
    if (command_status === STATUS.ESME_ROK) return null;
    const why = `The bind answered ${statusName(command_status)}.`;
    return { kind: 'failed', why, wants_patience: OF_THE_PEER.has(command_status) };
  }
  if (!outcome.written) return { kind: 'unsent' };
  return { kind: 'failed', why: `The bind gave no answer: ${outcome.why}.`, wants_patience: outcome.why === 'timeout' };
}
