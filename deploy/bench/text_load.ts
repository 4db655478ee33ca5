import type { Texter, TextWorld } from '../world/text_world.ts';
import { makeEsme } from '../world/texts.ts';
import { booksAreRight, eventually } from '../world/verdict.ts';
import { cpuMs, cpuMsWhileItLives, cpuMsWithEnded, machineCpuMs } from './cpu.ts';
import { HttpLoad, percentile } from './http_load.ts';
import { runReceipted } from './receipted_load.ts';
import { SampleTexts } from './sample_texts.ts';
import { SmppLoad } from './smpp_load.ts';

export interface HttpMeasured {
  /** Accepted, sent and with their receipts, by the carrier's count. */
  per_second: number;
  failed: number;
  accept_ms_p50: number;
  accept_ms_p99: number;
  /** CPU microseconds a text. */
  gateway_us: number;
  postgres_us: number;
  carrier_us: number;
  /** Of the customers' side, which is this process. */
  load_us: number;
  /** Of all the CPU that the machine had meanwhile, what anybody used: near to 1, it was the machine that set the rate. */
  busy_share: number;
}

export const CONNECTIONS = 32;
const GATEWAY_PORT = 8710;
const ESME = { system_id: 'bench', password: 'secret12' };
const DRAIN_MS = 120_000;

interface CpuTimes {
  gateway: number;
  postgres: number;
  carrier: number;
  load: number;
  busy: number;
  machine: number;
}

/** Loads a world of texts, and reads what came of it from the carrier and from the kernel. */
export class TextLoad {
  readonly #world: TextWorld;
  readonly #texter: Texter;
  readonly #postgres: () => Promise<number[]>;
  readonly #texts = new SampleTexts();

  private constructor(world: TextWorld, texter: Texter, postgres: () => Promise<number[]>) {
    this.#world = world;
    this.#texter = texter;
    this.#postgres = postgres;
  }

  static async begin(world: TextWorld, postgres: () => Promise<number[]>): Promise<TextLoad> {
    const texter = await world.texter({ balance_micros: 10n ** 15n, tax_ppm: 190_000 });
    await world.unlimited(texter.account_id);
    await makeEsme(world.pool, texter.account_id, {
      ...ESME,
      more: { binds_max: 20, window_max: 1000, texts_per_second_max: 100_000 },
    });
    return new TextLoad(world, texter, postgres);
  }

  async http({ seconds, per_second }: { seconds: number; per_second: number | null }): Promise<HttpMeasured> {
    await this.#settled();
    const { carrier } = this.#world.carrier('alpha');
    const cpu_before = await this.#cpu();
    const load = new HttpLoad({
      ...{ host: `${this.#world.network}.1`, port: GATEWAY_PORT, connections: CONNECTIONS, per_second },
      nextRequest: () => this.#nextRequest(),
    });
    const result = await runReceipted(load, carrier, seconds);
    const cpu = await this.#cpu();
    const us = (part: 'gateway' | 'postgres' | 'carrier' | 'load'): number =>
      ((cpu[part] - cpu_before[part]) * 1000) / result.accepted;
    return {
      per_second: result.receipted_per_second,
      failed: result.failed,
      accept_ms_p50: percentile(result.latencies_ms, 50),
      accept_ms_p99: percentile(result.latencies_ms, 99),
      ...{ gateway_us: us('gateway'), postgres_us: us('postgres'), carrier_us: us('carrier'), load_us: us('load') },
      busy_share: (cpu.busy - cpu_before.busy) / (cpu.machine - cpu_before.machine),
    };
  }

  /** What is accepted over SMPP; it is sent on beside that, and what waits is waited for before the next measurement. */
  async smpp({ seconds }: { seconds: number }): Promise<{ per_second: number; failed: number }> {
    const { address, port } = this.#world.gateway.smpp;
    const load = new SmppLoad({
      ...{ host: address, port, ...ESME, binds: 4, window_requests: 500, sender: this.#texter.number },
      nextText: () => this.#texts.next(),
    });
    const { carrier } = this.#world.carrier('alpha');
    const acked_before = (await carrier.counts()).receipts_acked;
    const result = await load.run(seconds);
    for (const [status, count] of result.statuses) console.error(`SMPP in: ${count} answered with status ${status}`);
    await eventually('every receipt', DRAIN_MS, async () =>
      (await carrier.counts()).receipts_acked - acked_before >= result.accepted ? true : null,
    );
    await this.#drained();
    return { per_second: result.accepted / result.seconds, failed: result.failed };
  }

  async carrierThrottles(per_mille: number): Promise<void> {
    await this.#world.carrier('alpha').carrier.behaviour({ throttled_per_mille: per_mille });
  }

  async booksAreRight(): Promise<void> {
    await this.#drained();
    await booksAreRight(this.#world.pool);
  }

  /**
   * A server that has run for a while writes its log into files that it has used before. A new one makes them, 16 MB of zeros each, and
   * whoever commits meanwhile waits for some 60 ms; a checkpoint gives it the files of the measurements before.
   */
  async #settled(): Promise<void> {
    await this.#world.pool.query('checkpoint');
  }

  async #drained(): Promise<void> {
    await eventually('an empty queue', DRAIN_MS, async () => {
      const { rows } = await this.#world.pool.query<{ waiting: string }>(
        'select count(*) as waiting from message_queue',
      );
      return rows[0]?.waiting === '0' ? true : null;
    });
  }

  #nextRequest(): string {
    const { recipient, text } = this.#texts.next();
    const body = `{"from":"${this.#texter.number}","to":"${recipient}","text":"${text}","class":"normal"}`;
    return (
      `POST /v1/messages HTTP/1.1\r\nhost: gateway:${GATEWAY_PORT}\r\nauthorization: Bearer ${this.#texter.api_key}\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
    );
  }

  /** Milliseconds so far. */
  async #cpu(): Promise<CpuTimes> {
    const [server = 0, ...workers] = await this.#postgres();
    // Workers of autovacuum come and go.
    const postgres = await Promise.all([cpuMsWithEnded(server), ...workers.map((pid) => cpuMsWhileItLives(pid))]);
    return {
      gateway: await cpuMs(this.#world.gateway.pid),
      postgres: postgres.reduce((sum, ms) => sum + ms, 0),
      carrier: await cpuMs(this.#world.carrier('alpha').pid),
      load: await cpuMs(process.pid),
      ...(await machineCpuMs()),
    };
  }
}
