import type pg from 'pg';
import type { Logger } from 'pino';

/*
 * A job that is under way is locked in the name of the runner that carries it out, and a process that is killed leaves its locks behind:
 * graphile-worker itself frees them after four hours. So each runner holds, for as long as its process lives, an advisory lock made of
 * its name, in a session of its own. The kernel closes that session with the process, and whoever else runs sees that a job is locked in
 * a name that nobody holds.
 *
 *     not seen ──held by nobody──> missed ──still so after PATIENCE_MS──> freed
 *         ↑                          │
 *         └──────held again──────────┘
 *
 * A process that is slow, or stopped for a while, keeps its session and thereby its jobs. One whose session is lost though it lives, as
 * when Postgres is restarted, holds its name again within RETRY_MS, and nobody is taken for dead by a single look.
 */

const LOOK_MS = 1_000;
const RETRY_MS = 250;
/** For so long a stop waits until what became of its jobs is written, and looks this often. */
const LET_GO_MS = 5_000;
const LET_GO_LOOK_MS = 50;
export const PATIENCE_MS = 5_000;

export interface LivingRunnerOptions {
  pool: pg.Pool;
  log: Logger;
  monotonic: () => number;
  patience_ms: number;
}

/** Shows that a runner lives, and frees the jobs of those that do not. */
export class LivingRunner {
  readonly #options: LivingRunnerOptions;
  #name: string | null = null;
  #first: Promise<void> | null = null;
  #session: pg.PoolClient | null = null;
  #has_ended = false;
  #look: NodeJS.Timeout | null = null;
  #looking: Promise<void> = Promise.resolve();
  /** When each runner that nobody holds was first missed. */
  #missed = new Map<string, number>();

  constructor(options: LivingRunnerOptions) {
    this.#options = options;
  }

  /** Resolves when the name is held, however long that takes: no job may be locked by it before. */
  hold(name: string): Promise<void> {
    if (this.#name !== null && this.#name !== name) throw new Error('A runner of tasks has one name.');
    this.#name = name;
    this.#first ??= this.#open(name);
    return this.#first;
  }

  /** Looks for jobs of the dead from now on. */
  watch(): void {
    this.#look = setTimeout(() => {
      this.#looking = this.#freeTheDead()
        .catch((error: unknown) => {
          // While the database was away nobody could hold a name: whoever is missed is missed from the next look on.
          this.#missed.clear();
          this.#options.log.warn({ err: error }, 'whose jobs are left behind was not seen');
        })
        .then(() => {
          if (this.#look !== null) this.watch();
        });
    }, LOOK_MS);
  }

  /** Resolves when no job is locked in its name any more, or the database cannot be asked, or after LET_GO_MS. */
  async untilLetGo(): Promise<void> {
    for (let waited_ms = 0; waited_ms < LET_GO_MS; waited_ms += LET_GO_LOOK_MS) {
      const left = await countLocked(this.#options.pool, this.#name).catch(() => 0);
      if (left === 0) return;
      await new Promise((resolve) => setTimeout(resolve, LET_GO_LOOK_MS));
    }
  }

  /** After the last job: nobody holds the name any more. */
  async end(): Promise<void> {
    this.#has_ended = true;
    if (this.#look !== null) clearTimeout(this.#look);
    this.#look = null;
    await this.#looking;
    // The session ends, and its lock with it.
    this.#session?.release(true);
    this.#session = null;
  }

  async #open(name: string): Promise<void> {
    const { pool, log } = this.#options;
    while (!this.#has_ended) {
      const session = await pool.connect().catch(() => null);
      try {
        if (session !== null) {
          session.once('error', () => this.#lost(name, session));
          await session.query(`select pg_advisory_lock(hashtextextended('task_runner:' || $1, 0))`, [name]);
          this.#keep(session);
          return;
        }
      } catch (error) {
        log.warn({ err: error, runner: name }, 'that tasks are carried out here could not be shown; trying again');
        session?.release(true);
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  #keep(session: pg.PoolClient): void {
    if (this.#has_ended) session.release(true);
    else this.#session = session;
  }

  #lost(name: string, session: pg.PoolClient): void {
    if (this.#session !== session) return;
    this.#session = null;
    session.release(true);
    this.#options.log.warn({ runner: name }, 'the session that shows that tasks are carried out here was lost');
    void this.#open(name);
  }

  async #freeTheDead(): Promise<void> {
    const { pool, log, monotonic, patience_ms } = this.#options;
    const unheld = await selectUnheld(pool);
    const now = monotonic();
    this.#missed = new Map(unheld.map((name) => [name, this.#missed.get(name) ?? now]));
    const dead = unheld.filter((name) => now - (this.#missed.get(name) ?? now) >= patience_ms);
    if (dead.length === 0) return;
    // Only what is still locked in these names: what another freed and took meanwhile is in his.
    await pool.query('select graphile_worker.force_unlock_workers($1)', [dead]);
    log.warn({ runners: dead }, 'processes that are gone left jobs behind; they are carried out again');
  }
}

/** The runners that have jobs locked and are held by no session; pg_locks shows a key of 64 bits in two halves. */
async function selectUnheld(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select j.name from (select distinct locked_by as name from graphile_worker.jobs where locked_by is not null) j
      where not exists (
        select 1 from pg_locks l
         where l.locktype = 'advisory' and l.objsubid = 1 and l.granted
           and l.database = (select oid from pg_database where datname = current_database())
           and (l.classid::bigint << 32) | l.objid::bigint = hashtextextended('task_runner:' || j.name, 0))`,
  );
  return rows.map(({ name }) => name);
}

async function countLocked(pool: pg.Pool, name: string | null): Promise<number> {
  const { rows } = await pool.query<{ jobs: number }>(
    'select count(*)::integer as jobs from graphile_worker.jobs where locked_by = $1',
    [name],
  );
  return rows[0]?.jobs ?? 0;
}
