import type { Logger } from 'pino';
import { stepBlocks } from './blocks.ts';
import type { BlockEffect, BlockEvent, BlockLimits, Blocks, Standing } from './blocks.ts';
import type { Failures } from './failures.ts';
import type { Gate, Sign } from './gate.ts';
import type { Memory } from './memory.ts';
import { networksOf } from './networks.ts';

export interface GuardOptions {
  gate: Gate;
  failures: Failures;
  memory: Memory;
  limits: BlockLimits;
  /** Whose requests are many people's, as those of a proxy are: nobody is shut out for another one's. */
  never_blocked: ReadonlySet<string>;
  /** Networks of all trunks, as CIDR. Throws when they cannot be known. */
  trunkNetworks: () => Promise<readonly string[]>;
  now: () => number;
  onRefused: (why: RefusedWhy) => void;
  log: Logger;
}

/** `wrong_credentials` and `unidentified` count requests, the others addresses. */
export type RefusedWhy = 'wrong_credentials' | 'unidentified' | 'blocked' | 'spared';

const LOOK_MS = 1000;

/**
 * Throttles by address who fails to log in. Only failures lead to a block, and over UDP, where a sender can be forged, only
 * those of an address from which nobody logged in lately: else anybody could lock a customer out by failing in its name.
 */
export class Guard {
  readonly #options: GuardOptions;
  #blocks: Blocks = new Map();
  #timer: NodeJS.Timeout | null = null;
  #applying = false;
  #stale = false;
  #looking = false;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  get blocked(): Blocks {
    return this.#blocks;
  }

  async start(): Promise<void> {
    const { gate, memory, now } = this.#options;
    this.#step({ type: 'remembered', blocks: await memory.blocks(), at_ms: now() });
    await gate.watch({ sign: (sign) => this.#take(sign), opened: () => this.#apply() });
    this.#timer = setInterval(() => this.#guarded(this.#look()), LOOK_MS);
  }

  /** Blocks stay in the switch: whoever drives it next replaces them by its own. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#options.gate.close();
  }

  #take(sign: Sign): void {
    const { memory, onRefused } = this.#options;
    if (sign.kind === 'succeeded') {
      this.#guarded(memory.keepProven(sign.address));
    } else if (sign.kind === 'unidentified') {
      onRefused('unidentified');
      // Behind the address of an office there may be one phone that is nobody's any more among others that log in.
      this.#guarded(this.#failed('unidentified', sign.address, true));
    } else {
      onRefused('wrong_credentials');
      this.#guarded(this.#failed('failed', sign.address, sign.forgeable));
    }
  }

  async #failed(type: 'failed' | 'unidentified', address: string, forgeable: boolean): Promise<void> {
    const { failures: counter, limits, now, never_blocked } = this.#options;
    if (never_blocked.has(address)) return;
    const failures = await counter.add(type === 'failed' ? address : `${address}:unidentified`);
    const enough = type === 'failed' ? limits.failures_max : limits.unidentified_max;
    // Who is spared once is looked at again after as many more, and not each time: that asks the database.
    if (failures === 0 || failures % enough !== 0 || this.#blocks.has(address)) return;
    const standing = await this.#standing(address, forgeable);
    this.#step({ type, address, failures, standing, at_ms: now() });
  }

  async #standing(address: string, forgeable: boolean): Promise<Standing> {
    const { trunkNetworks, memory } = this.#options;
    if (networksOf(await trunkNetworks())(address)) return 'trunk';
    return forgeable && (await memory.isProven(address)) ? 'proven' : 'stranger';
  }

  async #look(): Promise<void> {
    if (this.#stale) this.#apply();
    if (this.#blocks.size === 0 || this.#looking) return;
    this.#looking = true;
    try {
      const isTrunk = networksOf(await this.#options.trunkNetworks());
      this.#step({ type: 'looked', isTrunk, at_ms: this.#options.now() });
    } finally {
      this.#looking = false;
    }
  }

  #step(event: BlockEvent): void {
    const { blocks, effects } = stepBlocks(this.#blocks, event, this.#options.limits);
    this.#blocks = blocks;
    for (const effect of effects) this.#run(effect);
    if (effects.some(({ type }) => type !== 'spared')) this.#apply();
  }

  #run(effect: BlockEffect): void {
    const { memory, log, onRefused } = this.#options;
    const { address } = effect;
    if (effect.type === 'blocked') {
      onRefused('blocked');
      const until = new Date(effect.until_ms).toISOString();
      log.warn({ address, until }, 'an address failed to log in too often, or asked as nobody, and is shut out');
      this.#guarded(memory.keepBlock(address, effect.until_ms));
    } else if (effect.type === 'released') {
      log.info({ address }, 'an address is let in again');
      this.#guarded(memory.dropBlock(address));
    } else {
      onRefused('spared');
      log.warn({ address, why: effect.why }, 'an address failed to log in too often and is not shut out all the same');
    }
  }

  /** Tells the switch the whole list, one telling at a time; what fails is told again with the next look. */
  #apply(): void {
    this.#stale = true;
    if (this.#applying) return;
    this.#applying = true;
    this.#guarded(
      this.#tell().finally(() => {
        this.#applying = false;
      }),
    );
  }

  async #tell(): Promise<void> {
    while (this.#stale) {
      this.#stale = false;
      try {
        await this.#options.gate.shutOut([...this.#blocks.keys()]);
      } catch (error) {
        this.#stale = true;
        throw error;
      }
    }
  }

  #guarded(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#options.log.warn(
        { err: error },
        'throttling by address did not do its work; it goes on with the next look',
      );
    });
  }
}
