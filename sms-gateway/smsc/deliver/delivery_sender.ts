import { setTimeout as wait } from 'node:timers/promises';
import { Batch, Outage } from '../../../domain/db/batch.ts';
import type { Queryable } from '../../../domain/db/transaction.ts';
import { backoffMs } from '../../smpp/backoff.ts';
import type { Clock } from '../../smpp/clock.ts';
import { failDeliveries } from '../../webhooks/failed_deliveries.ts';
import type { FailedDelivery } from '../../webhooks/failed_deliveries.ts';
import { deleteDeliveries } from '../../webhooks/finished_deliveries.ts';
import { arrivalBodies } from './arrival_bodies.ts';
import type { DeliverSm } from './delivery_body.ts';
import type { DeliveryEvent } from './delivery_event.ts';
import { DeliveryTarget } from './delivery_target.ts';
import { giveBackDeliveries, takeDueDeliveries } from './due_deliveries.ts';
import type { TakenDelivery } from './due_deliveries.ts';
import type { DeliveryEnd } from './progress.ts';
import { receiptBody } from './receipt_body.ts';
import { Receiver } from './receiver.ts';
import type { ReceiverOptions } from './receiver.ts';
import { retryDelayMs } from './retry_schedule.ts';

export interface DeliverySenderOptions {
  db: Queryable;
  clock: Clock;
  /** The time of day, by which deliveries are due. */
  now: () => Date;
  random: () => number;
  /** How long a delivery is ours: longer than it can wait for a window and its answer. */
  lease_ms: number;
  /** How often is looked though nobody woke us: for what is to be tried again, and for what a dead process left. */
  poll_ms: number;
  onEvent: (event: DeliveryEvent) => void;
}

const RETRY = { first_ms: 100, most_ms: 2_000 };
const NO_TEXT = 'The text is no longer stored.';

/**
 * Tells the binds of customers of receipts and texts, at least once each: a delivery is taken for a time, and is forgotten only
 * after ESME_ROK. What is due of one system_id begins in its order, over all its receivers; one that failed holds up no later
 * one, and waits while nobody is bound.
 */
export class DeliverySender {
  readonly #options: DeliverySenderOptions;
  readonly #targets = new Map<string, DeliveryTarget>();
  readonly #finished: Batch<bigint, null>;
  readonly #failed: Batch<FailedDelivery, null>;
  readonly #unsent: Batch<TakenDelivery, null>;
  /** Taken again, because its time was over before its answer came, one is not sent a second time beside the first. */
  readonly #under_way = new Map<bigint, TakenDelivery>();
  readonly #writing = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #looking: Promise<void> | null = null;
  #is_asked = false;
  #is_pausing = false;
  #takeBackPoll: () => void = () => undefined;

  constructor(options: DeliverySenderOptions) {
    const { db, now } = options;
    this.#options = options;
    const nothing = (items: readonly unknown[]): null[] => items.map(() => null);
    this.#finished = new Batch((ids) => deleteDeliveries(db, ids).then(() => nothing(ids)));
    this.#failed = new Batch((failures) => failDeliveries(db, now(), failures).then(() => nothing(failures)));
    this.#unsent = new Batch((taken) => giveBackDeliveries(db, taken).then(() => nothing(taken)));
  }

  get under_way(): number {
    return this.#under_way.size;
  }

  /** Looks now, and again and again. */
  start(): void {
    if (this.#is_pausing) return;
    this.wake();
    this.#takeBackPoll = this.#options.clock.after(this.#options.poll_ms, () => this.start());
  }

  /** A receiver was bound: what waits for it begins now. */
  add(options: Omit<ReceiverOptions, 'onEnd'>): Receiver {
    const receiver = new Receiver({
      ...options,
      onEnd: (_receiver, delivery, end) => this.#ended(delivery, end),
    });
    this.#target(options.system_id).receivers.add(receiver);
    this.wake();
    return receiver;
  }

  /** Its session has ended. What it was given and did not send goes to others, or waits. */
  remove(receiver: Receiver): void {
    const target = this.#target(receiver.system_id);
    target.receivers.delete(receiver);
    receiver.ended();
  }

  /** Something may be due. */
  wake(): void {
    if (this.#is_pausing) return;
    this.#is_asked = true;
    this.#looking ??= this.#lookWhileAsked();
  }

  /** Takes nothing more. What is under way goes on. */
  async pause(): Promise<void> {
    this.#is_pausing = true;
    this.#takeBackPoll();
    await this.#looking;
  }

  /** To be called when no receiver is left: resolves when all is written, where the database is there. */
  async stop(): Promise<void> {
    await this.pause();
    this.#stop.abort();
    await Promise.all(this.#writing);
  }

  #target(system_id: string): DeliveryTarget {
    const known = this.#targets.get(system_id);
    if (known !== undefined) return known;
    const target = new DeliveryTarget();
    this.#targets.set(system_id, target);
    return target;
  }

  async #lookWhileAsked(): Promise<void> {
    while (this.#is_asked && !this.#is_pausing) {
      this.#is_asked = false;
      await this.#takeSome();
    }
    this.#looking = null;
  }

  async #takeSome(): Promise<void> {
    const now = this.#options.now();
    const rooms = this.#rooms(now.getTime());
    if (rooms.size === 0) return;
    const { db, lease_ms } = this.#options;
    try {
      const taken = await takeDueDeliveries(db, { now, taken_until: new Date(now.getTime() + lease_ms), rooms });
      const counts = new Map<string, number>();
      for (const delivery of taken) {
        counts.set(delivery.system_id, (counts.get(delivery.system_id) ?? 0) + 1);
        this.#begin(delivery);
      }
      for (const [system_id, room] of rooms) this.#target(system_id).is_hungry = (counts.get(system_id) ?? 0) >= room;
    } catch (error) {
      // The poll asks again.
      this.#options.onEvent({ type: 'outage', error: error as Error });
    }
  }

