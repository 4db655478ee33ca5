import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freeNetwork } from '../runtime/process/free_network.ts';
import { asteriskPart } from '../parts/asterisk.ts';
import type { AsteriskPart } from '../parts/asterisk.ts';
import { controllerPart } from '../parts/controller.ts';
import type { ControllerPart } from '../parts/controller.ts';
import { databaseLogin } from '../parts/database_login.ts';
import type { Programs } from '../runtime/machine/programs.ts';
import { freePort } from '../runtime/process/free_port.ts';
import { CarrierPeer } from '../sip/carrier.ts';
import type { Call } from '../sip/call.ts';
import { Phone } from '../sip/phone.ts';
import { LagMeter } from './lag_meter.ts';
import type { Talked } from './lag_meter.ts';
import { makeCarrier, makeCustomer } from './people.ts';
import type { Customer, CustomerWishes } from './people.ts';
import { putDeck } from './tariffs.ts';
import type { DeckRow } from './tariffs.ts';

export interface WorldOptions {
  programs: Programs;
  /** Migrated; of a superuser. */
  database_url: string;
  redis_url: string;
  /** Carriers in the order of their cost; each has its own address, its trunk and a deck of its own. */
  carriers?: readonly string[];
  sell?: readonly DeckRow[];
  buy?: readonly DeckRow[];
  /** Of the controller. */
  settings?: Readonly<Record<string, string>>;
  asterisk_env?: Readonly<Record<string, string>>;
  /** False: carriers send and hear nothing, which many calls at once are cheaper by. */
  carrier_media?: boolean;
}

/**
 * A whole operator on loopback addresses of its own: a real switch, the controller as a process, and as many phones and
 * carriers as wanted, all of them parties of their own. Tests, the demo and the chaos runs live in it.
 */
export class World {
  readonly pool: pg.Pool;
  readonly options: WorldOptions;
  readonly home: string;
  readonly network: string;
  asterisk!: AsteriskPart;
  controller!: ControllerPart;
  readonly carriers = new Map<string, CarrierPeer>();
  readonly #lag = new LagMeter();
  readonly #phones: Phone[] = [];
  readonly #controllers: ControllerPart[] = [];
  #controller_url = '';
  #numbers = 0;
  #phone_addresses = 20;

  private constructor(options: WorldOptions, home: string, network: string) {
    this.options = options;
    this.home = home;
    this.network = network;
    this.pool = new pg.Pool({ connectionString: options.database_url, max: 4 });
    // A test may take the database away; whoever asks it then is told by the rejected query.
    this.pool.on('error', () => undefined);
  }

