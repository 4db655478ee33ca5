import { z } from 'zod';
import type { Area, PortalContext } from '../context.ts';
import { task } from '../jobs/task.ts';

/** For so long a request under the same key is answered the same. */
const REPLAY_MS = 7 * 86_400_000;
const FORGOTTEN_AT_ONCE = 5_000;

/** Idempotency keys do not stand for ever. */
export function requestsArea({ pool, now }: PortalContext): Area {
  return { routes: [], tasks: [task('forget_requests', z.object({}), () => forget(pool, now()), '41 3 * * *')] };
}

async function forget(pool: PortalContext['pool'], now: Date): Promise<void> {
  for (;;) {
    const { rowCount } = await pool.query(
      `delete from idempotent_request where (actor, key) in (
         select actor, key from idempotent_request where begun_at < $1 order by begun_at limit $2)`,
      [new Date(now.getTime() - REPLAY_MS), FORGOTTEN_AT_ONCE],
    );
    if ((rowCount ?? 0) < FORGOTTEN_AT_ONCE) return;
  }
}
