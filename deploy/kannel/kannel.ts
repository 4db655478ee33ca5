import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startChild } from '../runtime/process/child.ts';
import type { Child } from '../runtime/process/child.ts';
import { claimTcp } from '../runtime/process/port.ts';
import { untilReady } from '../runtime/process/ready.ts';
import { kannelConfiguration, SENDER } from './configuration.ts';
import type { KannelPlan } from './configuration.ts';
import type { KannelPrograms } from './install.ts';

export interface KannelOptions {
  programs: KannelPrograms;
  /** Holds its configuration and its logs. */
  home: string;
  plan: KannelPlan;
  /** How much its logs tell, from 0, every PDU, to 5, nearly nothing. */
  log_level: number;
}

export interface KannelWish {
  /** A number with its plus, or a name. */
  from: string;
  to: string;
  text: string;
  /** What Kannel calls for each kind of receipt. */
  receipt_url: string;
}

/** Every kind of receipt; see KannelReceipt. */
const ALL_RECEIPTS = 31;
const GSM_7 = 0;
const UCS_2 = 2;

const CONFIGURATION = 'kannel.conf';

/** Kannel as somebody's gateway: bearerbox, which binds to the SMSC, and smsbox, which takes texts over HTTP. */
export class Kannel {
  readonly #plan: KannelPlan;
  readonly #bearerbox: Child;
  readonly #smsbox: Child;

  private constructor(plan: KannelPlan, bearerbox: Child, smsbox: Child) {
    this.#plan = plan;
    this.#bearerbox = bearerbox;
    this.#smsbox = smsbox;
  }

  /** Resolves once it is bound and takes texts. */
  static async start(options: KannelOptions): Promise<Kannel> {
    const { home, plan } = options;
    const { address, ports, password } = plan;
    for (const port of [ports.admin, ports.smsbox, ports.sendsms]) await claimTcp(address, port, 'Kannel');
    await mkdir(home, { recursive: true });
    await writeFile(join(home, CONFIGURATION), kannelConfiguration(plan), { mode: 0o600 });
    const says = async (pattern: RegExp): Promise<boolean> => {
      const status = await asked(`http://${address}:${ports.admin}/status.txt?password=${password}`);
      return status !== null && pattern.test(status);
    };
    const bearerbox = await startBox('bearerbox', options, () => says(/\(online \d+s/u));
    try {
      return new Kannel(plan, bearerbox, await startBox('smsbox', options, () => says(/smsbox:/u)));
    } catch (error) {
      await bearerbox.stop();
      throw error;
    }
  }

  /** Of its two programs. */
  get pids(): readonly [number, number] {
    return [this.#bearerbox.pid, this.#smsbox.pid];
  }

  /** Hands Kannel a text; throws where Kannel does not take it. The encoding is what a person would have to choose. */
  async send({ from, to, text, receipt_url }: KannelWish, encoding: 'gsm7' | 'ucs2'): Promise<void> {
    const query = new URLSearchParams({
      ...{ username: SENDER, password: this.#plan.password, from, to, text, charset: 'UTF-8' },
      coding: String(encoding === 'gsm7' ? GSM_7 : UCS_2),
      'dlr-mask': String(ALL_RECEIPTS),
      'dlr-url': receipt_url,
    });
    const { address, ports } = this.#plan;
    const response = await fetch(`http://${address}:${ports.sendsms}/cgi-bin/sendsms?${query.toString()}`);
    const words = await response.text();
    if (response.status !== 202) throw new Error(`Kannel did not take the text: ${response.status} ${words}`);
  }

  /** smsbox first, so that bearerbox does not wait for it. */
  async stop(): Promise<void> {
    await this.#smsbox.stop();
    await this.#bearerbox.stop();
  }
}

async function startBox(
  box: 'bearerbox' | 'smsbox',
  { programs, home, log_level }: KannelOptions,
  answers: () => Promise<boolean>,
): Promise<Child> {
  const name = `Kannel's ${box}`;
  const log_file = join(home, `${box}.log`);
  const { file, args } = programs[box];
  const child = await startChild({
    name,
    command: { file, args: [...args, '-v', String(log_level), CONFIGURATION] },
    env: programs.env,
    cwd: home,
    log_file,
    stop_signal: 'TERM',
    stop_timeout_ms: 10_000,
  });
  await untilReady(child, { name, log_file, timeout_ms: 30_000, answers });
  return child;
}

/** Null while nobody answers. */
async function asked(url: string): Promise<string | null> {
  try {
    return await (await fetch(url, { signal: AbortSignal.timeout(1000) })).text();
  } catch {
    return null;
  }
}
