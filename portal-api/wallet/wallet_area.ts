import { z } from 'zod';
import type { Area, PortalContext } from '../context.ts';
import { task } from '../jobs/task.ts';
import type { Task } from '../jobs/task.ts';
import { packRoutes } from '../prices/pack_routes.ts';
import { rateRoutes } from '../prices/rate_routes.ts';
import { taxRoutes, taxTask } from '../prices/taxes.ts';
import { financeRoutes } from './finance_routes.ts';
import { promoRoutes } from './promo_routes.ts';
import { walletRoutes } from './wallet_routes.ts';

/** What is in a wallet, what things cost, and what finance corrects. */
export function walletArea(context: PortalContext): Area {
  return {
    routes: [
      ...walletRoutes(context),
      ...financeRoutes(context),
      ...promoRoutes(context),
      ...packRoutes(context),
      ...rateRoutes(context),
      ...taxRoutes(context),
    ],
    tasks: [taxTask(context), expirePromoTask(context)],
  };
}

const BUCKETS_AT_ONCE = 1_000;

function expirePromoTask({ pool, now }: PortalContext): Task {
  return task(
    'expire_promo',
    z.object({}).loose(),
    async () => {
      await pool.query('select expire_promo($1, $2)', [now(), BUCKETS_AT_ONCE]);
    },
    '7 * * * *',
  );
}
