import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SippCaller } from '../sip/sipp.ts';
import { startAnswerer, startCallers } from '../sip/sipp.ts';
import type { SippRun } from '../sip/sipp.ts';
import { makeCarrier } from '../world/people.ts';
import { putDeck } from '../world/tariffs.ts';
import { defaultBuy, World } from '../world/world.ts';
import type { WorldOptions } from '../world/world.ts';
import { eventually } from '../world/verdict.ts';
import { cpuMs } from './cpu.ts';

/** `bare`: Dial() in the dialplan, no controller. `controlled`: everything that the product does. */
export type Side = 'bare' | 'controlled';

export interface Measured {
  calls_per_second: number;
  calls: number;
  failed: number;
  pdd_ms_p50: number;
  pdd_ms_p99: number;
  asterisk_cpu_ms_per_call: number;
  node_cpu_ms_per_call: number;
}

/** Device state costs more with every channel of an endpoint, so both sides are spread over several. */
const DEVICES = 16;
const TRUNKS = 4;
const CARRIER_PORT = 5080;
const HOLD_MS = 10_000;

/** One switch that serves both sides with the same configuration: a number behind `bare` is dialled without asking anybody. */
export class CallLoad {
  readonly #world: World;
  readonly #devices: readonly { username: string; password: string }[];
  #answerer: SippRun | null = null;
  #calling: SippRun | null = null;
  #ended = false;
  #caller_port = 6000;
  #controller_is_there = true;

  private constructor(world: World, devices: readonly { username: string; password: string }[]) {
    this.#world = world;
    this.#devices = devices;
  }

  static async begin(options: Omit<WorldOptions, 'carriers'>): Promise<CallLoad> {
    const world = await World.begin({ ...options, carriers: [] });
    const devices: { username: string; password: string }[] = [];
    for (let n = 0; n < DEVICES; n += 1) devices.push((await world.customer({ balance_micros: 10n ** 12n })).device);
    const load = new CallLoad(world, devices);
    await load.#begin();
    return load;
  }

  async measure(side: Side, calls_per_second: number, seconds: number): Promise<Measured> {
    if (this.#ended) throw new Error('Nothing is measured after the end.');
    await this.#withController(side === 'controlled');
    await this.#emptySwitch();
    const before = await this.#cpu();
    const calls = calls_per_second * seconds;
    this.#caller_port += 1;
    this.#calling = await startCallers({
      command: { file: this.#world.options.programs.sipp, args: [] },
      local: { address: `${this.#world.network}.40`, port: this.#caller_port },
      target: this.#world.sip,
      callers: this.#callers(side),
      calls_per_second,
      calls,
      hold_ms: HOLD_MS,
      ends: 'caller',
      seconds_max: seconds + HOLD_MS / 1000 + 20,
      concurrent_max: calls,
    });
    const result = await this.#calling.finished();
    this.#calling = null;
    const after = await this.#cpu();
    return {
      calls_per_second,
      calls: result.calls,
      // A call that sipp did not begin or did not see end is no success either.
      failed: Math.max(result.failed, calls - result.calls),
      pdd_ms_p50: result.pdd_ms_p50 ?? Infinity,
      pdd_ms_p99: result.pdd_ms_p99 ?? Infinity,
      asterisk_cpu_ms_per_call: (after.asterisk - before.asterisk) / calls,
      node_cpu_ms_per_call: (after.node - before.node) / calls,
    };
  }

  get world(): World {
    return this.#world;
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#calling?.stop();
    await this.#answerer?.stop();
    await this.#world.end();
  }

  async #begin(): Promise<void> {
    const { pool, network, asterisk, home } = this.#world;
    const carrier = { address: `${network}.30`, port: CARRIER_PORT };
    for (let n = 1; n <= TRUNKS; n += 1) {
      const carrier_id = await makeCarrier(pool, { carrier: 'bench', trunk: `trunk-bench-${n}`, ...carrier });
      if (n === TRUNKS) await putDeck(pool, { name: 'buy-bench', currency: 'EUR', carrier_id, rows: defaultBuy });
    }
    await appendFile(join(home, 'asterisk/etc/extensions.conf'), bareExtension);
    await asterisk.command('dialplan reload');
    this.#answerer = await startAnswerer({
      command: { file: this.#world.options.programs.sipp, args: [] },
      local: carrier,
      ring_ms: 100,
      hold_ms: HOLD_MS,
      ends: 'caller',
      seconds_max: 3600,
    });
  }

  /** What a rate that was too high left behind would be a load on the next one. */
  async #emptySwitch(): Promise<void> {
    const { asterisk } = this.#world;
    await asterisk.command('channel request hangup all');
    await eventually('an empty switch', 60_000, async () =>
      /^0 active channels/mu.test(await asterisk.command('core show channels count')) ? true : null,
    );
  }

  /** Bare calls are made without a controller, which would hang up what nobody pays for. */
  async #withController(wanted: boolean): Promise<void> {
    if (wanted === this.#controller_is_there) return;
    if (wanted) await this.#world.startController();
    else await this.#world.controller.stop();
    this.#controller_is_there = wanted;
  }

  async #cpu(): Promise<{ asterisk: number; node: number }> {
    const asterisk = await cpuMs(this.#world.asterisk.pid);
    return { asterisk, node: this.#controller_is_there ? await cpuMs(this.#world.controller.pid) : 0 };
  }

  #callers(side: Side): SippCaller[] {
    const prefix = side === 'bare' ? 'bare' : '+';
    return this.#devices.map((device, n) => ({
      ...device,
      number: `${prefix}4420718387${String(n).padStart(2, '0')}`,
    }));
  }
}

const bareExtension = `
[from-device](+)
exten => _bare.,1,Dial(PJSIP/+\${EXTEN:4}@trunk-bench-\$[(\${EXTEN:-1} % ${TRUNKS}) + 1],90,i)
 same => n,Hangup()
`;
