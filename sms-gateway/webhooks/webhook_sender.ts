import { Batch, Outage } from '../../domain/db/batch.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import { backoffMs } from '../smpp/backoff.ts';
import type { Backoff } from '../smpp/backoff.ts';
import type { Clock } from '../smpp/clock.ts';
import { closeEndpoint } from './closed_endpoint.ts';
import { takeDueDeliveries } from './due_deliveries.ts';
import type { TakenDelivery } from './due_deliveries.ts';
import { EndpointRooms } from './endpoint_rooms.ts';
import { failDeliveries } from './failed_deliveries.ts';
import type { FailedDelivery } from './failed_deliveries.ts';
import { deleteDeliveries } from './finished_deliveries.ts';
import { judgeAnswer } from './http_answer.ts';
import type { HttpAnswer, PostVerdict } from './http_answer.ts';
import { payloadOf } from './payload.ts';
import { retryDelayMs } from './retry_schedule.ts';
import { signWebhook } from './signature.ts';
import type { DeathReason, WebhookEvent } from './webhook_event.ts';

export interface WebhookSenderOptions {
  db: Queryable;
  clock: Clock;
  /** The time of day: when deliveries are due, and what is signed. */
  now: () => Date;
  random: () => number;
  /** `HttpPoster.post`. Never rejects. */
  post: (url: string, headers: Readonly<Record<string, string>>, body: string) => Promise<HttpAnswer>;
  /** Under way at a time, in all and to one endpoint: the first several times the second, so no few endpoints fill it. */
  under_way_max: number;
  under_way_max_per_endpoint: number;
  /** How long a delivery is ours. Longer than a POST with all its waiting can last. */
  lease_ms: number;
  /** How often is looked though nobody woke us: for what is to be tried again, and for what a dead process left. */
  poll_ms: number;
  /** Of writes, while the database is away. */
  retry: Backoff;
  onEvent: (event: WebhookEvent) => void;
}

type Verdict = PostVerdict | { kind: 'hopeless'; reason: DeathReason; why: string };

/**
 * Tells customers of receipts and texts by webhook, at least once each: a delivery is taken for a time, and is forgotten only
 * after a 2xx. One that comes twice has the same webhook-id. The deliveries of an endpoint begin in their order; one that
 * failed holds up no later one.
 */
export class WebhookSender {
  readonly #options: WebhookSenderOptions;
  readonly #rooms: EndpointRooms;
  readonly #finished: Batch<bigint, null>;
  readonly #failed: Batch<FailedDelivery, null>;
  readonly #closed: Batch<string, number>;
  readonly #under_way = new Set<Promise<void>>();
  readonly #waits = new Set<() => void>();
  #looking: Promise<void> | null = null;
  #is_asked = false;
  #stopped = false;
  #takeBackPoll: () => void = () => undefined;

