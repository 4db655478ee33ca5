import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import pino from 'pino';
import { testLogin } from '../../deploy/testing/database_login.ts';
import { freshDatabase } from '../../deploy/testing/database.ts';
import type { FreshDatabase } from '../../deploy/testing/database.ts';
import { freshRedis } from '../../deploy/testing/redis.ts';
import { readPortalSettings } from '../../config/portal_settings.ts';
import { keyRingOf } from '../../domain/privacy/sealing.ts';
import { Portal } from '../portal.ts';
import { PortalClient } from './portal_client.ts';

/** A portal in this process, with a database and a clock of its own, as the role it runs by. */
export class PortalWorld {
  readonly pool: pg.Pool;
  readonly portal: Portal;
  readonly home: string;
  readonly ring = keyRingOf([{ id: 'test-1', secret: randomBytes(32) }], randomBytes(32));
  readonly #database: FreshDatabase;
  /** What the portal warned of. */
  readonly logged: Record<string, unknown>[] = [];
  #offset_ms = 0;

  private constructor(
    database: FreshDatabase,
    home: string,
    urls: { database: string; redis: string },
    settings: Readonly<Record<string, string>>,
  ) {
    this.#database = database;
    this.home = home;
    this.pool = new pg.Pool({ connectionString: database.url, max: 4 });
    // Of a Postgres that a test stops.
    this.pool.on('error', () => undefined);
    this.portal = new Portal({
      settings: readPortalSettings({
        ...{ DATABASE_URL: urls.database, REDIS_URL: urls.redis, PORTAL_HTTP_PORT: '0', PORTAL_OBSERVE_PORT: '0' },
        AUDIT_HEADS_FILE: join(home, 'audit-heads.jsonl'),
        ...{ KEY_RING_FILE: 'none', DOCUMENTS_FOLDER: join(home, 'documents'), LOG_LEVEL: 'silent' },
        VOICEMAIL_FOLDER: join(home, 'voicemail'),
        ...{ READS_PER_MINUTE_MAX: '1000000', WRITES_PER_MINUTE_MAX: '1000000' },
        ...{ GUESSES_PER_MINUTE_MAX: '1000000', COSTLY_PER_MINUTE_MAX: '1000000' },
        ...settings,
      }),
      log: pino({ level: process.env['PORTAL_LOG'] ?? 'warn' }, { write: (line) => this.#keepLine(line) }),
      ring: this.ring,
      now: () => this.now(),
      version: 'test',
      check_answers: true,
      keeps_crontab: false,
    });
  }

  #keepLine(line: string): void {
    if (process.env['PORTAL_LOG'] !== undefined) process.stdout.write(line);
    this.logged.push(JSON.parse(line) as Record<string, unknown>);
  }

  /** @param servers that are the test's own, migrated; without them, what is new on those of the run. */
  static async begin(
    settings: Readonly<Record<string, string>> = {},
    servers?: { database_url: string; redis_url: string },
  ): Promise<PortalWorld> {
    const [database, redis, home] = await Promise.all([
      servers === undefined ? freshDatabase() : { url: servers.database_url, drop: () => Promise.resolve() },
      servers === undefined ? freshRedis() : { url: servers.redis_url },
      mkdtemp(join(tmpdir(), 'letsdial-portal-')),
    ]);
    const urls = { database: await testLogin(database.url, 'letsdial_portal'), redis: redis.url };
    const world = new PortalWorld(database, home, urls, settings);
    await world.portal.start();
    return world;
  }

  /** The portal's clock, which a test moves; tasks are due by the database's own. */
  now(): Date {
    return new Date(Date.now() + this.#offset_ms);
  }

  advance(ms: number): void {
    this.#offset_ms += ms;
  }

  /** Of the superuser. */
  get database_url(): string {
    return this.#database.url;
  }

  get url(): string {
    return `http://127.0.0.1:${this.portal.ports.http}`;
  }

  /** Somebody with a browser of their own. */
  client(): PortalClient {
    return new PortalClient(this.url);
  }

  async end(): Promise<void> {
    await this.portal.stop();
    await this.pool.end();
    await this.#database.drop();
    await rm(this.home, { recursive: true, force: true });
  }
}
