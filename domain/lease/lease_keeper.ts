import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { dropConnection } from '../db/drop_connection.ts';
import { leaseOwner, takeLease } from './lease.ts';

export type LeasedService = 'controller' | 'gateway';

/**
 * The name of the connection that holds the lease, by which others see whether there is such a service, and whether it `works`:
 * reaches what it is there for.
 */
export const leaseName = (service: LeasedService, works: boolean): string =>
  `letsdial ${service} lease${works ? '' : ', cut off'}`;

export interface LeaseKeeperOptions {
  database_url: string;
  switch_id: string;
  /** By which others see in the database that such a service is there. */
  service: LeasedService;
  /** Whether it reaches its switch, or a carrier: told with the next beat. */
  works: () => boolean;
  /** This process, for ever: a uuid made at its start. */
  owner: string;
  now: () => Date;
  retry_ms: number;
  /** Of this process, in milliseconds; goes on while the process is frozen. */
  monotonic: () => number;
  /** Somebody else drives the switch now; everything this process does is refused from here on. */
  onLost: () => void;
  log: Logger;
}

/** The database ends the connection of an owner that is silent for this long, as one does that was frozen. */
const SILENT_MS_MAX = 5_000;
const BEAT_MS = 1_000;
/** An owner that heard nothing, or stood still, for this long does not trust its lease any more, well before somebody else can have it. */
const SURE_MS = 3_500;

/**
 * One controller drives a switch, and one gateway sends texts. Who holds the advisory lock of a live connection is it; others stand by until that
 * connection ends, which the database notices at once when a process is killed. The epoch makes the rest certain: a
 * takeover counts it up, and every batch of an older epoch is refused in the same transaction that would carry it out.
 * Commands to the switch know no epoch, so an owner gives those that could harm another's call only while it is sure.
 *
 * A restart of the database ends the connection too. The lock is then taken again; if nobody took the switch over
 * meanwhile, the epoch is still ours and nothing else happened.
 */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #stop = new AbortController();
  #client: pg.Client | null = null;
  #epoch: number | null = null;
  #heard_at_ms: number | null = null;
  /** When this process last came to look at the clock; it stood still for as long as that is more than a beat ago. */
  #awake_at_ms: number;
  /** It stood still for so long that somebody else may have taken over, and has not heard since. */
  #is_waking = false;
  #waiting: (() => void)[] = [];
  #beat: NodeJS.Timeout | null = null;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    this.#awake_at_ms = options.monotonic();
  }

  get epoch(): number {
    if (this.#epoch === null) throw new Error('The lease was never taken.');
    return this.#epoch;
  }

  /** Whether nobody else can have taken the switch over by now. */
  get sure(): boolean {
    return this.#heard_at_ms !== null && this.#options.monotonic() - this.#heard_at_ms < SURE_MS;
  }

  /**
   * Resolves at once, save in a process that stood still for so long that it may have been succeeded: then when it is certain that it was
   * not. What it hears first are the events of then, of calls that are another's by now.
   */
  whenAwake(): Promise<void> {
    this.#feelAwake();
    if (!this.#is_waking) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Waits until this process is the one; resolves with how far the switch's records are settled. */
  async take(): Promise<{ record_position: string | null }> {
    const client = await this.#lock();
    const { switch_id, owner, now, log } = this.#options;
    const lease = await takeLease(client, switch_id, owner, now());
    this.#epoch = lease.epoch;
    log.info({ switch_id, epoch: lease.epoch }, 'the lease is ours');
    return lease;
  }

  async release(): Promise<void> {
    this.#stop.abort();
    if (this.#beat !== null) clearInterval(this.#beat);
    await this.#client?.end();
  }

  async #lock(): Promise<pg.Client> {
    const { retry_ms, log, switch_id } = this.#options;
    for (let told = false; ;) {
      const client = await this.#tryLock().catch((error: unknown) => {
        log.warn({ err: error }, 'the lease cannot be asked for: the database does not answer');
        return null;
      });
      if (client !== null) return client;
      if (!told) log.info({ switch_id }, 'another process has the lease: standing by');
      told = true;
      await wait(retry_ms, undefined, { signal: this.#stop.signal });
    }
  }

  async #tryLock(): Promise<pg.Client | null> {
    const { database_url, switch_id, service } = this.#options;
    const works = this.#options.works();
    const client = new pg.Client({
      ...{ connectionString: database_url, application_name: leaseName(service, works) },
      ...{ keepAlive: true, connectionTimeoutMillis: 2000, query_timeout: SILENT_MS_MAX },
    });
    client.on('error', () => this.#connectionLost(client));
    client.on('end', () => this.#connectionLost(client));
    try {
      await client.connect();
      const got = await client.query<{ locked: boolean }>(
        `select pg_try_advisory_lock(hashtext('switch_owner'), hashtext($1)) as locked`,
        [switch_id],
      );
      // Whoever goes on here, or waits, would do so with calls that are another's by now.
      if (this.#epoch !== null && (await leaseOwner(client, switch_id))?.epoch !== this.#epoch) {
        await client.end();
        this.#options.onLost();
        return null;
      }
      if (got.rows[0]?.locked === true) {
        await this.#keepAlive(client, works);
        // Not before: one that is lost until then is asked for anew by who asks for this one, and by nobody beside that.
        this.#client = client;
        return client;
      }
      await client.end();
      return null;
    } catch (error) {
      // The lock may be ours without our knowing it.
      dropConnection(client);
      throw error;
    }
  }

  async #keepAlive(client: pg.Client, works: boolean): Promise<void> {
    const asked_at_ms = this.#options.monotonic();
    await client.query(`set idle_session_timeout = ${SILENT_MS_MAX}`);
    this.#awake_at_ms = this.#options.monotonic();
    this.#heard(asked_at_ms);
    if (this.#beat !== null) clearInterval(this.#beat);
    let waiting = false;
    let told = works;
    this.#beat = setInterval(() => {
      this.#feelAwake();
      if (waiting || this.#client !== client) return;
      waiting = true;
      const sent_at_ms = this.#options.monotonic();
      const works_now = this.#options.works();
      client.query(works_now === told ? 'select 1' : this.#naming(works_now)).then(
        () => {
          told = works_now;
          waiting = false;
          this.#heard(sent_at_ms);
        },
        (error: unknown) => {
          this.#options.log.warn({ err: error }, 'the lease was not confirmed');
          // Who says nothing for so long has forgotten the connection, and whoever lies between may never tell.
          this.#connectionLost(client);
          dropConnection(client);
        },
      );
    }, BEAT_MS);
  }

  #heard(asked_at_ms: number): void {
    this.#heard_at_ms = asked_at_ms;
    if (!this.#is_waking || !this.sure) return;
    this.#is_waking = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #feelAwake(): void {
    const now_ms = this.#options.monotonic();
    if (now_ms - this.#awake_at_ms > SURE_MS) this.#is_waking = true;
    this.#awake_at_ms = now_ms;
  }

  #naming(works: boolean): string {
    return `set application_name = '${leaseName(this.#options.service, works)}'`;
  }

  #connectionLost(client: pg.Client): void {
    if (this.#client !== client || this.#stop.signal.aborted) return;
    this.#client = null;
    this.#heard_at_ms = null;
    this.#options.log.warn('the connection that holds the lease was lost');
    this.#relock().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.#options.log.error({ err: error }, 'the lease could not be taken again');
    });
  }

  async #relock(): Promise<void> {
    await this.#lock();
    this.#options.log.info('the lease is still ours');
  }
}
