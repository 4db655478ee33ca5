import type pg from 'pg';
import type { Logger } from 'pino';
import type { GatewaySettings } from '../config/gateway_settings.ts';
import type { Listener } from '../domain/db/listener.ts';
import type { LeaseKeeper } from '../domain/lease/lease_keeper.ts';
import { serveObservation } from '../domain/observe/serve_observation.ts';
import type { Health, ObserveServer } from '../domain/observe/serve_observation.ts';
import type { Arrival, Arrived } from '../domain/texts/arrivals.ts';
import { Duties } from '../domain/running/duties.ts';
import type { NationalLanguage } from '../domain/texts/encoding/national_language.ts';
import { ensureMessageMonths } from '../domain/texts/message_months.ts';
import { MessageIds } from '../domain/texts/message_id.ts';
import { countQueuedTexts } from '../domain/texts/queued_texts.ts';
import type { GatewayLease } from '../domain/texts/queue.ts';
import { listUnreadableReceipts } from '../domain/texts/unreadable_receipts.ts';
import { Acceptor } from './accept/acceptor.ts';
import { payerOfAccount } from './accept/payer.ts';
import type { TextPayer } from './accept/payer.ts';
import { QueueRoom } from './accept/queue_room.ts';
import type { Remembered } from './accept/remembered.ts';
import { rememberedPayers } from './accept/remembered_payers.ts';
import { KeywordAnswerer } from './arrivals/keyword_answerer.ts';
import { selectBinds } from './carriers/bind_row.ts';
import { bindView } from './carriers/bind_view.ts';
import { Carriers } from './carriers/carriers.ts';
import { Deliveries } from './carriers/deliveries.ts';
import { languagesOfAll } from './carriers/languages_of_all.ts';
import { gatewayLease } from './gateway_lease.ts';
import { gatewayListener } from './gateway_listener.ts';
import { Housekeeping } from './housekeeping.ts';
import { assembleTextServer } from './http/assemble_text_server.ts';
import type { TextServer } from './http/text_server.ts';
import { ClaimQueue } from './lanes/claim_queue.ts';
import { Dispatcher } from './lanes/dispatcher.ts';
import { onTheirWay } from './lanes/on_their_way.ts';
import { OutcomeWriter } from './lanes/outcome_writer.ts';
import { Refill } from './lanes/refill.ts';
import { Turn } from './lanes/turn.ts';
import { Learned } from './learned.ts';
import { Metrics } from './observe/metrics.ts';
import { RoutingDesk } from './routing/assemble_routing.ts';
import { ScreeningDesk } from './screening/assemble_screening.ts';
import { sessionOf } from './session_of_settings.ts';
import { systemClock } from './smpp/clock.ts';
import { assembleSmsc } from './smsc/assemble_smsc.ts';
import type { Judging } from './smsc/assemble_smsc.ts';
import type { CustomerSmsc, SmscPorts } from './smsc/customer_smsc.ts';
import { assembleWebhooks } from './webhooks/assemble_webhooks.ts';
import type { Webhooks } from './webhooks/assemble_webhooks.ts';

export interface GatewayParts {
  settings: GatewaySettings;
  log: Logger;
  /** This process, as the lease knows it. */
  owner: string;
  pool: pg.Pool;
}

const EXPIRE_MS = 1_000;
const SWEEP_MS = 10_000;
const QUALITY_MS = 10_000;
const COUNT_QUEUE_MS = 10_000;
const SETTLE_MS = 1_000;
const SAVE_MS = 60_000;
const UNREADABLE_LISTED_MAX = 100;

/** Puts the parts of one gateway together, starts them in order and stops them in reverse. */
export class Gateway {
  readonly #settings: GatewaySettings;
  readonly #log: Logger;
  readonly #pool: pg.Pool;
  readonly #lease: LeaseKeeper;
  readonly #routing: RoutingDesk;
  readonly #outcomes: OutcomeWriter;
  readonly #queue: ClaimQueue;
  readonly #dispatcher: Dispatcher;
  readonly #carriers: Carriers;
  readonly #deliveries: Deliveries;
  readonly #refill: Refill;
  readonly #payers: Remembered<TextPayer | null>;
  readonly #room: QueueRoom;
  readonly #acceptor: Acceptor;
  readonly #texts: TextServer;
  readonly #smsc: CustomerSmsc;
  readonly #screening: ScreeningDesk;
  readonly #learned: Learned;
  readonly #keywords: KeywordAnswerer;
  readonly #listener: Listener;
  readonly #metrics: Metrics;
  readonly #webhooks: Webhooks;
  readonly #housekeeping: Housekeeping;
  readonly #duties: Duties;
  #national_languages: readonly NationalLanguage[] = [];
  #observation: ObserveServer | null = null;
  #ports: ({ http: number } & SmscPorts) | null = null;
  #fatal: (error: Error) => void = () => undefined;