  constructor(options: WebhookSenderOptions) {
    const { db, now, under_way_max, under_way_max_per_endpoint } = options;
    this.#options = options;
    this.#rooms = new EndpointRooms(under_way_max, under_way_max_per_endpoint);
    this.#finished = new Batch((ids) => deleteDeliveries(db, ids).then(() => ids.map(() => null)));
    this.#failed = new Batch((failures) => failDeliveries(db, now(), failures).then(() => failures.map(() => null)));
    this.#closed = new Batch(
      (endpoints) =>
        Promise.all(endpoints.map((one) => closeEndpoint(db, one, now(), 'The server answered 410 Gone.'))),
      { size_max: 1 },
    );
  }

  get under_way(): number {
    return this.#rooms.under_way;
  }

  /** Looks now, and again and again. */
  start(): void {
    if (this.#stopped) return;
    this.wake();
    this.#takeBackPoll = this.#options.clock.after(this.#options.poll_ms, () => this.start());
  }

  /** Something may be due. */
  wake(): void {
    if (this.#stopped) return;
    this.#is_asked = true;
    this.#looking ??= this.#lookWhileAsked();
  }

  /** Takes nothing more, and resolves when what is under way has been answered, and written where the database is there. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#takeBackPoll();
    for (const endWait of this.#waits) endWait();
    await this.#looking;
    await Promise.all(this.#under_way);
  }

  async #lookWhileAsked(): Promise<void> {
    while (this.#is_asked && !this.#stopped) {
      this.#is_asked = false;
      await this.#takeSome();
    }
    this.#looking = null;
  }

  async #takeSome(): Promise<void> {
    // Whatever ends wakes us.
    if (this.#rooms.room === 0) return;
    const { db, now, lease_ms, under_way_max_per_endpoint } = this.#options;
    const at = now();
    try {
      const taken = await takeDueDeliveries(db, {
        now: at,
        taken_until: new Date(at.getTime() + lease_ms),
        rows_max: this.#rooms.room,
        rows_max_per_endpoint: under_way_max_per_endpoint,
        rooms: this.#rooms.rooms(at.getTime()),
      });
      for (const delivery of taken) this.#begin(delivery, at);
    } catch (error) {
      // The poll asks again.
      this.#options.onEvent({ type: 'outage', error: error as Error });
    }
  }

  #begin(delivery: TakenDelivery, taken_at: Date): void {
    const late_ms = taken_at.getTime() - delivery.due_at.getTime();
    this.#options.onEvent({ type: 'taken', delivery_id: delivery.id, late_ms });
    this.#rooms.begun(delivery.endpoint_id);
    const done = this.#deliver(delivery).finally(() => {
      this.#under_way.delete(done);
      this.wake();
    });
    this.#under_way.add(done);
  }

  async #deliver(delivery: TakenDelivery): Promise<void> {
    const verdict = await this.#attempt(delivery);
    const event = await this.#write(delivery, verdict);
    const now_ms = this.#options.now().getTime();
    if (verdict.kind === 'delivered') this.#rooms.succeeded(delivery.endpoint_id, now_ms);
    else if (verdict.kind === 'failed') this.#rooms.failed(delivery.endpoint_id, verdict.retry_after_ms, now_ms);
    else this.#rooms.dropped(delivery.endpoint_id, now_ms);
    this.#options.onEvent(event);
  }

  async #attempt({ id, kind, endpoint, message }: TakenDelivery): Promise<Verdict> {
    if (endpoint === null) {
      return { kind: 'hopeless', reason: 'no_endpoint', why: 'The endpoint is switched off or was removed.' };
    }
    const payload = message === null ? null : payloadOf(kind, message);
    if (message === null || payload === null) {
      return { kind: 'hopeless', reason: 'no_message', why: 'The text is no longer stored.' };
    }
    const { now, post } = this.#options;
    const body = JSON.stringify(payload);
    // The text's id keeps it unique even after the database was restored and counts from an earlier number again.
    const signed = signWebhook(endpoint.secrets, `dlv_${id}_${message.id}`, Math.floor(now().getTime() / 1000), body);
    const headers = { 'content-type': 'application/json', 'user-agent': 'Letsdial-Webhooks/1', ...signed };
    return judgeAnswer(await post(endpoint.url, headers, body), now());
  }

  async #write(delivery: TakenDelivery, verdict: Verdict): Promise<WebhookEvent> {
    const { id, endpoint_id } = delivery;
    try {
      switch (verdict.kind) {
        case 'delivered':
          await this.#persist(() => this.#finished.push(id));
          return { type: 'delivered', delivery_id: id, endpoint_id };
        case 'gone':
          return {
            type: 'endpoint_closed',
            endpoint_id,
            buried: await this.#persist(() => this.#closed.push(endpoint_id)),
          };
        case 'failed':
        case 'hopeless':
          return await this.#writeFailure(delivery, verdict);
      }
    } catch (error) {
      return { type: 'unwritten', delivery_id: id, error: error as Error };
    }
  }

  async #writeFailure(
    { id, endpoint_id, failures: failures_before, taken_until }: TakenDelivery,
    verdict: Extract<Verdict, { kind: 'failed' | 'hopeless' }>,
  ): Promise<WebhookEvent> {
    const { now, random } = this.#options;
    const failures = failures_before + 1;
    const delay_ms = verdict.kind === 'failed' ? retryDelayMs(failures, verdict.retry_after_ms, random) : null;
    const next_at = delay_ms === null ? null : new Date(now().getTime() + delay_ms);
    await this.#persist(() => this.#failed.push({ id, taken_until, next_at, why: verdict.why }));
    const { why } = verdict;
    return verdict.kind === 'failed' && next_at !== null
      ? { type: 'failed', delivery_id: id, endpoint_id, reason: verdict.reason, why, failures, next_at }
      : { type: 'dead', delivery_id: id, endpoint_id, reason: verdict.reason, why };
  }

  /** Until the database has taken it; not beyond a stop, after which the delivery is attempted once more by whoever comes. */
  async #persist<T>(write: () => Promise<T>): Promise<T> {
    for (let outages = 0; ; outages += 1) {
      try {
        return await write();
      } catch (error) {
        if (!(error instanceof Outage) || this.#stopped) throw error;
        this.#options.onEvent({ type: 'outage', error });
        await this.#wait(backoffMs(outages, this.#options.retry, this.#options.random));
      }
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        takeBack();
        this.#waits.delete(end);
        resolve();
      };
      const takeBack = this.#options.clock.after(ms, end);
      this.#waits.add(end);
    });
  }
}
