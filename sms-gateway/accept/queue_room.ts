import type { QueuedTexts } from '../../domain/texts/queued_texts.ts';

export interface QueueRoomOptions {
  /** Texts that may wait for carriers, in all. */
  texts_max: number;
  /** Of one account, with those that are scheduled for later. */
  account_texts_max: number;
  /** What is queued by now, as the database has it. */
  count: () => Promise<readonly QueuedTexts[]>;
  /** For how long that took. */
  monotonic: () => number;
  /** It could not be counted. */
  onFault: (error: unknown) => void;
}

/** A count takes a second of the database for some hundred thousand texts: it is to work at something else most of the time. */
const REST_IN_COUNTS = 20;

/** How many texts are queued: as they were counted last, and what came and went since. */
class Tally {
  /** At the last count. */
  counted = 0;
  /** Since then, more than went; fewer where it is negative. */
  since = 0;
  /** As `since`, from the count before to the one that is under way. */
  before = 0;
  /** On their way into the database. */
  storing = 0;

  get texts(): number {
    return Math.max(0, this.counted + this.before + this.since + this.storing);
  }

  get is_idle(): boolean {
    return this.texts === 0 && this.storing === 0;
  }

  /** A count begins: it will not see what comes from now on. */
  beginCount(): void {
    this.before += this.since;
    this.since = 0;
  }

  endCount(counted: number): void {
    this.counted = counted;
    this.before = 0;
  }
}

/**
 * Whether there is room for another text among those that wait for carriers. The database is asked now and then; in between is counted
 * here what was accepted and what left, so that a text costs no question. What others do (expiry, a customer's taking back, the
 * portal's texts) is seen at the next count, and a text that is stored while a count is under way may count twice until then: so much
 * more may be refused, and as good as nothing more accepted.
 *
 * What is scheduled for later counts against its account's share, as it takes the same room in the database, and one customer is not to
 * fill that. It does not count against what may wait in all: that says whether the carriers keep up, and what is for next week delays
 * nobody today. Once its time has come, it counts there, too.
 */
export class QueueRoom {
  readonly texts_max: number;
  readonly account_texts_max: number;
  readonly #options: Pick<QueueRoomOptions, 'count' | 'monotonic' | 'onFault'>;
  readonly #all = new Tally();
  readonly #accounts = new Map<string, Tally>();
  #rests_until_ms = Number.NEGATIVE_INFINITY;

  constructor({ texts_max, account_texts_max, ...options }: QueueRoomOptions) {
    this.texts_max = texts_max;
    this.account_texts_max = account_texts_max;
    this.#options = options;
  }

  /** Texts that wait for carriers. */
  get texts(): number {
    return this.#all.texts;
  }

  /** Of the account that has the most, with those for later. */
  get account_texts_most(): number {
    let most = 0;
    for (const { texts } of this.#accounts.values()) if (texts > most) most = texts;
    return most;
  }

  /** Why there is no room for one more, null where there is. */
  lacks(account_id: string, is_scheduled: boolean): 'queue_full' | 'account_queue_full' | null {
    const account = this.#accounts.get(account_id);
    // First what its sender can do something about.
    if (account !== undefined && account.texts >= this.account_texts_max) return 'account_queue_full';
    return !is_scheduled && this.#all.texts >= this.texts_max ? 'queue_full' : null;
  }

  /** A text is being stored. */
  enters(account_id: string, is_scheduled: boolean): void {
    this.#of(account_id).storing += 1;
    if (!is_scheduled) this.#all.storing += 1;
  }

  /** It is, or will not be. To be called once after each `enters`. */
  stored(account_id: string, is_scheduled: boolean, is_queued: boolean): void {
    const account = this.#of(account_id);
    account.storing -= 1;
    if (!is_scheduled) this.#all.storing -= 1;
    if (!is_queued) return;
    account.since += 1;
    if (!is_scheduled) this.#all.since += 1;
  }

  /** A carrier has it, or it has ended. */
  left(account_id: string): void {
    this.#of(account_id).since -= 1;
    this.#all.since -= 1;
  }

  /**
   * Asks the database anew, unless the last count took so long that this one is too early. Where it does not answer, what is known stays:
   * that something is not known is no reason to refuse a text.
   */
  async count(): Promise<void> {
    const { monotonic, count, onFault } = this.#options;
    const began_at_ms = monotonic();
    if (began_at_ms < this.#rests_until_ms) return;
    this.#all.beginCount();
    for (const account of this.#accounts.values()) account.beginCount();
    try {
      this.#apply(await count());
    } catch (error) {
      onFault(error);
    }
    const ended_at_ms = monotonic();
    this.#rests_until_ms = ended_at_ms + (ended_at_ms - began_at_ms) * REST_IN_COUNTS;
  }

  #apply(queued: readonly QueuedTexts[]): void {
    let waiting = 0;
    const counted = new Map<string, number>();
    for (const one of queued) {
      waiting += one.waiting;
      counted.set(one.account_id, one.waiting + one.scheduled);
      this.#of(one.account_id);
    }
    this.#all.endCount(waiting);
    for (const [account_id, account] of this.#accounts) {
      account.endCount(counted.get(account_id) ?? 0);
      if (account.is_idle) this.#accounts.delete(account_id);
    }
  }

  #of(account_id: string): Tally {
    let account = this.#accounts.get(account_id);
    if (account === undefined) {
      account = new Tally();
      this.#accounts.set(account_id, account);
    }
    return account;
  }
}
