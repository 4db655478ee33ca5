import type { FailureReason } from './http_answer.ts';

/** - `no_endpoint`: it was switched off or removed; `no_message`: its text is no longer stored. Neither is attempted. */
export type DeathReason = FailureReason | 'no_endpoint' | 'no_message';

/** What a sender tells of itself, for counters and for the log. */
export type WebhookEvent =
  /** `late_ms`: how long after it was due. */
  | { type: 'taken'; delivery_id: bigint; late_ms: number }
  | { type: 'delivered'; delivery_id: bigint; endpoint_id: string }
  | {
      type: 'failed';
      delivery_id: bigint;
      endpoint_id: string;
      reason: FailureReason;
      why: string;
      failures: number;
      next_at: Date;
    }
  | { type: 'dead'; delivery_id: bigint; endpoint_id: string; reason: DeathReason; why: string }
  /** The server answered 410. `buried`: what it was still to be told. */
  | { type: 'endpoint_closed'; endpoint_id: string; buried: number }
  /** The database was not reached; it is asked again. */
  | { type: 'outage'; error: Error }
  /** What came of a delivery could not be written, so it will be attempted once more. */
  | { type: 'unwritten'; delivery_id: bigint; error: Error };
