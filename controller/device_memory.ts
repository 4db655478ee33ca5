import type { Logger } from 'pino';
import type { Switch } from './switch/switch.ts';

export interface DeviceMemoryOptions {
  media: Switch;
  /** The trunks that calls for help go out by, whatever the country. */
  trunksForHelp: () => readonly string[];
  /** Whether what is forgotten could be read anew. */
  databaseIsThere: () => boolean;
  log: Logger;
}

/**
 * Keeps true what the switch remembers of devices and trunks: what was changed is forgotten at once, and what a call for help
 * needs is known before it is needed, since the database that knows it may be away by then.
 */
export class DeviceMemory {
  readonly #options: DeviceMemoryOptions;
  /** The switch could not be told of a change: it is told to forget everything as soon as it can be. */
  #is_behind = false;

  constructor(options: DeviceMemoryOptions) {
    this.#options = options;
  }

  /**
   * While the switch is away nothing is lost: once it is there again, it is told to forget all. While the database is away it forgets
   * nothing, or nobody could call for help any more.
   */
  forget(username: string | null): void {
    const { media, databaseIsThere, log } = this.#options;
    if (!media.healthy) return;
    if (!databaseIsThere()) {
      this.#is_behind = true;
      return;
    }
    this.#forgetNow(username).catch((error: unknown) =>
      log.warn({ err: error, username }, 'the switch may still know a device as it was, and is told again'),
    );
  }

  /** Tells again what could not be told, and has the switch know the trunks for help, new ones too. */
  async lookAgain(): Promise<void> {
    const { media, databaseIsThere } = this.#options;
    if (!media.healthy) return;
    if (this.#is_behind && databaseIsThere()) await this.#forgetNow(null);
    else await media.knowTrunks(this.#options.trunksForHelp());
  }

  async #forgetNow(username: string | null): Promise<void> {
    const { media, trunksForHelp } = this.#options;
    // What fails meanwhile, for another device too, is set again by whoever failed.
    if (username === null) this.#is_behind = false;
    try {
      await media.forgetDevice(username);
    } catch (error) {
      this.#is_behind = true;
      throw error;
    }
    await media.knowTrunks(trunksForHelp());
  }
}