  static async begin(options: WorldOptions): Promise<World> {
    const world = new World(options, await mkdtemp(join(tmpdir(), 'letsdial-world-')), await freeNetwork());
    try {
      await world.#seed();
      world.#controller_url = await databaseLogin({
        database_url: options.database_url,
        group: 'letsdial_controller',
        password: world.#role_password,
      });
      await world.startAsterisk();
      await world.startController();
    } catch (error) {
      await world.end();
      throw error;
    }
    return world;
  }

  get sip(): { address: string; port: number } {
    return { address: `${this.network}.1`, port: 5060 };
  }

  /** Several worlds may share one throwaway server, and with it the roles: none may change the other's password. */
  get #role_password(): string {
    return new URL(this.options.database_url).password;
  }

  async startAsterisk(): Promise<void> {
    const address = this.sip.address;
    this.asterisk = await asteriskPart({
      programs: this.options.programs.asterisk,
      home: this.home,
      database_url: this.options.database_url,
      sip: this.sip,
      rtp: { first_port: 10_000, last_port: 20_000 },
      http: { address, port: 8088 },
      ami: { address, port: 5038 },
      tls_port: 5061,
      wss_port: 8089,
      certificate: null,
      role_password: this.#role_password,
      ...(this.options.asterisk_env === undefined ? {} : { env: this.options.asterisk_env }),
    }).start();
  }

  /** Starts a controller, or one more as its standby. */
  async startController(
    options: { standby?: boolean; settings?: Readonly<Record<string, string>>; log?: string } = {},
  ): Promise<ControllerPart> {
    const running = await controllerPart({
      home: this.home,
      database_url: this.#controller_url,
      redis_url: this.options.redis_url,
      access: this.asterisk.access,
      port: await freePort(),
      settings: {
        GRANT_SECONDS: '3',
        RECONCILE_SETTLE_MS: '500',
        RECONCILE_MS: '2000',
        DRAIN_MS: '0',
        ...this.options.settings,
        ...options.settings,
      },
      log_file: join(this.home, 'log', options.log ?? 'controller.log'),
      standby: options.standby ?? false,
    }).start();
    this.#controllers.push(running);
    if (options.standby !== true) this.controller = running;
    return running;
  }

  /** Every controller that was ever started, standbys too. */
  async stopControllers(): Promise<void> {
    for (const controller of this.#controllers.splice(0)) await controller.stop();
  }

  /** A new account with a DID of its own; numbers count up. */
  customer(wishes: Omit<CustomerWishes, 'number'> & { number?: string }): Promise<Customer> {
    this.#numbers += 1;
    return makeCustomer(this.pool, { number: `+4930${String(this.#numbers).padStart(7, '0')}`, ...wishes });
  }

  /** A phone of that customer on an address of its own, registered unless told otherwise. */
  async phone(
    customer: Customer,
    options: { register?: boolean; password?: string; media?: boolean } = {},
  ): Promise<Phone> {
    this.#phone_addresses += 1;
    const phone = await Phone.open({
      username: customer.device.username,
      password: options.password ?? customer.device.password,
      server: this.sip,
      address: `${this.network}.${this.#phone_addresses}`,
      ...(options.media === undefined ? {} : { media: options.media }),
    });
    this.#phones.push(phone);
    if (options.register !== false) {
      const registration = await phone.register();
      if (registration.kind !== 'registered')
        throw new Error(`The phone could not register: ${JSON.stringify(registration)}`);
    }
    return phone;
  }

  carrier(name: string): CarrierPeer {
    const peer = this.carriers.get(name);
    if (peer === undefined) throw new Error(`There is no carrier ${name} in this world.`);
    return peer;
  }

  /** How long that party talked, as well as this process can tell. */
  talked({ record }: Pick<Call, 'record'>): Talked {
    return this.#lag.talked(record);
  }

  /** By how much a recorded duration is beyond what that party measured. */
  beyond(duration_ms: number | undefined, call: Pick<Call, 'record'>): number {
    const { least_ms, most_ms } = this.talked(call);
    if (duration_ms === undefined || Number.isNaN(least_ms)) return Number.NaN;
    return Math.max(0, duration_ms - most_ms, least_ms - duration_ms);
  }

  async end(): Promise<void> {
    this.#lag.stop();
    for (const phone of this.#phones) await phone.close();
    for (const carrier of this.carriers.values()) await carrier.close();
    await this.stopControllers();
    // Missing when the beginning failed.
    await (this.asterisk as AsteriskPart | undefined)?.stop();
    await this.pool.end();
    if (process.env['LETSDIAL_KEEP_WORLD'] === undefined) await rm(this.home, { recursive: true, force: true });
    else console.error(`kept ${this.home}`);
  }

  async #seed(): Promise<void> {
    const { carriers = ['alpha'], sell = defaultSell, buy = defaultBuy, carrier_media = true } = this.options;
    await putDeck(this.pool, { name: 'retail', currency: 'EUR', carrier_id: null, rows: sell });
    for (const [n, name] of carriers.entries()) {
      const address = `${this.network}.${5 + n}`;
      const carrier_id = await makeCarrier(this.pool, { carrier: name, trunk: `trunk-${name}`, address, port: 5060 });
      // Each is dearer than the one before it, so the order of the routes is the order of the names.
      const rows = buy.map((row) => ({
        ...row,
        rate_micros_per_minute: row.rate_micros_per_minute + BigInt(n * 1000),
      }));
      await putDeck(this.pool, { name: `buy-${name}`, currency: 'EUR', carrier_id, rows });
      this.carriers.set(name, await CarrierPeer.open({ address, port: 5060, server: this.sip, media: carrier_media }));
    }
  }
}

/** 0.06 a minute is 1,000 micros a second: amounts that a person can check in the head. */
export const defaultSell: readonly DeckRow[] = [
  { prefix: '44', destination: 'United Kingdom', rate_micros_per_minute: 60_000n },
  { prefix: '447', destination: 'United Kingdom mobile', rate_micros_per_minute: 120_000n, connect_fee_micros: 5_000n },
  {
    prefix: '33',
    destination: 'France',
    rate_micros_per_minute: 60_000n,
    initial_increment_seconds: 60,
    subsequent_increment_seconds: 60,
  },
  { prefix: '1', destination: 'North America', rate_micros_per_minute: 30_000n, grace_seconds: 1 },
];

export const defaultBuy: readonly DeckRow[] = [
  { prefix: '44', destination: 'UK', rate_micros_per_minute: 12_000n },
  { prefix: '33', destination: 'FR', rate_micros_per_minute: 12_000n },
  { prefix: '1', destination: 'NANP', rate_micros_per_minute: 6_000n },
];
