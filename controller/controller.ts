import { performance } from 'node:perf_hooks';
import type pg from 'pg';
import type { Logger } from 'pino';
import { createClient } from 'redis';
import type { ControllerSettings } from '../config/settings.ts';
import { purgeSettledHolds, saveRecordPosition } from '../domain/calls/settled_calls.ts';
import { ensureCdrMonths } from '../domain/calls/cdr_months.ts';
import { Listener } from '../domain/db/listener.ts';
import { CallCommands } from './call/call_commands.ts';
import { Calls } from './call/calls.ts';
import { whileAwake } from './call/while_awake.ts';
import { CallLedger } from './charging/call_ledger.ts';
import { SwitchClock } from './clock/switch_clock.ts';
import { SharedCallRate } from './decide/call_rate.ts';
import { Decider } from './decide/decider.ts';
import { DeviceMemory } from './device_memory.ts';
import { drain } from './drain.ts';
import type { Guard } from './guard/guard.ts';
import type { CarrierAddresses } from './guard/carrier_addresses.ts';
import { carrierAddresses, makeGuard } from './guard/make_guard.ts';
import { LeaseKeeper } from '../domain/lease/lease_keeper.ts';
import type { Shelf } from '../domain/rating/shelf.ts';
import { Duties } from '../domain/running/duties.ts';
import { serveObservation } from '../domain/observe/serve_observation.ts';
import type { Health, ObserveServer } from '../domain/observe/serve_observation.ts';
import { liveFigures } from './observe/live_figures.ts';
import { Metrics } from './observe/metrics.ts';
import type { LiveFigures } from './observe/metrics.ts';
import { Observer } from './observe/observer.ts';
import { Reconciler } from './reconcile/reconciler.ts';
import { rotateRecords } from './reconcile/rotate_records.ts';
import type { Finding } from './reconcile/reconciler.ts';
import { UnheldHelp } from './reconcile/unheld_help.ts';
import { alsoSpeaking, SpokenCodes } from './spoken_code/spoken_codes.ts';
import { callSettings, lcrOptions, makePool } from './settings_of_parts.ts';
import { rateShelf } from './routing/rate_shelf.ts';
import type { RateBook } from './routing/rate_book.ts';
import { AsteriskGate } from './switch/asterisk/asterisk_gate.ts';
import { AsteriskSwitch } from './switch/asterisk/asterisk_switch.ts';
import { switchOptions } from './switch/asterisk/options_of_settings.ts';
import type { Switch, SwitchEvent } from './switch/switch.ts';

export interface ControllerOptions {
  settings: ControllerSettings;
  log: Logger;
  /** This process, as the lease knows it. */
  owner: string;
}

const CLOCK_READ_MS = 500;
const POSITION_SAVE_MS = 1000;
const COMMANDS_MS = 1000;
const CARRIERS_MS = 30_000;
const MEMORY_MS = 5000;
const HOUSEKEEPING_MS = 3_600_000;
const DAY_MS = 86_400_000;
const PURGE_ROWS_MAX = 5000;
const REDIS_QUEUE_MAX = 10_000;

/** Puts the parts of one controller together, starts them in order and stops them in reverse. */
export class Controller {
  readonly #settings: ControllerSettings;
  readonly #log: Logger;
  readonly #pool: pg.Pool;
  readonly #redis: ReturnType<typeof createClient>;
  readonly #carriers: CarrierAddresses;
  readonly #media: Switch;
  readonly #clock: SwitchClock;
  readonly #lease: LeaseKeeper;
  readonly #rates: Shelf<RateBook>;
  readonly #ledger: CallLedger;
  readonly #calls: Calls;
  readonly #commands: CallCommands;
  readonly #spoken: SpokenCodes;
  readonly #decider: Decider;
  readonly #reconciler: Reconciler;
  readonly #metrics: Metrics;
  readonly #listener: Listener;
  readonly #guard: Guard;
  readonly #memory: DeviceMemory;
  readonly #duties: Duties;
  readonly #timers: NodeJS.Timeout[] = [];
  #observation: ObserveServer | null = null;
  #lost_at_ms: number | null = null;
  #saved_position: string | null = null;
  /** Calls are taken: the reconciliation is through, and the guard sees who fails to log in. */
  #is_started = false;
  #fatal: (error: Error) => void = () => undefined;

