import { z } from 'zod';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Area, PortalContext } from '../context.ts';
import { task } from '../jobs/task.ts';
import { callRoutes } from './call_routes.ts';
import { messageRoutes } from './message_routes.ts';
import { qualityRoutes } from './quality_routes.ts';
import { floorHour, judgeRoutes, rollUpQuality } from './roll_up_quality.ts';
import { statusRoute } from './status_route.ts';
import { textQualityRoutes } from './text_quality_routes.ts';

const HOUR_MS = 3_600_000;
/** A call is counted in the hour in which it began, and its record comes when it is over: so hours that are past are looked at again. */
const HOURS_AGAIN = 4;

/** What was called and written, how good that was, and whether the service works. */
export function activityArea(context: PortalContext): Area {
  const { pool, now } = context;
  const rollUp = task(
    'roll_up_quality',
    z.object({ from: z.iso.datetime().optional() }),
    ({ from }) =>
      inTransaction(pool, async (tx) => {
        const at = now();
        const begin = from === undefined ? new Date(at.getTime() - HOURS_AGAIN * HOUR_MS) : new Date(from);
        await rollUpQuality(tx, floorHour(begin), new Date(floorHour(at).getTime() + HOUR_MS));
        await judgeRoutes(tx, floorHour(new Date(at.getTime() - HOUR_MS)), at);
      }),
    '*/5 * * * *',
  );
  const routes = [
    ...[...callRoutes(context), ...messageRoutes(context)],
    ...[...qualityRoutes(context), ...textQualityRoutes(context), statusRoute(context)],
  ];
  return { routes, tasks: [rollUp] };
}
