import type { BindCounters, CarrierBind } from './carrier_bind.ts';

/** A bind as its operator sees it; without the password. */
export interface BindView {
  id: string;
  carrier: string;
  kind: 'transmitter' | 'receiver' | 'transceiver';
  host: string;
  port: number;
  tls: boolean;
  /** Whether its carrier connects to us; `host` and `port` are of no use then. */
  comes_to_us: boolean;
  system_id: string;
  is_bound: boolean;
  /** Since when it is bound, or is away. */
  since: string;
  /** Parts without an answer, and how many there may be. */
  in_flight: number;
  window_max: number;
  /** Parts that it may send in a second at the moment, and by its contract. */
  pace_per_second: number;
  texts_per_second_max: number;
  /** Parts, since the bind was made. */
  parts: BindCounters;
  last_error: { why: string; at: string } | null;
  /** In the past while the attempt is under way. */
  next_attempt_at: string | null;
}

export function bindView({ row, standing, in_flight, per_second, counters }: CarrierBind): BindView {
  const { id, carrier, kind, host, port, tls, system_id, window_max, texts_per_second_max } = row;
  const { is_bound, since_ms, last_error, next_attempt_at_ms } = standing;
  return {
    comes_to_us: row.outbind_system_id !== null,
    ...{ id, carrier, kind, host, port, tls, system_id, is_bound, since: timeOf(since_ms), in_flight, window_max },
    ...{ pace_per_second: per_second, texts_per_second_max, parts: { ...counters } },
    last_error: last_error === null ? null : { why: last_error.why, at: timeOf(last_error.at_ms) },
    next_attempt_at: next_attempt_at_ms === null ? null : timeOf(next_attempt_at_ms),
  };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