  constructor({ settings, log, owner }: ControllerOptions) {
    this.#settings = settings;
    this.#log = log;
    this.#duties = new Duties(log);
    this.#pool = makePool(settings, log);
    // One that is silent must not fill our memory with questions.
    const bounded = { disableOfflineQueue: true, commandsQueueMaxLength: REDIS_QUEUE_MAX };
    this.#redis = createClient({ url: settings.REDIS_URL, ...bounded });
    this.#redis.on('error', (error: Error) =>
      log.warn({ err: error }, 'Redis does not answer; limits on rates are kept here'),
    );
    this.#carriers = carrierAddresses(this.#pool, log);
    this.#media = new AsteriskSwitch(switchOptions(settings, log), (address) => this.#carriers.has(address));
    this.#clock = new SwitchClock(
      () => performance.now(),
      (step_ms) => this.#clockStepped(step_ms),
    );
    this.#clock.startFrom(Date.now());
    const now = (): number => this.#clock.now();
    this.#lease = this.#makeLease(owner);
    this.#rates = rateShelf({ db: this.#pool, lcr: lcrOptions(settings), now: Date.now, log });
    this.#ledger = this.#makeLedger();
    this.#metrics = new Metrics(() => this.#liveFigures());
    this.#decider = new Decider({
      db: this.#pool,
      book: () => this.#rates.value,
      callsOn: (trunk_id) => this.#calls.onTrunk(trunk_id),
      // It bounds its own waiting, and the package makes an AbortSignal for each command that has a time of its own.
      call_rate: new SharedCallRate(this.#redis.withCommandOptions({ timeout: 0 }), Date.now),
      ring_timeout_ms: settings.RING_TIMEOUT_MS,
    });
    this.#calls = this.#makeCalls(now);
    this.#commands = this.#makeCommands();
    this.#spoken = this.#makeSpoken();
    this.#reconciler = this.#makeReconciler();
    const trunksForHelp = (): readonly string[] => this.#rates.value.emergencyTrunks();
    const databaseIsThere = (): boolean => this.#listener.connected;
    this.#memory = new DeviceMemory({ media: this.#media, trunksForHelp, databaseIsThere, log });
    this.#listener = this.#makeListener();
    this.#guard = makeGuard({
      ...{ settings, redis: this.#redis, db: this.#pool },
      gate: new AsteriskGate(switchOptions(settings, log)),
      onRefused: (why) => this.#metrics.refused_addresses_total.inc({ why }),
      log,
    });
  }

  #liveFigures(): LiveFigures {
    const states = this.#calls.live.map((session) => session.state);
    return liveFigures(states, this.#clock.now());
  }

  #makeCalls(now: () => number): Calls {
    const observer = new Observer(this.#metrics, this.#settings.DEADLINE_GUARD_MS);
    const speaking = alsoSpeaking(this.#media, () => this.#spoken);
    return new Calls({
      ledger: this.#ledger,
      media: whileAwake(speaking, () => this.#lease.whenAwake()),
      now,
      settings: callSettings(this.#settings),
      log: this.#log,
      sure: () => this.#lease.sure,
      decide: (arrival) => this.#decider.decide(arrival),
      onStep: (...step) => {
        observer.onStep(...step);
        this.#spoken.onStep(step[0].state, step[2]);
      },
      onStrayRecord: (record) => this.#reconciler.keepRecord(record),
    });
  }

  #makeLedger(): CallLedger {
    const { SWITCH_ID: switch_id } = this.#settings;
    return new CallLedger(
      this.#pool,
      () => ({ switch_id, epoch: this.#lease.epoch }),
      (error, leg_id) => {
        this.#metrics.settlements_refused_total.inc();
        this.#log.error({ err: error, leg_id }, 'the database refuses what a call is to be settled with; trying again');
      },
    );
  }

  #makeLease(owner: string): LeaseKeeper {
    return new LeaseKeeper({
      database_url: this.#settings.DATABASE_URL,
      switch_id: this.#settings.SWITCH_ID,
      service: 'controller',
      works: () => this.#media.healthy,
      owner,
      now: () => new Date(),
      retry_ms: 250,
      monotonic: () => performance.now(),
      onLost: () => this.#leaseLost(),
      log: this.#log,
    });
  }

  #makeCommands(): CallCommands {
    const { SWITCH_ID: switch_id } = this.#settings;
    const sure = (): boolean => this.#is_started && this.#lease.sure;
    const byCall = (call_id: string) => this.#calls.byCall(call_id);
    return new CallCommands({ db: this.#pool, switch_id, byCall, sure, now: () => new Date(), log: this.#log });
  }

  #makeSpoken(): SpokenCodes {
    const { SWITCH_ID: switch_id, ...settings } = this.#settings;
    return new SpokenCodes({
      ...{ db: this.#pool, switch_id, media: this.#media, begin: (state) => this.#calls.adopt(state) },
      facts: () => ({ book: this.#rates.value, callsOn: (trunk_id) => this.#calls.onTrunk(trunk_id) }),
      settings: {
        caller: settings.SPOKEN_CODE_CALLER ?? null,
        ring_timeout_ms: settings.SPOKEN_CODE_RING_MS,
        at_once_max: settings.SPOKEN_CODES_AT_ONCE_MAX,
        rate_micros_per_minute_max: BigInt(settings.SPOKEN_CODE_RATE_MICROS_PER_MINUTE_MAX),
      },
      sure: () => this.#is_started && this.#lease.sure,
      ...{ switchNow: () => this.#clock.now(), now: () => new Date() },
      onOutcome: (outcome) => this.#metrics.spoken_codes_total.inc({ outcome }),
      log: this.#log,
    });
  }

  #makeReconciler(): Reconciler {
    const settings = this.#settings;
    const log = this.#log;
    const onFinding = (finding: Finding): void => this.#metrics.reconcile_findings_total.inc({ finding });
    const planOf: Decider['planOfHelp'] = (arrival, device) => this.#decider.planOfHelp(arrival, device);
    return new Reconciler({
      calls: this.#calls,
      media: this.#media,
      db: this.#pool,
      help: new UnheldHelp({ db: this.#pool, planOf, settings: callSettings(settings), onFinding, log }),
      switch_id: settings.SWITCH_ID,
      now: () => this.#clock.now(),
      lostAt: () => this.#lost_at_ms,
      settle_after_ms: settings.RECONCILE_SETTLE_MS,
      onFinding,
      log,
    });
  }

  #makeListener(): Listener {
    const log = this.#log;
    return new Listener({
      database_url: this.#settings.DATABASE_URL,
      channels: {
        wallet: (wallet_id) => this.#calls.moneyArrived(BigInt(wallet_id)),
        rates: () => this.#rates.refresh(),
        device: (username) => this.#memory.forget(username),
        call_command: () => void this.#commands.look(),
        spoken_code: () => void this.#spoken.look(),
      },
      // What was notified while nobody listened is looked for.
      onConnected: () => {
        this.#calls.moneyMayHaveArrived();
        this.#rates.refresh();
        this.#memory.forget(null);
        void this.#commands.look();
        void this.#spoken.look();
      },
      onLost: (error) => log.warn({ err: error }, 'notifications of the database are not heard; connecting again'),
      retry_ms: 500,
    });
  }

  get port(): number {
    if (this.#observation === null) throw new Error('The controller does not serve yet.');
    return this.#observation.port;
  }

  onFatal(listener: (error: Error) => void): void {
    this.#fatal = listener;
  }

  /** Resolves when calls are taken. Waits as a standby while another controller drives the switch. */
  async start(): Promise<void> {
    const { CONTROLLER_HOST: host, CONTROLLER_PORT: port } = this.#settings;
    this.#observation = await serveObservation({
      host,
      port,
      registry: this.#metrics.registry,
      health: () => this.#health(),
    });
    await ensureCdrMonths(this.#pool, new Date());
    // What stands in Redis may be lost, so nothing waits for it: without it, limits on rates are kept here.
    this.#redis
      .connect()
      .catch((error: unknown) => this.#log.warn({ err: error }, 'Redis is not connected to any more'));
    await this.#rates.reload();
    await this.#carriers.look();
    await this.#listener.start();
    const { record_position } = await this.#lease.take();
    this.#saved_position = record_position;
    this.#media.onEvent((event) => this.#onSwitchEvent(event));
    await this.#media.connect(record_position);
    await this.#readClock();
    await this.#reconciler.pass();
    await this.#guard.start();
    this.#duties.every(CLOCK_READ_MS, () => this.#readClock());
    this.#duties.every(this.#settings.RECONCILE_MS, () => this.#passIfSure());
    this.#duties.every(POSITION_SAVE_MS, () => this.#savePosition());
    this.#duties.every(COMMANDS_MS, () => this.#commands.lookAgain());
    this.#duties.every(COMMANDS_MS, () => this.#spoken.lookAgain());
    this.#duties.every(MEMORY_MS, () => this.#memory.lookAgain());
    this.#duties.every(CARRIERS_MS, () => this.#carriers.look());
    this.#duties.every(HOUSEKEEPING_MS, () => this.#keepHouse());
    const { ASTERISK_CDR_FILE, HOLD_REPLAY_DAYS } = this.#settings;
    this.#duties.every(HOUSEKEEPING_MS, () => rotateRecords(ASTERISK_CDR_FILE, new Date(), HOLD_REPLAY_DAYS));
    this.#passLater();
    this.#is_started = true;
  }

  /** No new calls; live ones end and settle, or are handed over; then everything closes in reverse order. */
  async stop(): Promise<void> {
    const { DRAIN_MS, ON_STOP } = this.#settings;
    this.#spoken.stop();
    await drain({ calls: this.#calls, media: this.#media, drain_ms: DRAIN_MS, on_stop: ON_STOP, log: this.#log });
    this.#duties.stop();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#guard.stop();
    await this.#media.close();
    // While calls that are not settled are known: their records are read again at the next start.
    await this.#savePosition().catch((error: unknown) =>
      this.#log.warn({ err: error }, 'the position in the records was not saved'),
    );
    this.#calls.abandon();
    await this.#lease.release();
    await this.#listener.stop();
    this.#rates.stop();
    this.#ledger.stop();
    if (this.#redis.isOpen) this.#redis.destroy();
    await this.#pool.end();
    await this.#observation?.close();
  }

  #onSwitchEvent(event: SwitchEvent): void {
    if (event.type === 'disconnected') {
      this.#lost_at_ms = this.#clock.now();
      this.#log.warn({ reason: event.reason }, 'the switch is away');
    }
    if (event.type === 'connected') {
      this.#memory.forget(null);
      this.#log.info('the switch is there');
      if (this.#lost_at_ms !== null) this.#passTwice();
    }
    this.#calls.onSwitchEvent(event);
  }

  /** A reconciliation adopts, arms and hangs up: one that was frozen has to learn first whether it may. */
  async #passIfSure(): Promise<void> {
    if (this.#lease.sure) await this.#reconciler.pass();
  }

  #passTwice(): void {
    this.#passAgain();
    this.#passLater();
  }

  /** What one pass saw for the first time is decided soon, not after a whole interval. */
  #passLater(): void {
    this.#timers.push(setTimeout(() => this.#passAgain(), this.#settings.RECONCILE_SETTLE_MS + 100));
  }

  #passAgain(): void {
    this.#passIfSure().catch((error: unknown) =>
      this.#log.warn({ err: error }, 'reconciliation did not finish; it comes again'),
    );
  }

  async #readClock(): Promise<void> {
    if (!this.#media.healthy) return;
    const asked_at_ms = performance.now();
    const { now_ms } = await this.#media.clock();
    this.#clock.read({ asked_at_ms, answered_at_ms: performance.now(), switch_ms: now_ms });
  }

  #clockStepped(step_ms: number): void {
    this.#log.warn({ step_ms }, "the switch's wall clock stepped: every live call is armed anew");
    this.#metrics.clock_steps_total.inc();
    this.#calls.clockStepped(step_ms);
  }

  async #savePosition(): Promise<void> {
    const position = this.#calls.settledPosition();
    if (position === null || position === this.#saved_position) return;
    await saveRecordPosition(this.#pool, this.#settings.SWITCH_ID, this.#lease.epoch, position);
    this.#saved_position = position;
  }

  async #keepHouse(): Promise<void> {
    await ensureCdrMonths(this.#pool, new Date());
    const older_than = new Date(Date.now() - this.#settings.HOLD_REPLAY_DAYS * DAY_MS);
    while ((await purgeSettledHolds(this.#pool, older_than, PURGE_ROWS_MAX)) === PURGE_ROWS_MAX);
  }

  #leaseLost(): void {
    this.#calls.abandon();
    this.#fatal(
      new Error('Another controller took the switch over. This one stops, and may be started again as its standby.'),
    );
  }

  async #health(): Promise<Health> {
    const database = await this.#pool.query('select 1').then(
      () => true,
      () => false,
    );
    return { calls: this.#is_started, switch: this.#media.healthy, lease: this.#lease.sure, database };
  }
}
