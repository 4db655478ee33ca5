import type { Receiver } from './receiver.ts';

/** How long a peer is left alone that asks for patience. */
const QUIET_MS = 1_000;

/**
 * The receivers of one system_id, and how much they are given at a time: all that their windows hold, but one by one to a peer
 * that asked for patience, and one more with each that it takes.
 */
export class DeliveryTarget {
  readonly receivers = new Set<Receiver>();
  /** Whether more may be due than there was room for. */
  is_hungry = false;
  /** Null: no limit but the windows. */
  #pace: number | null = null;
  #quiet_until_ms = 0;
  #under_way = 0;

  room(now_ms: number): number {
    if (now_ms < this.#quiet_until_ms) return 0;
    let room = 0;
    for (const receiver of this.receivers) room += receiver.room;
    return this.#pace === null ? room : Math.max(0, Math.min(room, this.#pace - this.#under_way));
  }

  /** The one with the most room. */
  freest(): Receiver | null {
    let freest: Receiver | null = null;
    let most = -1;
    for (const receiver of this.receivers) {
      const { room } = receiver;
      if (room > most) [freest, most] = [receiver, room];
    }
    return freest;
  }

  begun(): void {
    this.#under_way += 1;
  }

  ended(): void {
    this.#under_way -= 1;
  }

  delivered(): void {
    if (this.#pace === null) return;
    this.#pace += 1;
    let windows = 0;
    for (const receiver of this.receivers) windows += receiver.room;
    if (this.#pace > windows + this.#under_way) this.#pace = null;
  }

  /** The peer asked for patience, or was silent for too long. */
  slow(now_ms: number): void {
    this.#pace = 1;
    this.#quiet_until_ms = now_ms + QUIET_MS;
  }
}
