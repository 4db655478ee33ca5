import type pg from 'pg';
import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

interface JobCounts {
  /** Due or to come, and not tried yet. */
  waiting: number;
  running: number;
  /** Failed, and to be tried again. */
  failing: number;
  /** Failed as often as they may: nobody carries them out any more. */
  dead: number;
  /** For so long the longest has been due that nobody has in hand. */
  oldest_due_seconds: number;
}

/** What the tasks in the database are at, asked for when the metrics are. */
export function watchJobs(registry: Registry, pool: pg.Pool): void {
  const registers = [registry];
  // Both gauges are collected at the same time, and ask once.
  let asked: Promise<JobCounts | null> | null = null;
  const ask = (): Promise<JobCounts | null> => {
    // While the database is away the other metrics are told without these; /healthz says that it is.
    asked ??= countJobs(pool)
      .catch(() => null)
      .finally(() => {
        asked = null;
      });
    return asked;
  };
  new Gauge({
    name: 'portal_jobs',
    help: 'Tasks by state: waiting, running, failing (they are tried again), dead (given up).',
    labelNames: ['state'],
    registers,
    async collect() {
      const counts = await ask();
      this.reset();
      if (counts === null) return;
      for (const state of ['waiting', 'running', 'failing', 'dead'] as const) this.set({ state }, counts[state]);
    },
  });
  new Gauge({
    name: 'portal_jobs_oldest_due_seconds',
    help: 'How long the longest task has been due that nobody has in hand.',
    registers,
    async collect() {
      this.set((await ask())?.oldest_due_seconds ?? 0);
    },
  });
}

async function countJobs(pool: pg.Pool): Promise<JobCounts> {
  const { rows } = await pool.query<JobCounts>(
    `select count(*) filter (where attempts = 0 and locked_at is null)::integer as waiting,
            count(*) filter (where locked_at is not null)::integer as running,
            count(*) filter (where attempts between 1 and max_attempts - 1 and locked_at is null)::integer as failing,
            count(*) filter (where attempts >= max_attempts and locked_at is null)::integer as dead,
            coalesce(extract(epoch from now() - min(run_at) filter (where attempts < max_attempts and locked_at is null and run_at <= now())), 0)::float
              as oldest_due_seconds
       from graphile_worker.jobs`,
  );
  const [counts] = rows;
  if (counts === undefined) throw new Error('A count has one row.');
  return counts;
}
