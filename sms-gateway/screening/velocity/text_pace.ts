import { QUARTER_MS, type ZoneClock } from '../zone_clock.ts';

/** How many texts an account may send. */
export interface PaceLimit {
  texts_per_second_max: number;
  texts_per_day_max: number;
  /** Whose day it is. */
  time_zone: string;
}

/** Which limit a text ran into, if any. */
export type PaceVerdict = 'taken' | 'second' | 'day';

/**
 * One account. The bucket holds the texts of one second and fills as time passes; what other gateways took is poured out of it
 * when it becomes known, so it may stand below nothing, but never by more than a second.
 */
interface Account {
  readonly account_id: string;
  tokens: number;
  bucket_max: number;
  filled_at_ms: number;
  taken_at_ms: number;
  /** Taken here, and not yet told to the others. */
  untold: number;
  /** What all gateways together had taken when they were last asked; null: never asked. */
  told_total: number | null;
  /** When what is told was last made to pass by itself. */
  kept_at_ms: number;
  quarter: number;
  day: string;
  taken_in_day: number;
  untold_in_day: number;
}

/** What this gateway has to tell of an account. */
export interface PaceReport {
  account_id: string;
  taken: number;
  /** Whether the others' memory of it has to be prolonged. */
  keeps: boolean;
}

export interface DayReport {
  account_id: string;
  day: string;
  taken: number;
}

/** An account that sent nothing for so long needs no news of the others. */
const AWAKE_MS = 2_000;
const KEEP_MS = 20_000;
const DAY_MS = 86_400_000;

/** Counts the texts of each account in this process: a decision costs some tens of nanoseconds and waits for nobody. */
export class TextPace {
  readonly #zones: ZoneClock;
  readonly #accounts = new Map<string, Account>();
  /** Accounts that sent lately, or have something to tell. */
  readonly #awake = new Set<Account>();
  readonly #untold_days = new Set<Account>();

  constructor(zones: ZoneClock) {
    this.#zones = zones;
  }

  get size(): number {
    return this.#accounts.size;
  }

  take(account_id: string, limit: PaceLimit, now_ms: number): PaceVerdict {
    const account = this.#accounts.get(account_id) ?? this.#open(account_id, limit, now_ms);
    fill(account, limit.texts_per_second_max, now_ms);
    if (account.tokens < 1) return 'second';
    this.#turnDay(account, limit.time_zone, now_ms);
    if (account.taken_in_day >= limit.texts_per_day_max) return 'day';
    account.tokens -= 1;
    account.taken_at_ms = now_ms;
    account.untold += 1;
    account.taken_in_day += 1;
    account.untold_in_day += 1;
    this.#awake.add(account);
    this.#untold_days.add(account);
    return 'taken';
  }

  /** What the others are to hear now. What is not told after all is `forgotten`, for it is past. */
  reports(now_ms: number): PaceReport[] {
    const reports: PaceReport[] = [];
    for (const account of this.#awake) {
      if (account.untold === 0 && now_ms - account.taken_at_ms > AWAKE_MS) {
        this.#awake.delete(account);
        account.told_total = null;
        continue;
      }
      const keeps = now_ms - account.kept_at_ms >= KEEP_MS || account.told_total === null;
      if (keeps) account.kept_at_ms = now_ms;
      reports.push({ account_id: account.account_id, taken: account.untold, keeps });
      account.untold = 0;
    }
    return reports;
  }

  /** The others' memory was asked in vain, so what was told is lost and the next answer is a first one. */
  forgotten({ account_id }: PaceReport): void {
    const account = this.#accounts.get(account_id);
    if (account !== undefined) account.told_total = null;
  }

  /** Nobody can be told at the moment: what was taken now is past before anybody could be. */
  forgetUntold(): void {
    for (const account of this.#awake) {
      account.untold = 0;
      account.told_total = null;
    }
    this.#awake.clear();
  }

  /** What all gateways have taken, after this report. */
  learn({ account_id, taken }: PaceReport, total: number): void {
    const account = this.#accounts.get(account_id);
    if (account === undefined) return;
    const by_others = account.told_total === null ? 0 : Math.max(0, total - account.told_total - taken);
    account.told_total = total;
    account.tokens = Math.max(-account.bucket_max, account.tokens - by_others);
  }

  dayReports(): DayReport[] {
    const reports: DayReport[] = [];
    for (const account of this.#untold_days) {
      reports.push({ account_id: account.account_id, day: account.day, taken: account.untold_in_day });
      account.untold_in_day = 0;
    }
    this.#untold_days.clear();
    return reports;
  }

  learnDay({ account_id, day }: DayReport, total: number): void {
    const account = this.#accounts.get(account_id);
    if (account?.day === day) account.taken_in_day = total + account.untold_in_day;
  }

  /** A day lasts, so what was not told stays to be told. */
  dayUntold({ account_id, day, taken }: DayReport): void {
    const account = this.#accounts.get(account_id);
    if (account?.day !== day) return;
    account.untold_in_day += taken;
    this.#untold_days.add(account);
  }

  /** Forgets accounts that sent nothing for a day. */
  sweep(now_ms: number): void {
    for (const [account_id, account] of this.#accounts) {
      if (now_ms - account.taken_at_ms <= DAY_MS) continue;
      this.#accounts.delete(account_id);
      this.#awake.delete(account);
      this.#untold_days.delete(account);
    }
  }

  #open(account_id: string, limit: PaceLimit, now_ms: number): Account {
    const account: Account = {
      account_id,
      ...{ tokens: limit.texts_per_second_max, bucket_max: limit.texts_per_second_max, filled_at_ms: now_ms },
      ...{ taken_at_ms: now_ms, untold: 0, told_total: null, kept_at_ms: 0 },
      ...{ quarter: -1, day: '', taken_in_day: 0, untold_in_day: 0 },
    };
    this.#accounts.set(account_id, account);
    return account;
  }

  #turnDay(account: Account, time_zone: string, now_ms: number): void {
    const quarter = Math.floor(now_ms / QUARTER_MS);
    if (quarter === account.quarter) return;
    account.quarter = quarter;
    const { date } = this.#zones.at(time_zone, now_ms);
    if (date === account.day) return;
    account.day = date;
    account.taken_in_day = 0;
    account.untold_in_day = 0;
  }
}

/** A clock that was set back fills nothing. */
function fill(account: Account, texts_per_second_max: number, now_ms: number): void {
  const elapsed_ms = Math.max(0, now_ms - account.filled_at_ms);
  account.filled_at_ms = now_ms;
  account.bucket_max = texts_per_second_max;
  account.tokens = Math.min(texts_per_second_max, account.tokens + (elapsed_ms * texts_per_second_max) / 1000);
}
