import type { AcceptedText } from '../../chaos/sms/writers.ts';
import type { TextWorld } from '../../world/text_world.ts';
import { eventually } from '../../world/verdict.ts';
import { GatewayMemory } from '../memory/gateway_memory.ts';
import type { SoakFindings } from '../verdict.ts';
import { BoundCustomer } from './bound_customer.ts';
import { Cutter } from './cutter.ts';
import { HttpCustomer } from './http_customer.ts';
import { Phones } from './phones.ts';
import { Recipients } from './recipients.ts';
import { steadily } from './steadily.ts';

const CARRIERS = [
  { name: 'alpha', country: 'GB' },
  { name: 'beta', country: 'DE' },
];
/** Each is cut every twelve seconds, so that its wait before the next attempt begins anew, as it does after ten. */
const BINDS_PER_CARRIER = 3;
const CUSTOMER_BINDS = 2;
/** Of all texts. */
const OVER_SMPP = 0.1;
const INCOMING_PER_SECOND = 0.5;
const BOUND_MS = 30_000;
const SETTLE_MS = 180_000;

/** Everybody who takes part, and what each of them knows at the end. */
export class SoakRun {
  readonly #world: TextWorld;
  readonly #cutter: Cutter;
  readonly #http: HttpCustomer;
  readonly #bound: BoundCustomer;
  readonly #phones: Phones;
  readonly #mishaps: string[] = [];
  #memory: GatewayMemory | null = null;
  #stopLoad: (() => void)[] = [];
  is_ended = false;

  private constructor(world: TextWorld, cutter: Cutter, http: HttpCustomer, bound: BoundCustomer) {
    this.#world = world;
    this.#cutter = cutter;
    this.#http = http;
    this.#bound = bound;
    this.#phones = new Phones(world, bound.texter.number);
  }

  /** Resolves when all are bound. */
  static async begin(world: TextWorld): Promise<SoakRun> {
    const recipients = new Recipients();
    const cutter = await Cutter.begin(world, CARRIERS, BINDS_PER_CARRIER);
    let run: SoakRun | null = null;
    try {
      const http = await HttpCustomer.begin(world, recipients);
      const bound = await BoundCustomer.begin(world, recipients, CUSTOMER_BINDS);
      cutter.cutAlso(bound);
      const begun = (run = new SoakRun(world, cutter, http, bound));
      await eventually('every bind', BOUND_MS, () => begun.#areAllBound());
      return begun;
    } catch (error) {
      // Lines that stay open would keep the process.
      await (run === null ? cutter.close() : run.end());
      throw error;
    }
  }

  get accepted(): readonly AcceptedText[] {
    return [...this.#http.accepted, ...this.#bound.accepted];
  }

  get findings(): Omit<SoakFindings, 'minutes' | 'evidence'> {
    const refused = [...this.#http.refused, ...this.#bound.refused];
    return {
      reconnects: this.#cutter.reconnects,
      bound_accepted: this.#bound.accepted.map(({ message_id }) => message_id),
      told: this.#bound.told,
      incoming: this.#phones.acknowledged,
      heard: this.#bound.heard,
      mishaps: [
        ...this.#mishaps,
        ...[...new Set(refused)].map((why) => `Refused: ${why}`),
        ...this.#phones.failed,
        ...(this.#http.skipped === 0 ? [] : [`The gateway was behind: ${this.#http.skipped} texts were not sent.`]),
      ],
      held: this.#memory?.samples ?? [],
    };
  }

  load(per_second: number): void {
    this.#memory = GatewayMemory.begin(this.#world.gateway);
    this.#stopLoad = [
      steadily(per_second * (1 - OVER_SMPP), () => this.#http.send()),
      steadily(per_second * OVER_SMPP, () => this.#bound.send()),
      steadily(INCOMING_PER_SECOND, () => this.#phones.send()),
    ];
  }

  async cut(): Promise<void> {
    if (!this.is_ended) await this.#cutter.cut();
  }

  /** No new texts and no more cuts; what the gateway holds is judged up to here. */
  async unload(): Promise<void> {
    for (const stop of this.#stopLoad.splice(0)) stop();
    await this.#memory?.stop();
    await this.#cutter.end();
    await this.#http.stop();
  }

  /** Resolves when every text has its receipt and everybody has heard what he is to hear; or when that takes too long, which is told. */
  async settle(): Promise<void> {
    let waits = '';
    await eventually('the end of every text', SETTLE_MS, async () => {
      waits = (await this.#waiting()).join(', ');
      return waits === '' ? true : null;
    }).catch((error: unknown) => {
      if (waits === '') throw error;
      this.#mishaps.push(`After ${SETTLE_MS / 1000} s there still waits: ${waits}.`);
    });
  }

  /** For a person: `  1:30  26,900 texts  88 reconnects  131.2 MB`. */
  line(second: number): string {
    const { rss_mb = 0, heap_mb = 0, external_mb = 0, fds = 0, handles = 0 } = this.#memory?.latest ?? {};
    return [
      `${Math.floor(second / 60)}:${String(second % 60).padStart(2, '0')}`.padStart(7),
      `${this.accepted.length.toLocaleString('en')} texts`.padStart(14),
      `${this.#bound.told.size.toLocaleString('en')} receipts told`.padStart(21),
      `${this.#cutter.reconnects} reconnects`.padStart(15),
      `RSS ${rss_mb.toFixed(1)} MB`.padStart(13),
      `heap ${heap_mb.toFixed(1)} MB and ${external_mb.toFixed(1)} MB outside`,
      `${fds} files, ${handles} handles`,
    ].join('  ');
  }

  async end(): Promise<void> {
    if (this.is_ended) return;
    this.is_ended = true;
    try {
      await this.unload();
    } finally {
      await this.#bound.stop();
      await this.#cutter.close();
    }
  }

  async #areAllBound(): Promise<true | null> {
    for (const { carrier } of this.#world.carriers.values()) {
      const { sessions } = await carrier.state();
      if (sessions.filter(({ bound }) => bound !== null).length < BINDS_PER_CARRIER) return null;
    }
    return this.#bound.is_bound ? true : null;
  }

  /** What is under way, by where; empty when nothing is. */
  async #waiting(): Promise<string[]> {
    const { rows } = await this.#world.pool.query<{ texts: number; parked: number; deliveries: number }>(
      `select (select count(*) from message_queue where state in ('w', 'c'))::integer as texts,
              -- Those of a text whose answer was lost with its connection wait for nothing: nobody knows that id.
              (select count(*) from parked_receipt r
                where exists (select 1 from message_event e
                               where e.carrier_id = r.carrier_id and e.carrier_message_id = any(r.carrier_message_ids)))::integer as parked,
              (select count(*) from customer_delivery where dead_at is null)::integer as deliveries`,
    );
    return [
      [rows[0]?.texts ?? 0, 'texts in the queue'] as const,
      [rows[0]?.parked ?? 0, 'receipts that have not met their text'] as const,
      [rows[0]?.deliveries ?? 0, 'deliveries to the customer'] as const,
      [await this.#world.withCarriers(), 'receipts and texts at the carriers'] as const,
      [this.#bound.in_flight, 'texts of the customer without an answer'] as const,
      [this.#phones.waiting, 'incoming texts without an acknowledgement'] as const,
    ].flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`]));
  }
}
