import { z } from 'zod';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Area, PortalContext } from '../context.ts';
import { task } from '../jobs/task.ts';
import { tellCustomer } from '../live/tell_customer.ts';
import { queueNotice } from '../notices/queue_notice.ts';
import { adminRoutes } from './admin_routes.ts';
import { customerRoutes } from './customer_routes.ts';
import { takeRunOut } from './restriction_rows.ts';

const AT_ONCE = 200;

/** What an account is kept from, and how it defends itself. */
export function rightsArea(context: PortalContext): Area {
  const { pool, now } = context;
  const tellOfEnds = task(
    'tell_restrictions_ended',
    z.object({}),
    async () => {
      while ((await tellSome(pool, now())) === AT_ONCE);
    },
    '* * * * *',
  );
  return { routes: [...customerRoutes(context), ...adminRoutes(context)], tasks: [tellOfEnds] };
}

/** A restriction with an end is over by itself; that it is, the customer is told. */
function tellSome(pool: PortalContext['pool'], now: Date): Promise<number> {
  return inTransaction(pool, async (tx) => {
    const over = await takeRunOut(tx, now, AT_ONCE);
    for (const { id, account_id, scope } of over) {
      await queueNotice(tx, { to: { account_id }, template: 'restriction_ended', facts: { scope } });
      await tellCustomer(tx, account_id, { type: 'restriction', id, state: 'ended' });
    }
    return over.length;
  });
}
