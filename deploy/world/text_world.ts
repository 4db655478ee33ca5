import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freeNetwork } from '../runtime/process/free_network.ts';
import { databaseLogin } from '../parts/database_login.ts';
import { smsGatewayPart } from '../parts/sms_gateway.ts';
import type { SmsGatewayPart } from '../parts/sms_gateway.ts';
import { smscPart } from '../parts/smsc.ts';
import type { SmscPart, SmscPartOptions } from '../parts/smsc.ts';
import { makeCarrier, makeCustomer } from './people.ts';
import type { Customer, CustomerWishes } from './people.ts';
import { putTextDeck } from './tariffs.ts';
import type { TextDeckRow } from './tariffs.ts';
import { makeApiKey, makeBind } from './texts.ts';
import type { BindWishes } from './texts.ts';

export interface TextWorldOptions {
  /** Migrated; of a superuser. */
  database_url: string;
  redis_url: string;
  /** Carriers in the order of their cost, each an SMSC of its own. */
  carriers?: readonly string[];
  binds_per_carrier?: number;
  sell?: readonly TextDeckRow[];
  buy?: readonly TextDeckRow[];
  /** Of the gateway. */
  settings?: Readonly<Record<string, string>>;
  smsc?: Pick<SmscPartOptions, 'behaviour' | 'log'>;
  bind?: Partial<BindWishes>;
  /** Where the worlds of a run keep their files; a new folder by default. */
  home?: string;
}

export interface Texter extends Customer {
  api_key: string;
}

const SYSTEM_ID = 'letsdial';
const PASSWORD = 'secret';

/** An operator of texts on loopback addresses of its own: a gateway as a process, and carriers that are others. */
export class TextWorld {
  readonly pool: pg.Pool;
  readonly home: string;
  readonly network: string;
  readonly carriers = new Map<string, SmscPart & { carrier_id: number }>();
  gateway!: SmsGatewayPart;
  readonly #options: TextWorldOptions;
  #gateway_url = '';
  #numbers = 0;

  private constructor(options: TextWorldOptions, home: string, network: string) {
    this.#options = options;
    this.home = home;
    this.network = network;
    this.pool = new pg.Pool({ connectionString: options.database_url, max: 4 });
    // A test may take the database away; whoever asks it then is told by the rejected query.
    this.pool.on('error', () => undefined);
  }

  static async begin(options: TextWorldOptions): Promise<TextWorld> {
    const home = options.home ?? (await mkdtemp(join(tmpdir(), 'letsdial-texts-')));
    const world = new TextWorld(options, home, await freeNetwork());
    try {
      await world.#seed();
      world.#gateway_url = await databaseLogin({
        database_url: options.database_url,
        group: 'letsdial_gateway',
        password: new URL(options.database_url).password,
      });
      await world.startGateway();
    } catch (error) {
      await world.end();
      throw error;
    }
    return world;
  }

  async startGateway(
    options: { settings?: Readonly<Record<string, string>>; log?: string } = {},
  ): Promise<SmsGatewayPart> {
    this.gateway = await smsGatewayPart({
      home: this.home,
      database_url: this.#gateway_url,
      redis_url: this.#options.redis_url,
      host: `${this.network}.1`,
      ports: { http: 8710, smpp: 2775, observe: 8711 },
      settings: { DRAIN_MS: '2000', ...this.#options.settings, ...options.settings },
      log_file: join(this.home, 'log', options.log ?? 'sms-gateway.log'),
    }).start();
    return this.gateway;
  }

  carrier(name: string): SmscPart & { carrier_id: number } {
    const part = this.carriers.get(name);
    if (part === undefined) throw new Error(`There is no carrier ${name} in this world.`);
    return part;
  }

  /** A new account with a number of its own, money and an API key. */
  async texter(wishes: Omit<CustomerWishes, 'number'> & { number?: string }): Promise<Texter> {
    this.#numbers += 1;
    const number = wishes.number ?? `+4940${String(this.#numbers).padStart(7, '0')}`;
    const customer = await makeCustomer(this.pool, { ...wishes, number });
    return { ...customer, api_key: await makeApiKey(this.pool, customer.account_id) };
  }

  /** Lifts what screening limits by default, for whoever is to load the gateway. */
  async unlimited(account_id: string): Promise<void> {
    await this.pool.query(
      `insert into text_limit (account_id, texts_per_second_max, texts_per_day_max) values ($1, 100000, 1000000000)`,
      [account_id],
    );
  }

  /** Texts that have not come to their end with the carriers, and receipts and MOs that these have yet to bring. */
  async withCarriers(): Promise<number> {
    let count = 0;
    for (const { carrier } of this.carriers.values()) {
      const { unfinished, waiting, sessions } = await carrier.state();
      count += unfinished + Object.values(waiting).reduce((sum, one) => sum + one, 0);
      count += sessions.reduce((sum, { bound }) => sum + (bound?.unacknowledged ?? 0), 0);
    }
    return count;
  }

  async end(): Promise<void> {
    // Missing when the beginning failed.
    await (this.gateway as SmsGatewayPart | undefined)?.stop();
    for (const carrier of this.carriers.values()) await carrier.stop();
    await this.pool.end();
    if (process.env['LETSDIAL_KEEP_WORLD'] === undefined) await rm(this.home, { recursive: true, force: true });
    else console.error(`kept ${this.home}`);
  }

  async #seed(): Promise<void> {
    const { carriers = ['alpha'], sell = defaultTextSell, buy = defaultTextBuy } = this.#options;
    await putTextDeck(this.pool, { name: 'retail-texts', currency: 'EUR', carrier_id: null, rows: sell });
    for (const [n, name] of carriers.entries()) {
      const address = `${this.network}.${5 + n}`;
      const carrier_id = await makeCarrier(this.pool, { carrier: name, trunk: `trunk-${name}`, address, port: 5060 });
      // Each is dearer than the one before it, so the order of the routes is the order of the names.
      const rows = buy.map((row) => ({
        ...row,
        rate_micros_per_segment: row.rate_micros_per_segment + BigInt(n * 100),
      }));
      await putTextDeck(this.pool, { name: `buy-texts-${name}`, currency: 'EUR', carrier_id, rows });
      const part = await smscPart({
        home: this.home,
        name,
        address,
        port: 2775,
        control_port: 8775,
        accounts: [{ system_id: SYSTEM_ID, password: PASSWORD }],
        ...this.#options.smsc,
      }).start();
      this.carriers.set(name, { ...part, carrier_id });
      for (let bind = 1; bind <= (this.#options.binds_per_carrier ?? 1); bind += 1) {
        await makeBind(this.pool, {
          ...{ id: `${name}-${bind}`, carrier_id, host: address, port: 2775, system_id: SYSTEM_ID, password: PASSWORD },
          ...this.#options.bind,
        });
      }
    }
  }
}

export const defaultTextSell: readonly TextDeckRow[] = [
  { prefix: '44', destination: 'United Kingdom', rate_micros_per_segment: 40_000n },
  { prefix: '49', destination: 'Germany', rate_micros_per_segment: 70_000n },
  { prefix: '33', destination: 'France', rate_micros_per_segment: 50_000n },
];

export const defaultTextBuy: readonly TextDeckRow[] = [
  { prefix: '44', destination: 'UK', rate_micros_per_segment: 20_000n },
  { prefix: '49', destination: 'DE', rate_micros_per_segment: 50_000n },
  { prefix: '33', destination: 'FR', rate_micros_per_segment: 30_000n },
];
