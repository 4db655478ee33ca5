import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { smscPart } from '../../parts/smsc.ts';
import type { SmscPart, SmscPartOptions } from '../../parts/smsc.ts';
import { freePort } from '../../runtime/process/free_port.ts';
import type { Fact, SubmitFact } from '../fact.ts';
import { factsOf, readLog } from '../read_log.ts';
import type { SimulatedCarrier } from '../simulated_carrier.ts';
import { submitsByText } from '../submitted_text.ts';
import { NpmEsme } from './npm_esme.ts';
import type { EsmeOptions } from './npm_esme.ts';

/** A busy machine takes its time; who is there already is not waited for. */
export const PATIENCE = { timeout: 10_000 };

/** A simulated carrier as a process, the ESMEs of a test, and what the log tells. */
export class Stage {
  readonly home: string;
  readonly #options: SmscPartOptions;
  readonly #esmes: NpmEsme[] = [];
  smsc: SmscPart;

  private constructor(home: string, options: SmscPartOptions, smsc: SmscPart) {
    this.home = home;
    this.#options = options;
    this.smsc = smsc;
  }

  static async open(options: Partial<SmscPartOptions> = {}): Promise<Stage> {
    const home = await mkdtemp(join(tmpdir(), 'smsc-'));
    const all: SmscPartOptions = {
      home,
      name: 'tested',
      address: '127.0.0.1',
      port: await freePort(),
      control_port: await freePort(),
      accounts: ['ann', 'ben'].map((system_id) => ({ system_id, password: 'secret' })),
      ...options,
    };
    return new Stage(home, all, await smscPart(all).start());
  }

  get carrier(): SimulatedCarrier {
    return this.smsc.carrier;
  }

  /** After it was stopped or killed: the same once more. */
  async startAgain(): Promise<void> {
    this.smsc = await smscPart(this.#options).start();
  }

  /** Resolves when it is gone. */
  async kill(): Promise<void> {
    this.smsc.kill();
    await this.smsc.stop();
  }

  async close(): Promise<void> {
    await this.smsc.stop();
    await rm(this.home, { recursive: true });
  }

  async bound(options: Partial<EsmeOptions> = {}): Promise<NpmEsme> {
    const esme = await NpmEsme.bound({ address: this.smsc.address, port: this.smsc.port, ...options });
    this.#esmes.push(esme);
    return esme;
  }

  async connected(): Promise<NpmEsme> {
    const esme = await NpmEsme.connect({ address: this.smsc.address, port: this.smsc.port });
    this.#esmes.push(esme);
    return esme;
  }

  /** Ends what a test left, takes what it did not acknowledge, and makes the carrier perfect again. */
  async clear(): Promise<void> {
    await this.carrier.behaviour({});
    await this.#endAll();
    for (const [system_id, waiting] of Object.entries((await this.carrier.state()).waiting)) {
      if (waiting > 0) await (await this.bound({ system_id })).deliveries(waiting);
    }
    await vi.waitFor(async () => {
      const { sessions, waiting } = await this.carrier.state();
      expect(sessions.map(({ bound }) => bound?.unacknowledged ?? 0).filter((count) => count > 0)).toEqual([]);
      expect(waiting).toEqual({ ann: 0, ben: 0 });
    }, PATIENCE);
    await this.#endAll();
  }

  async #endAll(): Promise<void> {
    for (const esme of this.#esmes.splice(0)) esme.end();
    await vi.waitFor(async () => expect((await this.carrier.state()).sessions).toEqual([]), PATIENCE);
  }

  facts<T extends Fact['t']>(t: T): Promise<Extract<Fact, { t: T }>[]> {
    return factsOf(this.smsc.log_file, t);
  }

  async submitOf(text: string): Promise<SubmitFact> {
    const [submit] = submitsByText(await this.facts('submit')).get(text) ?? [];
    if (submit === undefined) throw new Error(`No submit of "${text}" is in the log.`);
    return submit;
  }

  /** What the log says of a text, a line each, without times and numbers. It may come to be there a moment later. */
  async expectStory(id: string, story: readonly string[]): Promise<void> {
    await vi.waitFor(async () => {
      const lines: string[] = [];
      for await (const fact of readLog(this.smsc.log_file)) if ('id' in fact && fact.id === id) lines.push(told(fact));
      expect(lines).toEqual(story);
    }, PATIENCE);
  }
}

function told(fact: Fact): string {
  return [
    fact.t,
    ...('stat' in fact ? [fact.stat] : []),
    ...('copy' in fact && fact.copy > 1 ? ['again'] : []),
    ...('early' in fact ? ['early'] : []),
    ...('try' in fact ? [`try ${fact.try}`] : []),
    ...('status' in fact ? [String(fact.status)] : []),
  ].join(' ');
}