  constructor({ settings, log, owner, pool }: GatewayParts) {
    this.#settings = settings;
    this.#log = log;
    this.#pool = pool;
    this.#duties = new Duties(log);
    const now = Date.now;
    const ids = new MessageIds(now);
    const lease = (): GatewayLease => ({ gateway_id: settings.GATEWAY_ID, epoch: this.#lease.epoch });
    const works = () => this.#carriers.is_bound;
    this.#lease = gatewayLease({ settings, owner, works, onLost: () => this.#superseded(), log });
    const turn = new Turn();
    this.#routing = new RoutingDesk({ settings, db: pool, now, log });
    this.#outcomes = new OutcomeWriter({
      ...{ db: pool, turn, lease, log },
      now: () => new Date(),
      onSuperseded: () => this.#superseded(),
    });
    const onClaimLost = () => this.#housekeeping.expectStrays();
    this.#queue = new ClaimQueue({ db: pool, lease, now, onClaimLost, log });
    this.#room = this.#makeRoom();
    this.#dispatcher = this.#makeDispatcher();
    this.#carriers = this.#makeCarriers();
    this.#deliveries = this.#makeDeliveries(turn, lease, ids);
    this.#payers = rememberedPayers(pool);
    this.#screening = new ScreeningDesk({
      ...{ settings, db: pool, log },
      onScreened: (verdict, by) => this.#metrics.screened_total.inc({ verdict, by }),
    });
    this.#learned = new Learned([this.#screening.volumes, this.#routing], log);
    this.#refill = new Refill({
      ...{ dispatcher: this.#dispatcher, queue: this.#queue, db: pool, now, log },
      ...{ lane_texts_max: settings.LANE_TEXTS_MAX, stranded_look_ms: settings.STRANDED_LOOK_MS },
      screenWaiting: this.#screening.waitingTexts(lease),
    });
    const judging = this.#judging(ids);
    this.#acceptor = this.#makeAcceptor(judging);
    this.#smsc = this.#makeSmsc(judging);
    this.#keywords = new KeywordAnswerer({
      ...{ brand: settings.BRAND, now, log },
      payerOf: (account_id) => payerOfAccount(pool, account_id),
      reply: (reply, payer) => this.#acceptor.reply(reply, payer),
    });
    this.#texts = assembleTextServer({
      ...{ settings, db: pool, payers: this.#payers, acceptor: this.#acceptor, judging, log },
      converted: (account_id, message_id) => this.#screening.screening.converted(account_id, message_id),
    });
    this.#webhooks = assembleWebhooks({
      ...{ db: pool, log },
      allow_private_addresses: settings.WEBHOOKS_TO_PRIVATE_ADDRESSES === 'yes',
      onResult: (result) => this.#metrics.webhooks_total.inc({ result }),
    });
    this.#listener = this.#makeListener();
    this.#metrics = this.#makeMetrics();
    this.#housekeeping = this.#makeHousekeeping(lease);
  }

  get ports(): { http: number; observe: number } & SmscPorts {
    if (this.#ports === null || this.#observation === null) throw new Error('The gateway does not serve yet.');
    return { ...this.#ports, observe: this.#observation.port };
  }

  onFatal(listener: (error: Error) => void): void {
    this.#fatal = listener;
  }

  /** Resolves when texts are taken. Waits as a standby while another gateway has the lease. */
  async start(): Promise<void> {
    const { GATEWAY_HOST: host, GATEWAY_OBSERVE_PORT: port } = this.#settings;
    this.#observation = await serveObservation({
      ...{ host, port, registry: this.#metrics.registry, health: () => this.#health() },
      pages: {
        '/binds': () => this.#carriers.binds.map(bindView),
        '/unreadable-receipts': () => listUnreadableReceipts(this.#pool, UNREADABLE_LISTED_MAX),
      },
    });
    await ensureMessageMonths(this.#pool, new Date());
    await this.#routing.book.reload();
    await this.#screening.start();
    await this.#listener.start();
    await this.#lease.take();
    await this.#learned.load();
    await this.#housekeeping.recover();
    await this.#readBinds();
    await this.#room.count();
    this.#duties.every(this.#settings.REFILL_MS, () => this.#refill.pass());
    this.#duties.every(EXPIRE_MS, () => this.#queue.expire());
    this.#duties.every(SETTLE_MS, async () => this.#dispatcher.takeClaimed(await this.#queue.settle()));
    this.#duties.every(SWEEP_MS, () => this.#screening.ported_numbers.refresh());
    this.#duties.every(SWEEP_MS, () => this.#deliveries.sweep());
    this.#duties.every(QUALITY_MS, () => this.#readBinds());
    this.#duties.every(COUNT_QUEUE_MS, () => this.#room.count());
    this.#duties.every(SAVE_MS, () => this.#learned.save());
    this.#housekeeping.start(this.#duties);
    this.#webhooks.start();
    this.#ports = { ...(await this.#smsc.listen()), http: await this.#texts.listen() };
  }

  /** No new texts; what is on its way is answered and written, the rest waits in the database; then all closes in reverse. */
  async stop(): Promise<void> {
    const { DRAIN_MS } = this.#settings;
    await Promise.all([this.#texts.close(), this.#smsc.close()]);
    this.#duties.stop();
    this.#dispatcher.drain();
    await this.#carriers.stop();
    await this.#outcomes.settle(DRAIN_MS);
    await this.#queue.settleReleases(DRAIN_MS);
    this.#dispatcher.stop();
    // Receipts wait for the answers before them, which wait for the database: were it away, both would wait for ever.
    this.#outcomes.stop();
    await this.#deliveries.stop();
    await this.#webhooks.stop();
    await this.#learned.leave(DRAIN_MS);
    await this.#listener.stop();
    await this.#lease.release();
    this.#routing.book.stop();
    this.#screening.stop();
    await this.#pool.end();
    await this.#observation?.close();
  }

  #arrived(arrival: Arrival, arrived: Arrived): void {
    this.#metrics.arrived_total.inc({
      carrier: String(arrival.carrier_id),
      holder: arrived.account_id === null ? 'nobody' : 'customer',
      keyword: arrival.keyword ?? 'none',
    });
    if (arrival.keyword === 'stop' && arrived.account_id !== null)
      void this.#dispatcher.giveBackTo(arrived.account_id, arrival.sender);
    this.#keywords.answer(arrival, arrived);
  }

  #makeDispatcher(): Dispatcher {
    const { LANE_TEXTS_MAX, UNROUTED_RETRY_MS } = this.#settings;
    return new Dispatcher({
      ...{ book: this.#routing.book, outcomes: this.#outcomes, queue: this.#queue, now: Date.now, log: this.#log },
      routedAs: (number) => this.#screening.portability.routedAs(number),
      countsOf: (number) => this.#metrics.countries.of(number).parts,
      lane_texts_max: LANE_TEXTS_MAX,
      unrouted_retry_ms: UNROUTED_RETRY_MS,
      onLeft: (account_id) => this.#room.left(account_id),
    });
  }

  #makeRoom(): QueueRoom {
    return new QueueRoom({
      texts_max: this.#settings.QUEUE_TEXTS_MAX,
      account_texts_max: this.#settings.ACCOUNT_QUEUE_TEXTS_MAX,
      count: () => countQueuedTexts(this.#pool, new Date()),
      monotonic: () => performance.now(),
      onFault: (error) => this.#log.warn({ err: error }, 'what is queued could not be counted; it is tried again'),
    });
  }

  #makeHousekeeping(lease: () => GatewayLease): Housekeeping {
    return new Housekeeping({
      ...{ settings: this.#settings, db: this.#pool, lease, now: () => new Date(), log: this.#log },
      holds: (message_id) => this.#dispatcher.holds(message_id),
      onTheirWay: () => onTheirWay(this.#outcomes, this.#acceptor, this.#queue),
      giveBack: (message_id) => this.#dispatcher.giveBackUnwanted(message_id),
      onRecovered: (verdict, texts) => this.#metrics.recovered_total.inc({ verdict }, texts),
      onBacklog: (backlog, deliveries) => this.#metrics.counted(backlog, deliveries),
      onUnheard: (carrier_id, texts) => this.#metrics.unheard_total.inc({ carrier: String(carrier_id) }, texts),
      onEnded: (text) => {
        this.#metrics.countries.ended(text);
        this.#routing.ended(text);
        this.#screening.screening.ended(text);
      },
    });
  }

  #makeMetrics(): Metrics {
    return new Metrics({
      binds: () => this.#carriers.binds,
      lanes: () => this.#dispatcher.lanes,
      accept_waiting: () => this.#acceptor.waiting,
      room: this.#room,
      outcomes_unwritten: () => this.#outcomes.unwritten,
      receipts_waiting: () => this.#deliveries.waiting,
      smpp_sessions: () => this.#smsc.sessions,
      countryOf: (number) => this.#screening.screening.countryOf(number),
    });
  }

  #makeCarriers(): Carriers {
    return new Carriers({
      session: sessionOf(this.#settings),
      owner: { onDelivery: (bind, pdu, respond) => this.#deliveries.take(bind, pdu, respond) },
      onBinds: (carrier_id, binds) => {
        this.#dispatcher.setBinds(carrier_id, binds);
        if (this.#dispatcher.lane(carrier_id).is_bound) this.#refill.carrierCame();
      },
      onRoom: (carrier_id) => this.#dispatcher.lane(carrier_id).schedule(),
      ...{ clock: systemClock, now: Date.now, random: Math.random, log: this.#log },
      countryOf: (number) => this.#screening.screening.countryOf(number),
    });
  }

  #makeDeliveries(turn: Turn, lease: () => GatewayLease, ids: MessageIds): Deliveries {
    return new Deliveries({
      ...{ db: this.#pool, turn, lease, log: this.#log, now: Date.now },
      outcomesWritten: () => this.#outcomes.caughtUp(),
      clock: systemClock,
      random: Math.random,
      newId: () => ids.next(),
      parts_wait_ms: this.#settings.PARTS_WAIT_MS,
      onSuperseded: () => this.#superseded(),
      binds: () => this.#carriers.binds,
      onReceipt: (carrier_id, state, verdict) =>
        this.#metrics.receipts_total.inc({ carrier: String(carrier_id), state, verdict }),
      unreadable_max: this.#settings.UNREADABLE_RECEIPTS_MAX,
      onUnreadable: (carrier_id, is_kept) =>
        this.#metrics.unreadable_total.inc({ carrier: String(carrier_id), verdict: is_kept ? 'kept' : 'not_kept' }),
      onArrived: (arrival, arrived) => this.#arrived(arrival, arrived),
    });
  }

  #judging(ids: MessageIds): Judging {
    const settings = this.#settings;
    return {
      sell: (number, deck) => this.#routing.book.sell(number, deck),
      newId: () => ids.next(),
      now: Date.now,
      segments_max: settings.SEGMENTS_MAX,
      national_languages: () => this.#national_languages,
      validity_ms: settings.VALIDITY_MS,
      ahead_ms_max: settings.AHEAD_MS_MAX,
      screen: (text, payer) => this.#screening.screening.screen(text, payer),
      giveBack: (message_id) => this.#dispatcher.giveBack(message_id),
    };
  }

  #makeAcceptor(judging: Judging): Acceptor {
    return new Acceptor({
      ...judging,
      ...{ db: this.#pool, dispatcher: this.#dispatcher, queue: this.#queue, log: this.#log },
      ported: (number) => this.#screening.portability.ready(number),
      epoch: () => this.#lease.epoch,
      waiting_max: this.#settings.ACCEPT_WAITING_MAX,
      room: this.#room,
      onAccepted: ({ recipient, source }) => this.#metrics.countries.accepted(recipient, source),
      onAnswered: (source, acceptance, took_ms) => this.#metrics.answered(source, acceptance, took_ms),
      monotonic: () => performance.now(),
    });
  }

  #makeSmsc(judging: Judging): CustomerSmsc {
    return assembleSmsc({
      ...{ settings: this.#settings, db: this.#pool, judging, log: this.#log },
      onDelivery: ({ type }) => this.#metrics.customer_binds_total.inc({ result: type }),
      accept: (request, payer) => this.#acceptor.accept(request, payer),
      onOutbind: (request) => this.#carriers.onOutbind(request),
    });
  }

  #makeListener(): Listener {
    return gatewayListener(this.#settings.DATABASE_URL, this.#log, {
      rates: () => this.#routing.book.refresh(),
      queue: () => this.#refill.wake(),
      deliveries: () => this.#tellCustomers(),
      changed: () => this.#changed(),
      portings: () => this.#screening.portingsChanged(),
      optOuts: () => this.#housekeeping.expectUnwanted(),
    });
  }

  #tellCustomers(): void {
    this.#webhooks.wake();
    this.#smsc.wake();
  }

  /** Keys, accounts, carriers: whatever it was is read anew. */
  #changed(): void {
    this.#screening.screening.refresh();
    this.#payers.forgetAll();
    this.#smsc.changed();
    this.#readBinds().catch((error: unknown) =>
      this.#log.warn({ err: error }, 'the binds could not be read; they stay'),
    );
  }

  async #readBinds(): Promise<void> {
    const rows = await selectBinds(this.#pool);
    this.#national_languages = languagesOfAll(rows);
    this.#routing.setCarriers(rows);
    // A standby keeps its hands off the carriers.
    if (this.#lease.sure) this.#carriers.apply(rows);
  }

  #superseded(): void {
    this.#fatal(new Error('Another gateway took over. This one stops, and may be started again as its standby.'));
  }

  async #health(): Promise<Health> {
    const database = await this.#pool.query('select 1').then(
      () => true,
      () => false,
    );
    return { database, lease: this.#lease.sure, carriers: this.#carriers.is_bound };
  }
}
