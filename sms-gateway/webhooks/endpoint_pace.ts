/**
 * How many deliveries to one endpoint may be under way at a time:
 *
 *            a success: one more                        asked to wait
 *        ┌──────────────────────┐                  ┌────────────────────────┐
 *        ▼                      │                  ▼                        │
 *   ┌─────────┐  a failure: 1   │             ┌─────────┐  time is over     │
 *   │ room n  │ ────────────────┘             │ room 0  │ ───────────▶ room 1
 *   └─────────┘                               └─────────┘
 *
 * A server that is in trouble is tried by one delivery at a time, so it takes nobody else's place while it times out.
 */
export interface EndpointPace {
  room: number;
  /** Milliseconds since 1970 until which it asked to be left alone. */
  quiet_until_ms: number;
}

export function freshPace(room_max: number): EndpointPace {
  return { room: room_max, quiet_until_ms: 0 };
}

export function paceAfterSuccess({ room, quiet_until_ms }: EndpointPace, room_max: number): EndpointPace {
  return { room: Math.min(room_max, room + 1), quiet_until_ms };
}

export function paceAfterFailure(pace: EndpointPace, retry_after_ms: number | null, now_ms: number): EndpointPace {
  return { room: 1, quiet_until_ms: Math.max(pace.quiet_until_ms, now_ms + (retry_after_ms ?? 0)) };
}

export function roomNow({ room, quiet_until_ms }: EndpointPace, now_ms: number): number {
  return now_ms < quiet_until_ms ? 0 : room;
}

/** Whether there is nothing to remember. */
export function isFresh({ room, quiet_until_ms }: EndpointPace, room_max: number, now_ms: number): boolean {
  return room >= room_max && now_ms >= quiet_until_ms;
}
