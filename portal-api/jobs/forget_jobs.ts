import { z } from 'zod';
import type { Area, PortalContext } from '../context.ts';
import { task } from './task.ts';

/** For so long somebody can look at what was given up, and have it tried again. */
const GIVEN_UP_MS = 30 * 86_400_000;
const FORGOTTEN_AT_ONCE = 1_000;

/** Each night: tasks that were given up long ago are forgotten, as addresses and reasons stand in them. */
export function jobsArea({ pool, now }: PortalContext): Area {
  return { routes: [], tasks: [task('forget_given_up_tasks', z.object({}), () => forget(pool, now()), '37 3 * * *')] };
}

async function forget(pool: PortalContext['pool'], now: Date): Promise<void> {
  for (;;) {
    const { rowCount } = await pool.query(
      `select from graphile_worker.complete_jobs(array(
         select id from graphile_worker.jobs
          where attempts >= max_attempts and locked_at is null and updated_at < $1 order by id limit $2))`,
      [new Date(now.getTime() - GIVEN_UP_MS), FORGOTTEN_AT_ONCE],
    );
    if ((rowCount ?? 0) < FORGOTTEN_AT_ONCE) return;
  }
}
