import pg from 'pg';
import type { Logger } from 'pino';
import { Counter, Histogram, Registry } from 'prom-client';
import { createClient } from 'redis';
import type { PortalSettings } from '../config/portal_settings.ts';
import { fasterTypes } from '../domain/db/timestamps.ts';
import { serveObservation } from '../domain/observe/serve_observation.ts';
import type { Health, ObserveServer } from '../domain/observe/serve_observation.ts';
import { DataKeys } from '../domain/privacy/data_keys.ts';
import type { KeyRing } from '../domain/privacy/sealing.ts';
import { areas } from './areas.ts';
import { BoundedPool, DatabasePulse } from './database_pulse.ts';
import { watchClock } from './clock_metrics.ts';
import type { Area, PortalContext } from './context.ts';
import { HttpServer } from './http/http_server.ts';
import { Pacing } from './http/pacing.ts';
import type { Route } from './http/route.ts';
import { RouteServing } from './http/serve_route.ts';
import { BoundedRedis } from './identity/bounded_redis.ts';
import { Recogniser } from './identity/recognise.ts';
import { Sessions } from './identity/sessions.ts';
import { watchJobs } from './jobs/job_metrics.ts';
import { TaskRunner } from './jobs/task_runner.ts';
import type { TaskRunnerOptions } from './jobs/task_runner.ts';

export interface PortalParts {
  settings: PortalSettings;
  log: Logger;
  ring: KeyRing;
  /** The time of day. */
  now: () => Date;
  version: string;
  /** In tests: an answer that is not as promised is a failure. */
  check_answers: boolean;
  /** Not in tests, which say when a look is due: one of its own accord comes between any two lines of theirs. */
  keeps_crontab: boolean;
}

const TASKS_AT_ONCE = 4;
/** Redis answers within a millisecond; whoever asks us waits a few times as long as this at most. */
const REDIS_ANSWER_MS = 500;
/** For so long what Redis told is believed when Redis says nothing more: it may be gone without our connection having ended. */
const REMEMBERED_MS = 1_000;

/** Puts the parts of the portal's API together, starts them in order and stops them in reverse. */
export class Portal {
  readonly #settings: PortalSettings;
  readonly #log: Logger;
  readonly #pool: pg.Pool;
  readonly #pulse: DatabasePulse;
  readonly #redis: ReturnType<typeof createClient>;
  readonly #bounded_redis: BoundedRedis;
  readonly #server: HttpServer;
  readonly #tasks: TaskRunner;
  readonly #registry = new Registry();
  readonly #areas: readonly Area[];
  readonly routes: readonly Route[];
  readonly sessions: Sessions;
  #observation: ObserveServer | null = null;
  #http_port: number | null = null;
  #stopped: Promise<void> | null = null;
  #fatal: (error: Error) => void = () => undefined;

