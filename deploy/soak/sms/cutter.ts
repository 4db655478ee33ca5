import type { TextWorld } from '../../world/text_world.ts';
import { makeBind } from '../../world/texts.ts';
import type { BoundCustomer } from './bound_customer.ts';
import { Line } from './line.ts';

const SMPP_PORT = 2775;
/** The last octet of the first line's address; carriers have those from 5 on. */
const FIRST_LINE = 20;
/** So often a carrier is away as a whole, for a second. */
const AWAY_ONE_IN = 30;

export interface CarrierLine {
  name: string;
  /** Each carrier takes one country, so that neither is idle. */
  country: string;
}

/** Cuts one connection after another: a bind of ours at a carrier and one of a customer at us, in turns. */
export class Cutter {
  readonly #world: TextWorld;
  readonly #lines: readonly Line[];
  #cuts = 0;
  #away: string | null = null;
  #customer: BoundCustomer | null = null;

  private constructor(world: TextWorld, lines: readonly Line[]) {
    this.#world = world;
    this.#lines = lines;
  }

  /** Gives each carrier its binds, each over a line of its own. */
  static async begin(world: TextWorld, carriers: readonly CarrierLine[], binds_per_carrier: number): Promise<Cutter> {
    const lines: Line[] = [];
    for (const { name, country } of carriers) {
      const carrier = world.carrier(name);
      for (let bind = 1; bind <= binds_per_carrier; bind += 1) {
        const at = { address: `${world.network}.${FIRST_LINE + lines.length}`, port: SMPP_PORT };
        lines.push(await Line.open(at, carrier));
        await makeBind(world.pool, {
          ...{ id: `${name}-${bind}`, carrier_id: carrier.carrier_id, host: at.address, port: at.port },
          ...{ system_id: 'letsdial', password: 'secret', more: { countries: [country] } },
        });
      }
    }
    return new Cutter(world, lines);
  }

  /** Whose binds are cut between the carriers'. */
  cutAlso(customer: BoundCustomer): void {
    this.#customer = customer;
  }

  /** Connections that were made anew. */
  get reconnects(): number {
    const carriers = this.#lines.reduce((sum, { connections }) => sum + Math.max(0, connections - 1), 0);
    return carriers + (this.#customer?.reconnects ?? 0);
  }

  async cut(): Promise<void> {
    await this.#bringBack();
    this.#cuts += 1;
    if (this.#cuts % AWAY_ONE_IN === 0) await this.#takeAway();
    else if (this.#cuts % 2 === 0) this.#customer?.cut();
    else this.#lines[((this.#cuts - 1) / 2) % this.#lines.length]?.cut();
  }

  /** Leaves every carrier as it should be. */
  async end(): Promise<void> {
    await this.#bringBack();
  }

  async close(): Promise<void> {
    await Promise.all(this.#lines.map((line) => line.close()));
  }

  async #takeAway(): Promise<void> {
    const names = [...this.#world.carriers.keys()];
    const name = names[(this.#cuts / AWAY_ONE_IN) % names.length];
    if (name === undefined) return;
    this.#away = name;
    await this.#world.carrier(name).carrier.listen(false);
  }

  async #bringBack(): Promise<void> {
    if (this.#away === null) return;
    await this.#world.carrier(this.#away).carrier.listen(true);
    this.#away = null;
  }
}
