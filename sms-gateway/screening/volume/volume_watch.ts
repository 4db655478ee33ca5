import type { TextVolume } from '../../../domain/texts/screening/text_volumes.ts';
import { fade, keptOf, makeFadingCount, usually } from '../fading_count.ts';
import type { Fading, FadingCount } from '../fading_count.ts';
import type { VolumeSettings } from './volume_settings.ts';

export type VolumeVerdict = { kind: 'pass' } | { kind: 'hold'; reason: string };

interface Account {
  readonly count: FadingCount;
  stepped_at_ms: number;
  is_saved: boolean;
}

const PASS: VolumeVerdict = { kind: 'pass' };

/**
 * Watches for sudden volume: an account that sends many times what it usually does. Whoever has its credentials may be another, so
 * what goes beyond is held until a person has looked. It counts what passes, so an account that is held has its usual pace and no
 * more; and as counts fade, it is let go on by itself.
 */
export class VolumeWatch {
  readonly #settings: VolumeSettings;
  readonly #fading: Fading;
  /** Those that were saved last stand last. */
  readonly #accounts = new Map<string, Account>();

  constructor(settings: VolumeSettings) {
    this.#settings = settings;
    const { step_ms, half_life_ms, usual_half_life_ms } = settings;
    this.#fading = { kept: keptOf(step_ms, half_life_ms), usual_kept: keptOf(step_ms, usual_half_life_ms) };
  }

  get size(): number {
    return this.#accounts.size;
  }

  /** What was known when it was last saved; of an account that is being watched already, nothing. */
  learn({ account_id, stepped_at, lately, usual_sum, usual_weight }: TextVolume): void {
    if (this.#accounts.has(account_id)) return;
    const count = { lately, usual_sum, usual_weight };
    this.#watch(account_id, { count, stepped_at_ms: stepped_at.getTime(), is_saved: true });
  }

  judge(account_id: string, texts_per_day_max: number, now_ms: number): VolumeVerdict {
    const account = this.#account(account_id, now_ms);
    const { count } = account;
    const { share_of_day_ppm, texts_min, factor, half_life_ms } = this.#settings;
    if (count.lately < Math.max(texts_min, (texts_per_day_max * share_of_day_ppm) / 1_000_000)) return PASS;
    const usual = usually(count);
    if (count.lately < factor * usual) return PASS;
    // Who is held is not to be forgotten, as he would begin anew.
    account.is_saved = false;
    const hours = Math.round(half_life_ms / 3_600_000);
    const reason =
      `this account suddenly sends far more than it does usually: ${Math.round(count.lately)} texts lately, where ` +
      `${Math.round(usual)} are usual (counted with a half-life of ${hours} hours)`;
    return { kind: 'hold', reason };
  }

  passed(account_id: string, now_ms: number): void {
    const account = this.#account(account_id, now_ms);
    account.count.lately += 1;
    account.is_saved = false;
  }

  /** What has changed since it was last asked, at most so many. What cannot be saved is to be given back by `unsaved`. */
  toSave(accounts_max: number): TextVolume[] {
    const volumes: TextVolume[] = [];
    for (const [account_id, account] of this.#accounts) {
      if (account.is_saved) continue;
      account.is_saved = true;
      // It sends, so others are forgotten before it. It is met once more at the end, and passed over.
      this.#accounts.delete(account_id);
      this.#accounts.set(account_id, account);
      volumes.push({ account_id, stepped_at: new Date(account.stepped_at_ms), ...account.count });
      if (volumes.length === accounts_max) break;
    }
    return volumes;
  }

  unsaved(volumes: readonly TextVolume[]): void {
    for (const { account_id } of volumes) {
      const account = this.#accounts.get(account_id);
      if (account !== undefined) account.is_saved = false;
    }
  }

  #account(account_id: string, now_ms: number): Account {
    const account = this.#accounts.get(account_id) ?? this.#open(account_id, now_ms);
    // A clock that was set back lets no time pass.
    const steps = Math.floor((now_ms - account.stepped_at_ms) / this.#settings.step_ms);
    if (steps < 1) return account;
    account.stepped_at_ms += steps * this.#settings.step_ms;
    fade(account.count, steps, this.#fading);
    return account;
  }

  #open(account_id: string, now_ms: number): Account {
    const { quiet_before_ms, step_ms } = this.#settings;
    const count = makeFadingCount(Math.floor(quiet_before_ms / step_ms), this.#fading);
    return this.#watch(account_id, { count, stepped_at_ms: now_ms, is_saved: true });
  }

  #watch(account_id: string, account: Account): Account {
    this.#accounts.set(account_id, account);
    if (this.#accounts.size > this.#settings.accounts_max) {
      const [oldest] = this.#accounts.keys();
      if (oldest !== undefined) this.#accounts.delete(oldest);
    }
    return account;
  }
}