  constructor({ settings, log, ring, now, version, check_answers, keeps_crontab }: PortalParts) {
    this.#settings = settings;
    this.#log = log;
    this.#pulse = new DatabasePulse({
      ...{ database_url: settings.DATABASE_URL, monotonic: () => performance.now(), log },
    });
    this.#pool = poolOf(settings, this.#pulse, log);
    this.#redis = createClient({
      url: settings.REDIS_URL,
      RESP: 3,
      // How long an answer may take is bounded below, and the package makes an AbortSignal for each command that has a time of its own.
      commandOptions: { timeout: 0 },
      // Sessions are asked for with every request, and Redis tells at once when one was changed or revoked.
      clientSideCache: { ttl: REMEMBERED_MS, maxEntries: 10_000, evictPolicy: 'LRU' },
      // A request that cannot ask for its session is refused at once, instead of waiting for Redis to come back.
      disableOfflineQueue: true,
      socket: {
        connectTimeout: 2_000,
        reconnectStrategy: (tries) => Math.min(100 * tries, 1_000),
        socketTimeout: 5_000,
      },
      // A connection on which even these are not answered is given up, and another one tried.
      pingInterval: 2_000,
    });
    this.#bounded_redis = new BoundedRedis(this.#redis, REDIS_ANSWER_MS);
    this.#redis.on('error', (error: unknown) => log.warn({ err: error }, 'Redis does not answer; connecting again'));
    const context = this.#contextOf(ring, now);
    this.sessions = context.sessions;
    this.#areas = areas(context);
    this.routes = this.#areas.flatMap(({ routes }) => routes);
    const answered = this.#answerMetrics();
    watchClock(this.#registry, this.#pool, now);
    const serving = new RouteServing({
      ...{ db: this.#pool, pulse: this.#pulse, now, log, check_answers, onAnswered: answered },
      recogniser: new Recogniser({
        ...{ db: this.#pool, sessions: context.sessions, cookie_name: context.cookie_name },
        public_origin: new URL(settings.PUBLIC_ORIGIN).origin,
      }),
      pacing: new Pacing(this.#bounded_redis, paceLimits(settings), () => performance.now()),
      step_up_ms: settings.STEP_UP_MS,
      monotonic: () => performance.now(),
    });
    this.#server = new HttpServer({
      ...{ routes: this.routes, serving, version },
      ...{ host: settings.PORTAL_HOST, port: settings.PORTAL_HTTP_PORT, proxies: settings.PROXIES },
      ...{ drain_ms: settings.DRAIN_MS, headers_ms: settings.HEADERS_MS, request_ms: settings.REQUEST_MS },
    });
    this.#tasks = this.#makeTasks(
      this.#areas.flatMap(({ tasks }) => tasks),
      keeps_crontab,
    );
  }

  get ports(): { http: number; observe: number } {
    if (this.#http_port === null || this.#observation === null) throw new Error('The portal does not serve yet.');
    return { http: this.#http_port, observe: this.#observation.port };
  }

  /** Whatever else goes away comes back, and requests are refused meanwhile; tasks that are carried out no more are lost silently. */
  onFatal(listener: (error: Error) => void): void {
    this.#fatal = listener;
  }

  async start(): Promise<void> {
    const { PORTAL_HOST: host, PORTAL_OBSERVE_PORT: port } = this.#settings;
    await this.#redis.connect();
    this.#pulse.start();
    this.#observation = await serveObservation({
      ...{ host, port, registry: this.#registry },
      health: () => this.#health(),
    });
    for (const area of this.#areas) await area.start?.();
    await this.#tasks.start();
    this.#http_port = await this.#server.listen();
  }

  /** Requests under way are answered and tasks are finished; then all closes in reverse. Once, however often it is asked for. */
  stop(): Promise<void> {
    this.#stopped ??= this.#close();
    return this.#stopped;
  }

  async #close(): Promise<void> {
    const closed = this.#server.close();
    for (const area of this.#areas) await area.stop?.();
    await closed;
    await this.#tasks.stop();
    await this.#observation?.close();
    this.#redis.destroy();
    this.#pulse.stop();
    await this.#pool.end();
  }

  #contextOf(ring: KeyRing, now: () => Date): PortalContext {
    const settings = this.#settings;
    const is_secure = settings.PUBLIC_ORIGIN.startsWith('https:');
    return {
      ...{ settings, pool: this.#pool, ring, now, log: this.#log },
      keys: new DataKeys(ring),
      sessions: new Sessions({
        store: this.#bounded_redis,
        now: () => now().getTime(),
        idle_ms: settings.SESSION_IDLE_MS,
        life_ms: settings.SESSION_LIFE_MS,
      }),
      cookie_name: is_secure ? '__Host-letsdial_session' : 'letsdial_session',
    };
  }

  #makeTasks(tasks: TaskRunnerOptions['tasks'], keeps_crontab: boolean): TaskRunner {
    const done_total = new Counter({
      name: 'portal_tasks_total',
      help: 'Tasks that were carried out, by how.',
      labelNames: ['task', 'result'],
      registers: [this.#registry],
    });
    watchJobs(this.#registry, this.#pool);
    return new TaskRunner({
      ...{ pool: this.#pool, tasks, concurrency: TASKS_AT_ONCE, keeps_crontab, log: this.#log },
      onDone: (task, result) => done_total.inc({ task, result }),
      onEnded: (error) => this.#fatal(error),
    });
  }

  #answerMetrics(): (operation_id: string, status: number, took_ms: number) => void {
    const took_seconds = new Histogram({
      name: 'portal_request_seconds',
      help: 'Requests and how long each took.',
      labelNames: ['operation', 'status'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers: [this.#registry],
    });
    return (operation, status, took_ms) => took_seconds.observe({ operation, status: String(status) }, took_ms / 1000);
  }

  async #health(): Promise<Health> {
    const answers = (work: Promise<unknown>): Promise<boolean> =>
      work.then(
        () => true,
        () => false,
      );
    return {
      database: await answers(this.#pulse.bounded(this.#pool.query('select 1'))),
      redis: await answers(this.#bounded_redis.ping()),
    };
  }
}

function poolOf(settings: PortalSettings, pulse: DatabasePulse, log: Logger): pg.Pool {
  const pool = new BoundedPool(
    {
      connectionString: settings.DATABASE_URL,
      max: 16,
      connectionTimeoutMillis: 2_000,
      query_timeout: 15_000,
      statement_timeout: 15_000,
      keepAlive: true,
      types: fasterTypes,
      options: '-c TimeZone=UTC',
    },
    pulse,
  );
  pool.on('error', (error) => log.warn({ err: error }, 'an idle connection to the database was lost'));
  // One that is lost while it is in use rejects its query besides, which whoever asked is told of.
  pool.on('connect', (client) => client.on('error', (error) => log.debug({ err: error }, 'a connection was lost')));
  return pool;
}

function paceLimits(settings: PortalSettings): ConstructorParameters<typeof Pacing>[1] {
  const perMinute = (points: number) => ({ points, seconds: 60 });
  return {
    read: perMinute(settings.READS_PER_MINUTE_MAX),
    write: perMinute(settings.WRITES_PER_MINUTE_MAX),
    guess: perMinute(settings.GUESSES_PER_MINUTE_MAX),
    costly: perMinute(settings.COSTLY_PER_MINUTE_MAX),
  };
}
