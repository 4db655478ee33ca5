import type { CallerProfile } from '../../domain/accounts/caller_profile.ts';
import { emergencyCallers } from '../../domain/accounts/emergency_callers.ts';
import type { EmergencyCaller } from '../../domain/accounts/emergency_callers.ts';
import type { Queryable } from '../../domain/db/transaction.ts';

/** Some ten megabytes. Where an operator has more devices, those that called last are known. */
const KNOWN_MAX = 50_000;
/** Read in small parts, so that no call waits behind one of them. */
const PART_ROWS = 1000;
/** So soon a new phone is known that has not called yet. */
const READ_AGAIN_MS = 600_000;
/** After a failure; not with each call, which would only add to the database's trouble. */
const RETRY_MS = 10_000;

/**
 * What a call for help needs to know of each device, kept for the day on which the database is away. Every caller that is looked up is
 * remembered; now and then one of them has all the others read, behind the calls, as most phones call seldom.
 */
export class KnownCallers {
  readonly #db: Queryable;
  readonly #known_max: number;
  readonly #now: () => number;
  /** The one that was looked up longest ago comes first. */
  readonly #by_device = new Map<string, EmergencyCaller>();
  #read_again_at_ms = -Infinity;

  constructor(db: Queryable, { known_max = KNOWN_MAX, now = () => performance.now() } = {}) {
    this.#db = db;
    this.#known_max = known_max;
    this.#now = now;
  }

  get(device: string): EmergencyCaller | undefined {
    return this.#by_device.get(device);
  }

  /** Null: the device is not there any more, or not enabled, and is forgotten. */
  lookedUp(device: string, profile: CallerProfile | null): void {
    this.#by_device.delete(device);
    if (profile === null) return;
    this.#by_device.set(device, callerOf(profile));
    const [oldest] = this.#by_device.keys();
    if (this.#by_device.size > this.#known_max && oldest !== undefined) this.#by_device.delete(oldest);
    if (this.#now() >= this.#read_again_at_ms) void this.#readOthers();
  }

  async #readOthers(): Promise<void> {
    this.#read_again_at_ms = this.#now() + READ_AGAIN_MS;
    try {
      for (let after: string | undefined = ''; after !== undefined && this.#by_device.size < this.#known_max;) {
        const part: readonly EmergencyCaller[] = await emergencyCallers(this.#db, after, PART_ROWS);
        this.#addUnknown(part);
        after = part.length < PART_ROWS ? undefined : part.at(-1)?.device;
      }
    } catch {
      // The database went away meanwhile, which the calls themselves tell; one that is looked up later has it done again.
      this.#read_again_at_ms = this.#now() + RETRY_MS;
    }
  }

  #addUnknown(part: readonly EmergencyCaller[]): void {
    for (const caller of part) {
      if (this.#by_device.size >= this.#known_max) return;
      if (!this.#by_device.has(caller.device)) this.#by_device.set(caller.device, caller);
    }
  }
}

/** A profile holds more than that, and must not be kept for it. */
function callerOf(profile: CallerProfile): EmergencyCaller {
  const { device, account_id, home_country, time_zone, wallet_id, currency, caller_number } = profile;
  return { device, account_id, home_country, time_zone, wallet_id, currency, caller_number };
}
