import { freshPace, isFresh, paceAfterFailure, paceAfterSuccess, roomNow } from './endpoint_pace.ts';
import type { EndpointPace } from './endpoint_pace.ts';

/** Counts what is under way, in all and to each endpoint. */
export class EndpointRooms {
  readonly #room_max: number;
  readonly #room_max_per_endpoint: number;
  readonly #endpoints = new Map<string, { pace: EndpointPace; under_way: number }>();
  #under_way = 0;

  constructor(room_max: number, room_max_per_endpoint: number) {
    this.#room_max = room_max;
    this.#room_max_per_endpoint = room_max_per_endpoint;
  }

  get under_way(): number {
    return this.#under_way;
  }

  get room(): number {
    return this.#room_max - this.#under_way;
  }

  /** Of the endpoints that have not all of it. */
  rooms(now_ms: number): ReadonlyMap<string, number> {
    return new Map(
      [...this.#endpoints].map(([id, { pace, under_way }]) => [id, Math.max(0, roomNow(pace, now_ms) - under_way)]),
    );
  }

  begun(endpoint_id: string): void {
    this.#under_way += 1;
    const { pace, under_way } = this.#of(endpoint_id);
    this.#endpoints.set(endpoint_id, { pace, under_way: under_way + 1 });
  }

  succeeded(endpoint_id: string, now_ms: number): void {
    this.#ended(endpoint_id, now_ms, (pace) => paceAfterSuccess(pace, this.#room_max_per_endpoint));
  }

  failed(endpoint_id: string, retry_after_ms: number | null, now_ms: number): void {
    this.#ended(endpoint_id, now_ms, (pace) => paceAfterFailure(pace, retry_after_ms, now_ms));
  }

  /** Nothing was learnt about the endpoint. */
  dropped(endpoint_id: string, now_ms: number): void {
    this.#ended(endpoint_id, now_ms, (pace) => pace);
  }

  #ended(endpoint_id: string, now_ms: number, next: (pace: EndpointPace) => EndpointPace): void {
    this.#under_way -= 1;
    const { pace, under_way } = this.#of(endpoint_id);
    const after = { pace: next(pace), under_way: under_way - 1 };
    const is_forgettable = after.under_way === 0 && isFresh(after.pace, this.#room_max_per_endpoint, now_ms);
    if (is_forgettable) this.#endpoints.delete(endpoint_id);
    else this.#endpoints.set(endpoint_id, after);
  }

  #of(endpoint_id: string): { pace: EndpointPace; under_way: number } {
    return this.#endpoints.get(endpoint_id) ?? { pace: freshPace(this.#room_max_per_endpoint), under_way: 0 };
  }
}
