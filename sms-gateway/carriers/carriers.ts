import type { Logger } from 'pino';
import type { Clock } from '../smpp/clock.ts';
import type { OutbindRequest } from '../smpp/server.ts';
import type { SessionSettings } from '../smpp/session_settings.ts';
import type { CountryOf } from './admission.ts';
import type { BindRow } from './bind_row.ts';
import { CarrierBind } from './carrier_bind.ts';
import { isExpected } from './expected_outbind.ts';
import type { OutbindVerdict } from './expected_outbind.ts';
import type { BindOwner } from './carrier_bind.ts';

export interface CarriersOptions {
  session: SessionSettings;
  owner: Pick<BindOwner, 'onDelivery'>;
  /** The binds of a carrier are others now, or one of them came or went. */
  onBinds: (carrier_id: number, binds: readonly CarrierBind[]) => void;
  /** One of its binds may have room. */
  onRoom: (carrier_id: number) => void;
  clock: Clock;
  /** The time of day. */
  now: () => number;
  random: () => number;
  countryOf: CountryOf;
  log: Logger;
}

/** All binds, as the rows of carrier_bind say; changed while running, without touching those that stay as they are. */
export class Carriers {
  readonly #options: CarriersOptions;
  readonly #binds = new Map<string, CarrierBind>();
  /** Binds that are ending, which stop is to wait for. */
  readonly #ending = new Set<Promise<void>>();

  constructor(options: CarriersOptions) {
    this.#options = options;
  }

  get binds(): readonly CarrierBind[] {
    return [...this.#binds.values()];
  }

  /** Whether there is any that texts could be sent by. */
  get is_bound(): boolean {
    return this.binds.some((bind) => bind.is_bound);
  }

  apply(rows: readonly BindRow[]): void {
    const wanted = new Map(rows.filter((row) => row.enabled && row.carrier_enabled).map((row) => [row.id, row]));
    const touched = new Set<number>();
    for (const [id, bind] of this.#binds) {
      if (isSame(bind.row, wanted.get(id))) continue;
      this.#binds.delete(id);
      touched.add(bind.row.carrier_id);
      this.#end(bind);
    }
    for (const [id, row] of wanted) {
      if (this.#binds.has(id)) continue;
      const bind = this.#make(row);
      this.#binds.set(id, bind);
      touched.add(row.carrier_id);
      bind.start();
    }
    for (const carrier_id of touched) this.#tell(carrier_id);
  }

  /** A carrier connected to us, to be bound to. */
  onOutbind(request: OutbindRequest): OutbindVerdict {
    const expected = this.binds.filter(({ row }) => isExpected(row, request));
    const bind = expected.find((one) => one.awaits_carrier);
    if (bind !== undefined) return { kind: 'taken', owner: bind.takeOutbind(request.session) };
    return { kind: expected.length === 0 ? 'unexpected' : 'busy' };
  }

  /** Unbinds everywhere in good order. */
  async stop(): Promise<void> {
    for (const bind of this.#binds.values()) this.#end(bind);
    this.#binds.clear();
    await Promise.all(this.#ending);
  }

  #make(row: BindRow): CarrierBind {
    const { session, owner, onRoom, clock, now, random, countryOf, log } = this.#options;
    return new CarrierBind({
      row,
      session,
      clock,
      now,
      random,
      countryOf,
      log,
      owner: {
        onRoom: () => onRoom(row.carrier_id),
        onBound: () => this.#tell(row.carrier_id),
        onLost: () => this.#tell(row.carrier_id),
        onDelivery: (bind, pdu, respond) => owner.onDelivery(bind, pdu, respond),
      },
    });
  }

  #end(bind: CarrierBind): void {
    const ended: Promise<void> = bind.stop().finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  #tell(carrier_id: number): void {
    this.#options.onBinds(
      carrier_id,
      this.binds.filter(({ row }) => row.carrier_id === carrier_id),
    );
  }
}

function isSame(row: BindRow, other: BindRow | undefined): boolean {
  return other !== undefined && JSON.stringify(row) === JSON.stringify(other);
}
