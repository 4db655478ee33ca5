import { setTimeout as wait } from 'node:timers/promises';
import { answerCalls, authorizeCalls, recordUnheldCalls, renewCalls, settleCalls } from '../../domain/calls/hold.ts';
import type {
  AnswerItem,
  AuthorizeItem,
  HoldAnswer,
  Lease,
  RenewItem,
  SettleItem,
  UnheldRecord,
} from '../../domain/calls/hold.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import { Batch, Outage } from '../../domain/db/batch.ts';

/** A renewal is asked for a second or more before the deadline; the record of an ended call is waited for by nobody. */
const RENEW_LINGER_MS = 150;
const SETTLE_LINGER_MS = 150;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 2000;
/** What the database refuses is no outage and no matter of moments: somebody has to mend it, and it is asked for again meanwhile. */
const REFUSED_RETRY_MS = 15_000;
/** A record of a call that cost nobody anything is given up then; a settlement is not. */
const UNHELD_REFUSALS_MAX = 3;
/** Records of calls that cost nobody anything are given up beyond this many, sooner than memory. */
const UNHELD_WAITING_MAX = 20_000;

/** What the calls of one switch ask of the database. Each kind of question has its own queue, so none waits behind another. */
export class CallLedger {
  readonly #authorize: Batch<AuthorizeItem, HoldAnswer>;
  readonly #renew: Batch<RenewItem, HoldAnswer>;
  readonly #answer: Batch<AnswerItem, HoldAnswer>;
  readonly #settle: Batch<SettleItem, HoldAnswer>;
  readonly #unheld: Batch<UnheldRecord, HoldAnswer>;
  readonly #onRefused: (error: unknown, leg_id: string) => void;
  readonly #stop = new AbortController();
  #unheld_waiting = 0;

  /** @param onRefused what the database has against a settlement or a record, each time that it is refused. */
  constructor(db: Queryable, lease: () => Lease, onRefused: (error: unknown, leg_id: string) => void) {
    this.#onRefused = onRefused;
    this.#authorize = new Batch((items) => authorizeCalls(db, lease(), items));
    this.#renew = new Batch((items) => renewCalls(db, lease(), items), { linger_ms: RENEW_LINGER_MS });
    this.#answer = new Batch((items) => answerCalls(db, lease(), items), { linger_ms: SETTLE_LINGER_MS });
    this.#settle = new Batch((items) => settleCalls(db, lease(), items), { linger_ms: SETTLE_LINGER_MS });
    this.#unheld = new Batch((items) => recordUnheldCalls(db, lease(), items), { linger_ms: SETTLE_LINGER_MS });
  }

  /** Rejects with `Outage` at once when the database is away: a caller does not wait for it. */
  authorize(item: AuthorizeItem): Promise<HoldAnswer> {
    return this.#authorize.push(item);
  }

  renew(item: RenewItem): Promise<HoldAnswer> {
    return this.#renew.push(item);
  }

  noteAnswer(item: AnswerItem): Promise<HoldAnswer> {
    return this.#answer.push(item);
  }

  /** Asks until the database has said that it is settled, however long it is away or refuses to; rejects only when stopped. */
  settle(item: SettleItem): Promise<HoldAnswer> {
    return this.#persist(item.leg_id, () => this.#settle.push(item));
  }

  /** The same for the record of a refused call; `dropped` when too many wait already. */
  async recordUnheld(record: UnheldRecord): Promise<HoldAnswer | 'dropped'> {
    if (this.#unheld_waiting >= UNHELD_WAITING_MAX) return 'dropped';
    this.#unheld_waiting += 1;
    try {
      return await this.#persist(record.leg_id, () => this.#unheld.push(record), UNHELD_REFUSALS_MAX);
    } finally {
      this.#unheld_waiting -= 1;
    }
  }

  stop(): void {
    this.#stop.abort();
  }

  async #persist(
    leg_id: string,
    ask: () => Promise<HoldAnswer>,
    refusals_max = Number.POSITIVE_INFINITY,
  ): Promise<HoldAnswer> {
    let refusals = 0;
    for (let retry_ms = RETRY_MS_MIN; ; retry_ms = Math.min(retry_ms * 2, RETRY_MS_MAX)) {
      try {
        return await ask();
      } catch (error) {
        const is_refused = !(error instanceof Outage);
        if (is_refused) {
          refusals += 1;
          this.#onRefused(error, leg_id);
          if (refusals >= refusals_max) throw error;
        }
        await wait(is_refused ? REFUSED_RETRY_MS : retry_ms, undefined, { signal: this.#stop.signal });
      }
    }
  }
}
