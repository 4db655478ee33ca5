import type { Logger } from 'pino';
import type { E164 } from '../../domain/numbers/e164.ts';

/** Whoever knows where numbers went: a table of ours, or a service of a country. */
export interface PortabilitySource {
  /** Whether it knows of any number that was ported; a source without this is asked about each. */
  readonly has_any?: boolean;
  /** What routing goes by instead; null for a number that was not ported. Rejects when it is not known. */
  lookUp(number: E164): Promise<E164 | null>;
}

export interface NumberPortabilityOptions {
  source: PortabilitySource;
  /** A clock that only goes forward. */
  now: () => number;
  /** How long an answer holds. */
  ttl_ms: number;
  /** How long a source that failed is not asked about that number again. */
  failed_ttl_ms: number;
  numbers_max: number;
  /** So many look-ups are under way at most; with more, a number goes by its own digits. */
  lookups_max: number;
  /** How long the first text to a number waits for the answer in `ready`; 0: not at all. */
  wait_ms: number;
  /** For metrics: each question, whether memory had the answer, and each answer of the source. */
  onAsked: (memory: 'fresh' | 'stale' | 'unknown') => void;
  onLookedUp: (answer: 'ported' | 'not_ported' | 'failed', took_ms: number) => void;
  log: Logger;
}

interface Entry {
  routed_as: E164;
  until_ms: number;
  /** While a look-up is under way. */
  looking: Promise<void> | null;
}

/**
 * By which number a text is routed: its own, or where its network's numbers lie after a porting. Answers at once: from memory,
 * or with the number itself while the look-up is under way, so that the first text to a ported number may go the long way
 * through the network that it left. Where that is too dear, `ready` is awaited first.
 *
 * An answer that is too old still holds until the new one is there. Without the source, every number is its own.
 */
export class NumberPortability {
  readonly #options: NumberPortabilityOptions;
  /** In the order in which they were asked for. */
  readonly #entries = new Map<E164, Entry>();
  #lookups = 0;
  #is_failing = false;
  /** How often the source was said to have changed: what it was asked before says what was. */
  #changes = 0;

  constructor(options: NumberPortabilityOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  routedAs(number: E164): E164 {
    if (this.#options.source.has_any === false) return number;
    const entry = this.#entries.get(number);
    const { onAsked, now } = this.#options;
    if (entry === undefined) {
      onAsked('unknown');
      this.#begin(number);
      return number;
    }
    const is_fresh = entry.until_ms > now();
    onAsked(is_fresh ? 'fresh' : entry.until_ms === UNKNOWN ? 'unknown' : 'stale');
    this.#entries.delete(number);
    this.#entries.set(number, entry);
    if (!is_fresh && entry.looking === null) this.#lookUp(number, entry);
    return entry.routed_as;
  }

  /**
   * Null where `routedAs` knows already or nothing is waited for; else resolves when it knows, or after `wait_ms`. Never
   * rejects.
   */
  ready(number: E164): Promise<void> | null {
    const { wait_ms } = this.#options;
    if (wait_ms === 0 || this.#options.source.has_any === false) return null;
    const entry = this.#entries.get(number) ?? this.#begin(number);
    if (entry?.until_ms === UNKNOWN && entry.looking === null) this.#lookUp(number, entry);
    return entry?.until_ms === UNKNOWN && entry.looking !== null ? within(entry.looking, wait_ms) : null;
  }

  /** The source knows other things now: each number is looked up again before it is sure, and goes the way it went until then. */
  changed(): void {
    this.#changes += 1;
    for (const entry of this.#entries.values()) entry.until_ms = UNKNOWN;
  }

  /** Null where too many are looked up already. */
  #begin(number: E164): Entry | null {
    const { numbers_max, lookups_max } = this.#options;
    if (this.#lookups >= lookups_max) return null;
    if (this.#entries.size >= numbers_max) this.#forgetOldest();
    const entry: Entry = { routed_as: number, until_ms: UNKNOWN, looking: null };
    this.#entries.set(number, entry);
    this.#lookUp(number, entry);
    return entry;
  }

  #forgetOldest(): void {
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  #lookUp(number: E164, entry: Entry): void {
    const { source, now, ttl_ms, failed_ttl_ms, lookups_max, onLookedUp } = this.#options;
    if (this.#lookups >= lookups_max) return;
    this.#lookups += 1;
    const begun_ms = now();
    const changes = this.#changes;
    entry.looking = source
      .lookUp(number)
      .then(
        (routed_as) => {
          this.#is_failing = false;
          entry.routed_as = routed_as ?? number;
          entry.until_ms = changes === this.#changes ? now() + ttl_ms : UNKNOWN;
          onLookedUp(routed_as === null ? 'not_ported' : 'ported', now() - begun_ms);
        },
        (error: unknown) => {
          this.#failed(error);
          entry.until_ms = now() + failed_ttl_ms;
          onLookedUp('failed', now() - begun_ms);
        },
      )
      .finally(() => {
        this.#lookups -= 1;
        entry.looking = null;
      });
  }

  /** Told once, until it answers again. */
  #failed(error: unknown): void {
    if (!this.#is_failing) {
      this.#options.log.warn(
        { err: error },
        'portings cannot be looked up; numbers are routed by what is known of them',
      );
    }
    this.#is_failing = true;
  }
}

/** Of an entry whose answer is still to come. */
const UNKNOWN = -Infinity;

function within(work: Promise<void>, wait_ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, wait_ms);
    void work.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
