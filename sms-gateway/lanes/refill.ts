import type { Logger } from 'pino';
import type { Queryable } from '../../domain/db/transaction.ts';
import { whatWaits } from '../../domain/texts/queue.ts';
import type { WaitingLook } from '../screening/waiting_texts.ts';
import type { ClaimQueue } from './claim_queue.ts';
import type { Dispatcher } from './dispatcher.ts';
import { MOST_URGENT } from './lane.ts';
import type { Lane } from './lane.ts';

export interface RefillOptions {
  dispatcher: Dispatcher;
  queue: ClaimQueue;
  db: Queryable;
  now: () => number;
  lane_texts_max: number;
  stranded_look_ms: number;
  /** Screens what was taken in by who cannot. */
  screenWaiting: () => Promise<WaitingLook>;
  log: Logger;
}

/** A lane without a backlog is looked at this often: something may have become due. */
const LOOK_MS = 1_000;
/** Which carriers anything waits for at all is asked this often. */
const CARRIERS_MS = 5_000;
const STRANDED_MAX = 200;
/** So many are claimed where somebody waits for one of them, whether or not there is room. */
const URGENT_MAX = 100;

/** Brings texts that wait in the database into the lanes, as these have room. */
export class Refill {
  readonly #options: RefillOptions;
  readonly #looked_at_ms = new Map<number | null, number>();
  /** Of carriers that are away. What comes for them is looked at in its turn, and wakes nobody. */
  readonly #away_looked_at_ms = new Map<number, number>();
  #carriers_asked_at_ms = Number.NEGATIVE_INFINITY;
  #came_at_ms = Number.NEGATIVE_INFINITY;
  #unrouted = true;
  #unscreened = true;
  #screened_at_ms = Number.NEGATIVE_INFINITY;
  /** Some came too fast and have to wait: all of them are read at each look, so that each word of the queue may not bring one. */
  #some_wait = false;

  constructor(options: RefillOptions) {
    this.#options = options;
  }

  /** Something was put into the queue: the next pass looks everywhere. */
  wake(): void {
    this.#looked_at_ms.clear();
    this.#carriers_asked_at_ms = Number.NEGATIVE_INFINITY;
    if (!this.#some_wait) this.#screened_at_ms = Number.NEGATIVE_INFINITY;
  }

  /** A carrier is there that was not: what waits for others that are away may go to it. */
  carrierCame(): void {
    this.#came_at_ms = this.#options.now();
  }

  async pass(): Promise<void> {
    const now_ms = this.#options.now();
    if (now_ms - this.#carriers_asked_at_ms >= CARRIERS_MS) {
      this.#carriers_asked_at_ms = now_ms;
      await this.#ask();
    }
    if (this.#unscreened && now_ms - this.#screened_at_ms >= LOOK_MS) await this.#screen(now_ms);
    if (this.#unrouted && this.#isDue(null, now_ms)) {
      const claimed = await this.#options.queue.claim(null, STRANDED_MAX);
      this.#options.dispatcher.takeClaimed(claimed);
    }
    for (const lane of this.#options.dispatcher.lanes) await this.#fill(lane, now_ms);
  }

  /** A carrier that was removed may still have texts waiting for it. */
  async #ask(): Promise<void> {
    const { carriers, has_unscreened } = await whatWaits(this.#options.db);
    this.#unrouted = carriers.includes(null);
    this.#unscreened = has_unscreened;
    for (const carrier_id of carriers) if (carrier_id !== null) this.#options.dispatcher.lane(carrier_id);
  }

  /** What passes has no carrier yet, and is claimed in the same turn. */
  async #screen(now_ms: number): Promise<void> {
    this.#screened_at_ms = now_ms;
    const { any_passed, any_left } = await this.#options.screenWaiting();
    this.#unscreened = any_left;
    this.#some_wait = any_left;
    if (!any_passed) return;
    this.#unrouted = true;
    this.#looked_at_ms.delete(null);
  }

  async #fill(lane: Lane, now_ms: number): Promise<void> {
    if (!lane.is_bound) return this.#lookWhileAway(lane, now_ms);
    const { dispatcher, queue, lane_texts_max } = this.#options;
    const is_urgent = lane.has_urgent_backlog && lane.depth < 2 * lane_texts_max;
    const room = Math.max(lane_texts_max - lane.depth, is_urgent ? URGENT_MAX : 0);
    if (room < lane_texts_max / 2 && !is_urgent) return;
    if (!lane.has_backlog && !this.#isDue(lane.carrier_id, now_ms)) return;
    this.#looked_at_ms.set(lane.carrier_id, now_ms);
    // Put down before the database is asked: whatever comes while it is says so again.
    lane.has_urgent_backlog = false;
    const claimed = await queue.claim(lane.carrier_id, room);
    if (claimed.length < room) lane.has_backlog = false;
    else if (claimed.at(-1)?.priority === MOST_URGENT) lane.has_urgent_backlog = true;
    dispatcher.takeClaimed(claimed);
  }

  /** Whether others take what waits for a carrier that is away; for as long as they do, there is no pause. */
  async #lookWhileAway({ carrier_id }: Lane, now_ms: number): Promise<void> {
    if (now_ms - (this.#away_looked_at_ms.get(carrier_id) ?? Number.NEGATIVE_INFINITY) < LOOK_MS) return;
    this.#away_looked_at_ms.set(carrier_id, now_ms);
    const { dispatcher, queue, stranded_look_ms } = this.#options;
    const looked_before_ms = Math.max(now_ms - stranded_look_ms, this.#came_at_ms);
    const claimed = await queue.claimStranded(carrier_id, looked_before_ms, STRANDED_MAX);
    dispatcher.takeClaimed(claimed);
    if (claimed.some(({ message_id }) => dispatcher.holds(message_id))) this.#away_looked_at_ms.delete(carrier_id);
  }

  #isDue(carrier_id: number | null, now_ms: number): boolean {
    if (now_ms - (this.#looked_at_ms.get(carrier_id) ?? Number.NEGATIVE_INFINITY) < LOOK_MS) return false;
    this.#looked_at_ms.set(carrier_id, now_ms);
    return true;
  }
}
