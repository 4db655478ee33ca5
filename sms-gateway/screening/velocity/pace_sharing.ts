import type { DayReport, PaceReport, TextPace } from './text_pace.ts';

/** The commands of Redis that sharing needs. */
export interface PaceStore {
  readonly isReady: boolean;
  incrBy(key: string, by: number): Promise<number>;
  expire(key: string, seconds: number): Promise<unknown>;
}

export interface PaceSharingOptions {
  pace: TextPace;
  store: PaceStore;
  now: () => number;
  share_every_ms: number;
  /** Redis does not answer, so each gateway counts on its own. Told once, until it answers again. */
  onAlone: (error: Error) => void;
}

const KEPT_SECONDS = 60;
const DAY_KEPT_SECONDS = 2 * 86_400;
/** Days are told of once in so many turns. */
const TURNS_OF_DAY = 10;
const TURNS_OF_SWEEP = 600;

/**
 * Tells the other gateways what each account took here, and hears what it took there, by counters in Redis that only grow. No
 * text waits for it: between two turns an account can take at most what each gateway alone lets it, and it is made to pay that
 * back. Without Redis each gateway keeps the limit on its own.
 */
export class PaceSharing {
  readonly #options: PaceSharingOptions;
  #timer: NodeJS.Timeout | null = null;
  #is_sharing = false;
  #is_alone = false;
  #turn = 0;

  constructor(options: PaceSharingOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.share(), this.#options.share_every_ms);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** One turn; none begins while Redis still owes the answers of the one before. Never rejects. */
  async share(): Promise<void> {
    const { pace, store, now } = this.#options;
    this.#turn += 1;
    if (this.#turn % TURNS_OF_SWEEP === 0) pace.sweep(now());
    if (this.#is_sharing) return;
    if (!store.isReady) {
      pace.forgetUntold();
      return;
    }
    this.#is_sharing = true;
    const tells_days = this.#turn % TURNS_OF_DAY === 1;
    const told = await Promise.all([
      ...pace.reports(now()).map((report) => this.#tell(report)),
      ...(tells_days ? pace.dayReports() : []).map((report) => this.#tellDay(report)),
    ]);
    this.#is_sharing = false;
    if (told.length > 0) this.#judge(told);
  }

  async #tell(report: PaceReport): Promise<Error | null> {
    const { pace, store } = this.#options;
    const key = `letsdial:text-pace:${report.account_id}`;
    try {
      const total = await store.incrBy(key, report.taken);
      // One that was just made would stay for ever, had it been forgotten meanwhile.
      if (report.keeps || total === report.taken) await store.expire(key, KEPT_SECONDS);
      pace.learn(report, total);
      return null;
    } catch (error) {
      pace.forgotten(report);
      return error as Error;
    }
  }

  async #tellDay(report: DayReport): Promise<Error | null> {
    const { pace, store } = this.#options;
    const key = `letsdial:text-day:${report.account_id}:${report.day}`;
    try {
      const total = await store.incrBy(key, report.taken);
      if (total === report.taken) await store.expire(key, DAY_KEPT_SECONDS);
      pace.learnDay(report, total);
      return null;
    } catch (error) {
      pace.dayUntold(report);
      return error as Error;
    }
  }

  #judge(told: readonly (Error | null)[]): void {
    const failure = told.find((error) => error !== null);
    if (failure !== undefined && !this.#is_alone) this.#options.onAlone(failure);
    this.#is_alone = failure !== undefined;
  }
}
