import type pg from 'pg';
import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

/**
 * How far this portal's clock is from Postgres', asked for when the metrics are. Portals agree with one another by what each writes there: what
 * one holds is kept from the others, and who signed in at one is known to them. Some minutes are allowed for, more are not.
 */
export function watchClock(registry: Registry, pool: pg.Pool, now: () => Date): void {
  new Gauge({
    name: 'portal_clock_ahead_seconds',
    help: 'How far this portal’s clock is ahead of Postgres’, less than nothing where it is behind. More than some seconds is for a person.',
    registers: [registry],
    async collect() {
      // While the database is away it is told what it was; /healthz says that it is away.
      const ahead_ms = await aheadOf(pool, now).catch(() => null);
      if (ahead_ms !== null) this.set(ahead_ms / 1000);
    },
  });
}

/** By the middle of the time that the question took. */
async function aheadOf(pool: pg.Pool, now: () => Date): Promise<number> {
  const asked_ms = now().getTime();
  const { rows } = await pool.query<{ at: Date }>('select clock_timestamp() as at');
  const answered_ms = now().getTime();
  const [row] = rows;
  if (row === undefined) throw new Error('A clock has one row.');
  return Math.round((asked_ms + answered_ms) / 2 - row.at.getTime());
}
