import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { E164 } from '../../domain/numbers/e164.ts';
import type { Backlog, DeliveryBacklog } from '../../domain/texts/backlog.ts';
import type { Acceptance } from '../accept/acceptor.ts';
import type { QueueRoom } from '../accept/queue_room.ts';
import type { CarrierBind } from '../carriers/carrier_bind.ts';
import type { Lane } from '../lanes/lane.ts';
import { CountryMetrics } from './country_metrics.ts';

/** What is looked at when somebody asks. */
export interface Observed {
  binds: () => readonly CarrierBind[];
  lanes: () => readonly Lane[];
  accept_waiting: () => number;
  room: Pick<QueueRoom, 'texts' | 'account_texts_most' | 'texts_max' | 'account_texts_max'>;
  outcomes_unwritten: () => number;
  receipts_waiting: () => number;
  smpp_sessions: () => number;
  /** ISO 3166-1; null for a number of no country. */
  countryOf: (number: E164) => string | null;
}

const ACCEPT_BUCKETS = [0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** What an operator watches. Names follow Prometheus: base units, `_total` for counters. */
export class Metrics {
  readonly registry = new Registry();
  readonly countries: CountryMetrics;
  readonly refused_total: Counter<'source' | 'code'>;
  readonly accept_seconds: Histogram;
  readonly receipts_total: Counter<'carrier' | 'state' | 'verdict'>;
  readonly unreadable_total: Counter<'carrier' | 'verdict'>;
  readonly unheard_total: Counter<'carrier'>;
  readonly arrived_total: Counter<'carrier' | 'holder' | 'keyword'>;
  readonly webhooks_total: Counter<'result'>;
  readonly screened_total: Counter<'verdict' | 'by'>;
  readonly customer_binds_total: Counter<'result'>;
  readonly recovered_total: Counter<'verdict'>;
  readonly #backlog: Gauge<'what'>;
  readonly #deliveries: Gauge<'channel'>;
  readonly #delivery_age: Gauge<'channel'>;

  constructor(observed: Observed) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> =>
      new Counter({ name: `letsdial_texts_${name}_total`, help, labelNames: [...labelNames], registers });
    this.countries = new CountryMetrics(this.registry, observed.countryOf);
    this.refused_total = counter('refused', 'Texts refused, by why.', ['source', 'code']);
    this.accept_seconds = new Histogram({
      name: 'letsdial_texts_accept_seconds',
      help: 'Of texts that were accepted or refused: from the request to its answer.',
      buckets: ACCEPT_BUCKETS,
      registers,
    });
    this.receipts_total = counter('receipts', 'Receipts by what they said and what became of them.', [
      'carrier',
      'state',
      'verdict',
    ]);
    this.unreadable_total = counter(
      'unreadable_receipts',
      'Receipts that could not be read, by whether they are kept.',
      ['carrier', 'verdict'],
    );
    this.unheard_total = counter('unheard', 'Texts that a carrier took, and of which it never told what became.', [
      'carrier',
    ]);
    this.arrived_total = counter('arrived', 'Incoming texts, by whether somebody holds the number.', [
      'carrier',
      'holder',
      'keyword',
    ]);
    this.webhooks_total = counter('webhooks', 'Attempts to tell customers, by how they went.', ['result']);
    this.screened_total = counter('screened', 'Texts that did not simply pass, and what stood in their way.', [
      'verdict',
      'by',
    ]);
    this.customer_binds_total = counter('customer_binds', 'Attempts to tell customers over their binds.', ['result']);
    this.recovered_total = counter('recovered', 'Texts found in the hands of a gateway that had ended.', ['verdict']);
    this.#bindGauges(observed);
    this.#laneGauges(observed);
    const [what, channel] = [['what'] as const, ['channel'] as const];
    this.#backlog = this.#counted(
      'backlog',
      'Texts and receipts in the database that wait for something, by what for.',
      what,
    );
    this.#deliveries = this.#counted('deliveries', 'What customers are still to be told.', channel);
    const age = 'For how long the oldest of what customers are still to be told has been due.';
    this.#delivery_age = this.#counted('delivery_age_seconds', age, channel);
    this.#gauge('accept_waiting', 'Texts that are being stored.', observed.accept_waiting);
    this.#roomGauges(observed);
    this.#gauge('outcomes_unwritten', 'Answers of carriers that are not stored yet.', observed.outcomes_unwritten);
    this.#gauge('receipts_waiting', 'Receipts that are not stored yet.', observed.receipts_waiting);
    this.#gauge('smpp_sessions', 'Customers’ connections.', observed.smpp_sessions);
  }

  /** What came of a text that somebody wanted sent. */
  answered(source: string, acceptance: Acceptance, took_ms: number): void {
    this.accept_seconds.observe(took_ms / 1000);
    if (acceptance.kind === 'refused') this.refused_total.inc({ source, code: acceptance.refusal.code });
  }

  #bindGauges({ binds }: Observed): void {
    const registers = [this.registry];
    const labelNames = ['bind', 'carrier'];
    const ofBind = (name: string, help: string, value: (bind: CarrierBind) => number): void => {
      new Gauge({
        name: `letsdial_bind_${name}`,
        help,
        labelNames,
        registers,
        collect() {
          this.reset();
          for (const bind of binds()) this.set({ bind: bind.row.id, carrier: bind.row.carrier }, value(bind));
        },
      });
    };
    ofBind('bound', '1 while the bind is there.', (bind) => (bind.is_bound ? 1 : 0));
    ofBind('in_flight', 'Parts without an answer.', (bind) => bind.in_flight);
    ofBind('pace_per_second', 'Parts that it may send in a second at the moment.', (bind) => bind.per_second);
    ofBind('response_seconds_sum', 'Seconds from parts to their answers.', (bind) => bind.latency.sum_s);
    ofBind('response_seconds_count', 'Answers to parts.', (bind) => bind.latency.count);
    this.#bindLatency(binds);
    for (const what of ['submitted', 'accepted', 'refused', 'throttled', 'unanswered', 'late'] as const) {
      ofBind(`${what}_total`, `Parts: ${what}, since the bind was made.`, (bind) => bind.counters[what]);
    }
  }

  /** Under the name by which Prometheus knows the buckets of a histogram. */
  #bindLatency(binds: Observed['binds']): void {
    new Gauge({
      name: 'letsdial_bind_response_seconds_bucket',
      help: 'Answers that took no longer than le seconds.',
      labelNames: ['bind', 'carrier', 'le'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const { row, latency } of binds()) {
          const { id, carrier } = row;
          for (const { le, count } of latency.buckets()) this.set({ bind: id, carrier, le }, count);
        }
      },
    });
  }

  /** What waits in the database, as it was counted last. */
  counted(backlog: Backlog, deliveries: readonly DeliveryBacklog[]): void {
    for (const [what, count] of Object.entries<number>({ ...backlog })) this.#backlog.set({ what }, count);
    for (const { channel, waiting, oldest_due_seconds } of deliveries) {
      this.#deliveries.set({ channel }, waiting);
      this.#delivery_age.set({ channel }, oldest_due_seconds);
    }
  }

  #counted<L extends string>(name: string, help: string, labelNames: readonly L[]): Gauge<L> {
    return new Gauge({
      name: `letsdial_texts_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [this.registry],
    });
  }

  /** Each beside what it may be at most, for whoever wants to hear before the first text is refused. */
  #roomGauges({ room }: Observed): void {
    this.#gauge('queued', 'Texts that wait for carriers.', () => room.texts);
    this.#gauge('queued_max', 'With so many, new ones are refused.', () => room.texts_max);
    const most = 'Of the account that has the most: texts that wait for carriers, and those for later.';
    this.#gauge('queued_of_account_most', most, () => room.account_texts_most);
    const account_max = 'With so many, new ones of that account are refused.';
    this.#gauge('queued_of_account_max', account_max, () => room.account_texts_max);
  }

  #laneGauges({ lanes }: Observed): void {
    new Gauge({
      name: 'letsdial_lane_texts',
      help: 'Texts in memory for a carrier.',
      labelNames: ['carrier_id'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const lane of lanes()) this.set({ carrier_id: String(lane.carrier_id) }, lane.depth);
      },
    });
  }

  #gauge(name: string, help: string, value: () => number): void {
    new Gauge({
      name: `letsdial_texts_${name}`,
      help,
      registers: [this.registry],
      collect() {
        this.set(value());
      },
    });
  }
}