  /** Of those that have some. */
  #rooms(now_ms: number): Map<string, number> {
    const rooms = new Map<string, number>();
    for (const [system_id, target] of this.#targets) {
      if (target.receivers.size === 0) continue;
      const room = target.room(now_ms);
      target.is_hungry = true;
      if (room > 0) rooms.set(system_id, room);
    }
    return rooms;
  }

  #begin(delivery: TakenDelivery): void {
    if (this.#under_way.has(delivery.id)) return;
    this.#under_way.set(delivery.id, delivery);
    const target = this.#target(delivery.system_id);
    target.begun();
    const receiver = target.freest();
    if (receiver === null) return this.#ended(delivery, { kind: 'unsent' });
    const bodies = bodiesOf(delivery, receiver.with_tlvs);
    if (bodies instanceof Error) {
      this.#ended(delivery, { kind: 'failed', why: `It cannot be written: ${bodies.message}`, wants_patience: false });
    } else if (bodies.length === 0) {
      target.ended();
      this.#write(delivery, this.#buried(delivery, NO_TEXT));
    } else {
      receiver.give(delivery, bodies);
    }
  }

  #ended(delivery: TakenDelivery, end: DeliveryEnd): void {
    const target = this.#target(delivery.system_id);
    target.ended();
    // Given back, it may be taken again before we hear that this was written.
    if (end.kind !== 'delivered') this.#under_way.delete(delivery.id);
    if (end.kind === 'delivered') target.delivered();
    else if (end.kind === 'failed' && end.wants_patience) target.slow(this.#options.now().getTime());
    this.#write(delivery, this.#written(delivery, end));
    if (target.is_hungry && end.kind !== 'unsent') this.wake();
  }

  #write(delivery: TakenDelivery, written: Promise<DeliveryEvent>): void {
    const { id } = delivery;
    const writing: Promise<void> = written
      .catch((error: unknown): DeliveryEvent => ({ type: 'unwritten', delivery_id: id, error: error as Error }))
      .then((event) => {
        if (this.#under_way.get(id) === delivery) this.#under_way.delete(id);
        this.#writing.delete(writing);
        this.#options.onEvent(event);
        if (event.type === 'given_back' && this.#target(delivery.system_id).receivers.size > 0) this.wake();
      });
    this.#writing.add(writing);
  }

  async #written(delivery: TakenDelivery, end: DeliveryEnd): Promise<DeliveryEvent> {
    const { id, system_id, taken_until } = delivery;
    switch (end.kind) {
      case 'delivered':
        await this.#persist(() => this.#finished.push(id));
        return { type: 'delivered', delivery_id: id, system_id };
      case 'unsent':
        await this.#persist(() => this.#unsent.push(delivery));
        return { type: 'given_back', delivery_id: id, system_id };
      case 'failed': {
        const failures = delivery.failures + 1;
        const delay_ms = retryDelayMs(failures, this.#options.random);
        if (delay_ms === null) return this.#buried(delivery, end.why);
        const next_at = new Date(this.#options.now().getTime() + delay_ms);
        await this.#persist(() => this.#failed.push({ id, taken_until, next_at, why: end.why }));
        return { type: 'failed', delivery_id: id, system_id, why: end.why, failures, next_at };
      }
    }
  }

  async #buried({ id, system_id, taken_until }: TakenDelivery, why: string): Promise<DeliveryEvent> {
    await this.#persist(() => this.#failed.push({ id, taken_until, next_at: null, why }));
    return { type: 'dead', delivery_id: id, system_id, why };
  }

  /** Until the database has taken it; not beyond a stop, after which the delivery is attempted once more by whoever comes. */
  async #persist(write: () => Promise<unknown>): Promise<void> {
    for (let outages = 0; ; outages += 1) {
      try {
        await write();
        return;
      } catch (error) {
        if (!(error instanceof Outage) || this.#stop.signal.aborted) throw error;
        this.#options.onEvent({ type: 'outage', error });
        await wait(backoffMs(outages, RETRY, this.#options.random), undefined, { signal: this.#stop.signal });
      }
    }
  }
}

/** None where there is nothing to tell any more; an error where what is stored fits into no PDU, which holds up nothing else. */
function bodiesOf({ kind, text }: TakenDelivery, with_tlvs: boolean): readonly DeliverSm[] | Error {
  if (text === null) return [];
  try {
    if (kind === 'text') return arrivalBodies(text);
    const receipt = receiptBody(text, with_tlvs);
    return receipt === null ? [] : [receipt];
  } catch (error) {
    return error as Error;
  }
}
