import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Kannel } from '../kannel/kannel.ts';
import { SENDER } from '../kannel/configuration.ts';
import type { KannelPrograms } from '../kannel/install.ts';
import { smscPart } from '../parts/smsc.ts';
import type { SmscPart } from '../parts/smsc.ts';
import { cpuMs } from './cpu.ts';
import { HttpLoad } from './http_load.ts';
import { runReceipted } from './receipted_load.ts';
import { SampleTexts } from './sample_texts.ts';
import { CONNECTIONS } from './text_load.ts';

export interface KannelLoadOptions {
  programs: KannelPrograms;
  home: string;
  /** A loopback address that nobody else uses. */
  address: string;
}

export interface KannelMeasured {
  /** Accepted, sent and with their receipts. */
  per_second: number;
  /** CPU microseconds a text, of both its programs. */
  kannel_us: number;
  failed: number;
}

const PORTS = { admin: 13_000, smsbox: 13_001, sendsms: 13_013, smsc: 2775, smsc_control: 8775 };
const ACCOUNT = { system_id: 'kannel', password: 'secret' };
/** As many as ours may have. */
const WINDOW = 100;
const ALL_RECEIPTS = 31;
const ERRORS_ONLY = 3;

/**
 * What Kannel makes of the same load on the same machine: texts by HTTP over as many connections, kept in a spool on disk until they are sent
 * (it does not wait for the disk), receipts matched in its memory and told to nobody. It neither routes nor charges.
 */
export class KannelLoad {
  readonly #smsc: SmscPart;
  readonly #kannel: Kannel;
  readonly #address: string;
  readonly #texts = new SampleTexts();

  private constructor(smsc: SmscPart, kannel: Kannel, address: string) {
    this.#smsc = smsc;
    this.#kannel = kannel;
    this.#address = address;
  }

  static async begin({ programs, home, address }: KannelLoadOptions): Promise<KannelLoad> {
    const spool = join(home, 'spool');
    await mkdir(spool, { recursive: true });
    const smsc = await smscPart({
      ...{ home, name: 'kannel', address, port: PORTS.smsc, control_port: PORTS.smsc_control },
      ...{ accounts: [ACCOUNT], log: 'counts' },
    }).start();
    try {
      const plan = {
        ...{ address, ports: PORTS, password: ACCOUNT.password, smsc: { address, port: PORTS.smsc, ...ACCOUNT } },
        ...{ text_url: null, spool, window: WINDOW },
      };
      return new KannelLoad(smsc, await Kannel.start({ programs, home, plan, log_level: ERRORS_ONLY }), address);
    } catch (error) {
      await smsc.stop();
      throw error;
    }
  }

  async run(seconds: number): Promise<KannelMeasured> {
    const cpu_before_ms = await this.#cpuMs();
    const load = new HttpLoad({
      ...{ host: this.#address, port: PORTS.sendsms, connections: CONNECTIONS, per_second: null },
      nextRequest: () => this.#nextRequest(),
    });
    const { accepted, failed, receipted_per_second } = await runReceipted(load, this.#smsc.carrier, seconds);
    return {
      per_second: receipted_per_second,
      kannel_us: (((await this.#cpuMs()) - cpu_before_ms) * 1000) / accepted,
      failed,
    };
  }

  async stop(): Promise<void> {
    await this.#kannel.stop();
    await this.#smsc.stop();
  }

  async #cpuMs(): Promise<number> {
    const each = await Promise.all(this.#kannel.pids.map((pid) => cpuMs(pid)));
    return each.reduce((sum, ms) => sum + ms, 0);
  }

  #nextRequest(): string {
    const { recipient, text } = this.#texts.next();
    const query = new URLSearchParams({
      ...{ username: SENDER, password: ACCOUNT.password, from: '4940100', to: recipient, text },
      'dlr-mask': String(ALL_RECEIPTS),
    });
    return `GET /cgi-bin/sendsms?${query.toString()} HTTP/1.1\r\nhost: kannel\r\n\r\n`;
  }
}
