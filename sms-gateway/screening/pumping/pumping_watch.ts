import type { E164 } from '../../../domain/numbers/e164.ts';
import type { PumpingSettings } from './pumping_settings.ts';
import { explainSuspicion, suspicionPoints, type AccountTraffic, type Suspect } from './suspicion.ts';
import { countPassed, countText, makeTraffic, STEP_MS, stepTo, type Standing, type Traffic } from './traffic.ts';

export type PumpingVerdict = { kind: 'pass' } | { kind: 'hold' | 'refuse'; reason: string };

interface Account extends AccountTraffic {
  seen_ms: number;
  by_country: Map<string, Traffic>;
}

const PASS: PumpingVerdict = { kind: 'pass' };
const NO_COUNTRY = '';
/** An account moves to the end of the line of those to be forgotten no more often than this. */
const SEEN_MS = 60_000;
/** Above this, the account's figures are halved: its latest texts count most. */
const ACCOUNT_TEXTS_MAX = 20_000;

/**
 * Watches login codes for artificially inflated traffic (AIT, SMS pumping): bots let a customer's site send codes to numbers
 * whose owner earns by each. What it knows is of this process alone, and learned anew after a start.
 *
 * A text costs no memory; an account costs some kilobytes for each country it sends codes to, and the one that was not seen for
 * longest is forgotten.
 */
export class PumpingWatch {
  readonly #settings: PumpingSettings;
  /** In the order in which they were seen. */
  readonly #accounts = new Map<string, Account>();
  #countries = 0;
  readonly #standing: Standing = { slot: 0, is_even_step: false };

  constructor(settings: PumpingSettings) {
    this.#settings = settings;
  }

  /** How many countries of all accounts are watched. */
  get size(): number {
    return this.#countries;
  }

  /** @param price_micros_per_segment of the account's currency; null where nobody pays. */
  judge(
    account_id: string,
    country: string | null,
    recipient: E164,
    price_micros_per_segment: number | null,
    now_ms: number,
  ): PumpingVerdict {
    const account = this.#account(account_id, now_ms);
    const traffic = this.#trafficOf(account, country ?? NO_COUNTRY, now_ms);
    stepTo(traffic, now_ms, this.#settings);
    countText(traffic, digitsOf(recipient), this.#settings, this.#standing);
    const suspect: Suspect = { traffic, account, standing: this.#standing, price_micros_per_segment, now_ms };
    const points = suspicionPoints(suspect, this.#settings);
    if (points < 1) {
      countPassed(traffic);
      countOfAccount(account);
      return PASS;
    }
    const kind = points >= this.#settings.refuse_points ? 'refuse' : 'hold';
    return { kind, reason: explainSuspicion(suspect, country, this.#settings) };
  }

  /** The customer says that the code of a text was entered. */
  converted(account_id: string, country: string | null, now_ms: number): void {
    const account = this.#accounts.get(account_id);
    const traffic = account?.by_country.get(country ?? NO_COUNTRY);
    if (account === undefined || traffic === undefined) return;
    stepTo(traffic, now_ms, this.#settings);
    traffic.converted += 1;
    account.converted += 1;
  }

  /** A carrier says whether a text arrived. */
  receipted(account_id: string, country: string | null, is_delivered: boolean, now_ms: number): void {
    const traffic = this.#accounts.get(account_id)?.by_country.get(country ?? NO_COUNTRY);
    if (traffic === undefined) return;
    stepTo(traffic, now_ms, this.#settings);
    if (is_delivered) traffic.delivered += 1;
    else traffic.undelivered += 1;
  }

  #account(account_id: string, now_ms: number): Account {
    const known = this.#accounts.get(account_id);
    if (known === undefined) {
      const made: Account = { first_seen_ms: now_ms, seen_ms: now_ms, texts: 0, converted: 0, by_country: new Map() };
      this.#accounts.set(account_id, made);
      return made;
    }
    if (now_ms - known.seen_ms > SEEN_MS) {
      known.seen_ms = now_ms;
      this.#accounts.delete(account_id);
      this.#accounts.set(account_id, known);
    }
    return known;
  }

  #trafficOf(account: Account, country: string, now_ms: number): Traffic {
    const known = account.by_country.get(country);
    if (known !== undefined) return known;
    const known_steps = Math.floor((now_ms - account.first_seen_ms) / STEP_MS);
    const made = makeTraffic(now_ms, Math.max(0, known_steps), this.#settings);
    account.by_country.set(country, made);
    this.#countries += 1;
    if (this.#countries > this.#settings.countries_max) this.#forgetOldest(account);
    return made;
  }

  /** A whole account at once: one that was half forgotten would seem to surge where it was always busy. */
  #forgetOldest(except: Account): void {
    for (const [account_id, account] of this.#accounts) {
      if (account === except) continue;
      this.#accounts.delete(account_id);
      this.#countries -= account.by_country.size;
      return;
    }
  }
}

function countOfAccount(account: Account): void {
  account.texts += 1;
  if (account.texts < ACCOUNT_TEXTS_MAX) return;
  account.texts /= 2;
  account.converted /= 2;
}

/** All digits of a number as one, at most 10^15 and so exact. */
function digitsOf(recipient: E164): number {
  let digits = 0;
  for (let at = 1; at < recipient.length; at += 1) digits = digits * 10 + (recipient.charCodeAt(at) - 48);
  return digits;
}
