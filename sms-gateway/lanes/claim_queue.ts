import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Batch, Outage } from '../../domain/db/batch.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import {
  claimMessages,
  claimStranded,
  expireMessages,
  markSending,
  ownClaims,
  releaseMessages,
} from '../../domain/texts/queue.ts';
import type { ClaimedMessage, GatewayLease, Release } from '../../domain/texts/queue.ts';

export interface ClaimQueueOptions {
  db: Queryable;
  lease: () => GatewayLease;
  now: () => number;
  /** The database may have given us texts and could not say which. */
  onClaimLost: () => void;
  log: Logger;
}

/** `ended`: cancelled, ended by its receipt, or another gateway's by now. `not_asked`: the database could not be asked. */
export type Mark = 'may_go' | 'ended' | 'not_asked';

const EXPIRED_MAX = 500;
const UNSURE_MS = 60_000;

/** The texts of message_queue, as a gateway takes them and gives them back. */
export class ClaimQueue {
  readonly #options: ClaimQueueOptions;
  readonly #marks: Batch<string, boolean>;
  readonly #releases: Batch<Release, null>;
  readonly #releasing = new Map<Promise<void>, string>();
  /** Given back or marked while the database was away: it is asked again. */
  #unreleased: Release[] = [];
  /** Accepted or not, which the database did not say: looked for once it is back. */
  readonly #unsure = new Map<string, number>();

  constructor(options: ClaimQueueOptions) {
    this.#options = options;
    this.#marks = new Batch((ids) => this.#mark(ids));
    this.#releases = new Batch((releases) => this.#release(releases), { linger_ms: 20 });
  }

  /** Texts that are not in the state in the database that they should be in, or may not be. */
  *unsettledIds(): Iterable<string> {
    for (const { message_id } of this.#unreleased) yield message_id;
    yield* this.#unsure.keys();
    yield* this.#releasing.values();
  }

  /** The most urgent of what waits for that carrier; null: of what no carrier was chosen for. */
  claim(carrier_id: number | null, rows_max: number): Promise<ClaimedMessage[]> {
    const { db, lease, now } = this.#options;
    return this.#claimed(claimMessages(db, lease(), carrier_id, new Date(now()), rows_max));
  }

  /** What waits for a carrier that is away and was not looked at since `looked_before_ms`. */
  claimStranded(carrier_id: number | null, looked_before_ms: number, rows_max: number): Promise<ClaimedMessage[]> {
    const { db, lease, now } = this.#options;
    const [at, looked_before] = [new Date(now()), new Date(looked_before_ms)];
    return this.#claimed(claimStranded(db, lease(), carrier_id, at, looked_before, rows_max));
  }

  async #claimed(claim: Promise<ClaimedMessage[]>): Promise<ClaimedMessage[]> {
    try {
      return await claim;
    } catch (error) {
      this.#options.onClaimLost();
      throw error;
    }
  }

  async expire(): Promise<void> {
    const { db, lease, now } = this.#options;
    await expireMessages(db, lease(), new Date(now()), EXPIRED_MAX);
  }

  markSending(message_id: string, done: (mark: Mark) => void): void {
    this.#marks.push(message_id).then(
      (may_go) => done(may_go ? 'may_go' : 'ended'),
      (error: unknown) => {
        this.#options.log.warn(
          { err: error, message_id },
          'a text was not marked before sending, so it is not sent yet',
        );
        done('not_asked');
      },
    );
  }

  /** Resolves when that text is not on its way back to the database. */
  async settled(message_id: string): Promise<void> {
    for (const [releasing, id] of this.#releasing) if (id === message_id) await releasing;
  }

  /** @param done hears whether it is in the database, or that has to be asked again. */
  release(release: Release, done: (is_there: boolean) => void = () => undefined): void {
    const releasing: Promise<void> = this.#releases
      .push(release)
      .then(
        () => true,
        (error: unknown) => {
          if (!Outage.is(error)) this.#options.log.error({ err: error, ...release }, 'a text could not be given back');
          this.#unreleased.push(release);
          return false;
        },
      )
      .then(done)
      .finally(() => this.#releasing.delete(releasing));
    this.#releasing.set(releasing, release.message_id);
  }

  /** Whether these were accepted was not said: if they were, they are in our name and nobody sends them. */
  lookFor(message_ids: readonly string[]): void {
    for (const id of message_ids) this.#unsure.set(id, this.#options.now());
  }

  /** Asks again for what failed while the database was away. Gives the texts that turned out to be ours. */
  async settle(): Promise<ClaimedMessage[]> {
    const again = this.#unreleased;
    this.#unreleased = [];
    for (const release of again) this.release(release);
    if (this.#unsure.size === 0) return [];
    const { db, lease, now } = this.#options;
    const found = await ownClaims(db, lease(), [...this.#unsure.keys()]);
    for (const { message_id } of found) this.#unsure.delete(message_id);
    // A statement that is not there by then was cancelled by its time limit, and left nothing.
    for (const [id, since_ms] of this.#unsure) if (now() - since_ms > UNSURE_MS) this.#unsure.delete(id);
    return found;
  }

  /** Resolves when what was given back is in the database, or after `within_ms`: the next gateway then finds it as a doubt. */
  async settleReleases(within_ms: number): Promise<void> {
    await Promise.race([Promise.allSettled(this.#releasing.keys()), wait(within_ms, undefined, { ref: false })]);
  }

  async #mark(ids: readonly string[]): Promise<boolean[]> {
    const may_go = await markSending(this.#options.db, this.#options.lease(), ids);
    return ids.map((id) => may_go.has(id));
  }

  async #release(releases: readonly Release[]): Promise<null[]> {
    await releaseMessages(this.#options.db, this.#options.lease(), releases);
    return releases.map(() => null);
  }
}
