import { setTimeout as wait } from 'node:timers/promises';
import { gatherEvidence } from '../../chaos/sms/evidence.ts';
import { explainError } from '../../runtime/outage.ts';
import { killed } from '../../world/processes.ts';
import type { TextWorld } from '../../world/text_world.ts';
import { makeBind } from '../../world/texts.ts';
import { eventually } from '../../world/verdict.ts';
import { GatewayMemory } from '../memory/gateway_memory.ts';
import { BatchCustomer } from './batch_customer.ts';
import { readTakings } from './carrier_log.ts';
import type { BacklogOptions } from './options.ts';
import type { BacklogFindings } from './verdict.ts';

export const CARRIER = 'alpha';
export const LANE_TEXTS_MAX = 4_000;
const SMPP_PORT = 2775;
/** How often a person hears how it goes. */
const TELL_MS = 5_000;
/** How long the last receipts may take, and a gateway that has waited for half a minute before it connects again. */
const SETTLE_MS = 120_000;

/** Texts that are accepted while their carrier is away, and what becomes of them when it is back. */
export class BacklogRun {
  readonly #world: TextWorld;
  readonly #options: BacklogOptions;
  readonly #say: (line: string) => void;
  readonly #customer: BatchCustomer;
  readonly #rss_mb: number[] = [];
  readonly #mishaps: string[] = [];
  #memory: GatewayMemory;

  private constructor(world: TextWorld, options: BacklogOptions, say: (line: string) => void, customer: BatchCustomer) {
    this.#world = world;
    this.#options = options;
    this.#say = say;
    this.#customer = customer;
    this.#memory = GatewayMemory.begin(world.gateway);
  }

  /** The carrier has a bind that nobody answers. */
  static async begin(world: TextWorld, options: BacklogOptions, say: (line: string) => void): Promise<BacklogRun> {
    const { carrier, carrier_id, address: host } = world.carrier(CARRIER);
    await carrier.listen(false);
    await makeBind(world.pool, {
      ...{ id: `${CARRIER}-1`, carrier_id, host, port: SMPP_PORT, system_id: 'letsdial', password: 'secret' },
      texts_per_second_max: options.per_second,
    });
    return new BacklogRun(world, options, say, await BatchCustomer.begin(world));
  }

  async accept(): Promise<void> {
    const { texts, kill } = this.#options;
    const stopTelling = this.#tell(() => `${this.#customer.accepted.length.toLocaleString('en')} texts are accepted`);
    try {
      const half = Math.floor(texts / 2);
      await this.#customer.send(half);
      // The other half is under way when it happens.
      const rest = this.#customer.send(texts - half);
      await Promise.all([rest, kill ? this.#killOnce() : null]);
    } finally {
      await stopTelling();
    }
  }

  /** Resolves when every text has its receipt, or when that takes too long, which is told. */
  async drain(): Promise<void> {
    const { texts, per_second } = this.#options;
    const { carrier } = this.#world.carrier(CARRIER);
    const stopTelling = this.#tell(async () => {
      const { accepted, receipts_acked } = await carrier.counts();
      return `${accepted.toLocaleString('en')} texts are with the carrier, ${receipts_acked.toLocaleString('en')} have their receipts`;
    });
    const limit_ms = (2_000 * texts) / per_second + SETTLE_MS;
    try {
      await carrier.listen(true);
      await eventually('every text to be with the carrier', limit_ms, async () => {
        await wait(200);
        return (await carrier.counts()).receipts_acked >= texts ? true : null;
      });
      await eventually('the end of every text', SETTLE_MS, () => this.#nothingWaits());
    } catch (error) {
      this.#mishaps.push(error instanceof Error ? error.message : String(error));
    } finally {
      await stopTelling();
    }
  }

  async findings(): Promise<BacklogFindings> {
    await this.#keepMemory();
    const { texts, per_second, kill } = this.#options;
    const { accepted, class_of, refused } = this.#customer;
    const log = await readTakings(this.#world.carrier(CARRIER).log_file);
    return {
      texts,
      evidence: await gatherEvidence(this.#world, kill ? 1 : 0, accepted),
      class_of,
      ...log,
      ...{ per_second_max: per_second, lane_texts_max: LANE_TEXTS_MAX, rss_mb: this.#rss_mb },
      mishaps: [...this.#mishaps, ...[...new Set(refused)].map((why) => `Refused: ${why}`)],
    };
  }

  /** Stops what looks at the gateway, however the run ended; what kept it from looking is told beside what else went wrong. */
  async end(): Promise<void> {
    await this.#memory.stop().catch((error: unknown) => console.error(explainError(error)));
  }

  async #killOnce(): Promise<void> {
    await this.#keepMemory();
    this.#say('The gateway is killed, and started again.');
    await killed(this.#world.gateway);
    await this.#world.startGateway();
    this.#memory = GatewayMemory.begin(this.#world.gateway);
  }

  async #keepMemory(): Promise<void> {
    await this.#memory.stop();
    for (const { rss_mb } of this.#memory.samples) this.#rss_mb.push(rss_mb);
  }

  async #nothingWaits(): Promise<true | null> {
    const { rows } = await this.#world.pool.query<{ waits: boolean }>(
      `select exists (select 1 from message_queue where state in ('w', 'c')) as waits`,
    );
    if (rows[0]?.waits !== false) return null;
    return (await this.#world.withCarriers()) === 0 ? true : null;
  }

  /** Tells a person again and again, until what it returns is called. */
  #tell(how: () => string | Promise<string>): () => Promise<void> {
    const stop = new AbortController();
    const began_ms = performance.now();
    const telling = (async () => {
      while (await wait(TELL_MS, true, { signal: stop.signal }).catch(() => false)) {
        const second = String(Math.round((performance.now() - began_ms) / 1_000)).padStart(5);
        this.#say(`${second} s  ${await how()}  RSS ${(this.#memory.latest?.rss_mb ?? 0).toFixed(0)} MB`);
      }
    })();
    return async () => {
      stop.abort();
      await telling;
    };
  }
}
