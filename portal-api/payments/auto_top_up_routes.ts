import { z } from 'zod';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { microsIn, microsOut, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { WHO_PAYS } from '../identity/policy.ts';
import { enqueue } from '../jobs/task.ts';
import { payingWallet } from './attempts.ts';
import { centsOf } from './cents.ts';
import { endDunning, retryByOtherCard } from './dunning.ts';
import { findMethod } from './methods.ts';
import type { PaymentProvider } from './payment_provider.ts';
import { lockWallet } from './refunds.ts';
import { accountOf } from '../identity/whose.ts';

const wishShape = z.object({
  enabled: z.boolean(),
  /** Filled where less than this is free. */
  threshold_micros: microsIn,
  amount_micros: microsIn,
  method_id: uuid,
  /** At most so often in a day. */
  per_day_max: z.int().min(1).max(20).default(3),
});

const autoTopUpShape = z
  .object({
    enabled: z.boolean(),
    threshold_micros: microsOut,
    amount_micros: microsOut,
    method_id: uuid.nullable(),
    per_day_max: z.int(),
    /** Why it was switched off by itself. */
    stopped_because: z.string().nullable(),
    version: z.int(),
  })
  .meta({ id: 'AutoTopUp' });

interface AutoTopUpRow {
  enabled: boolean;
  threshold_micros: string;
  amount_micros: string;
  method_id: string;
  per_day_max: number;
  stopped_because: string | null;
  version: number;
}

const shown = (row: AutoTopUpRow): z.input<typeof autoTopUpShape> => ({
  ...row,
  threshold_micros: BigInt(row.threshold_micros),
  amount_micros: BigInt(row.amount_micros),
});

const NEVER_SET: z.input<typeof autoTopUpShape> = {
  ...{ enabled: false, threshold_micros: 0n, amount_micros: 0n, method_id: null, per_day_max: 3 },
  ...{ stopped_because: null, version: 0 },
};

/** A wallet that fills itself. */
export function autoTopUpRoutes(context: PortalContext, provider: PaymentProvider | null): Route[] {
  return [readAutoTopUp(context), setAutoTopUp(context, provider)];
}

function readAutoTopUp({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/auto-top-up',
      operation_id: 'read_auto_top_up',
      summary: 'Whether and how the wallet fills itself.',
      tag: 'payments',
      policy: { customer: WHO_PAYS },
      answers: { 200: { description: 'Version 0 where it was never set.', json: autoTopUpShape } },
    },
    async ({ identity }) => {
      const { rows } = await pool.query<AutoTopUpRow>(
        `select enabled, threshold_micros, amount_micros, method_id, per_day_max, stopped_because, version
           from auto_top_up where account_id = $1`,
        [accountOf(identity)],
      );
      const body = rows[0] === undefined ? NEVER_SET : shown(rows[0]);
      return { status: 200, body, version: body.version };
    },
  );
}

function setAutoTopUp({ pool }: PortalContext, provider: PaymentProvider | null): Route {
  return route(
    {
      method: 'put',
      path: '/v1/auto-top-up',
      operation_id: 'set_auto_top_up',
      summary: 'Let the wallet fill itself, or no longer.',
      tag: 'payments',
      policy: { customer: WHO_PAYS, step_up: true },
      versioned: true,
      body: wishShape,
      answers: { 200: { description: 'As it is now.', json: autoTopUpShape } },
      problems: ['not_found', 'unavailable', 'not_available'],
    },
    async ({ identity, body, version, now }) => {
      if (provider === null) throw new Problem('not_available', 'No payments are taken here.');
      const account_id = accountOf(identity);
      const wallet = await payingWallet(pool, account_id);
      const method = await findMethod(pool, account_id, provider.name, body.method_id);
      if (wallet === null || method === null) throw new Problem('not_found', 'There is no such card.');
      if (centsOf(body.amount_micros, wallet.currency) === null) {
        throw new Problem('invalid', 'A payment is of whole cents of the wallet’s currency.');
      }
      const saved = await inTransaction(pool, async (tx) => {
        // As whoever takes a failure has it locked: neither is overlooked by the other.
        await lockWallet(tx, wallet.wallet_id);
        const row = await save(tx, account_id, body, version ?? 0);
        if (row === null) return null;
        if (row.enabled) await retryByOtherCard(tx, wallet.wallet_id, row.method_id, now);
        else await endDunning(tx, wallet.wallet_id);
        for (const task of ['dunning_look', 'auto_top_up_look']) await enqueue(tx, { task, payload: {}, key: task });
        return row;
      });
      if (saved === null) throw new Problem('version_conflict');
      return { status: 200, body: shown(saved), version: saved.version };
    },
  );
}

/** Null where it was changed meanwhile. */
async function save(
  db: Queryable,
  account_id: string,
  wish: z.output<typeof wishShape>,
  version: number,
): Promise<AutoTopUpRow | null> {
  const { rows } = await db.query<AutoTopUpRow>(
    `insert into auto_top_up as t (account_id, enabled, threshold_micros, amount_micros, method_id, per_day_max)
     select $1, $2, $3, $4, $5, $6 where $7 = 0 or exists (select 1 from auto_top_up where account_id = $1)
     on conflict (account_id) do update
        set enabled = excluded.enabled, threshold_micros = excluded.threshold_micros, amount_micros = excluded.amount_micros,
            method_id = excluded.method_id, per_day_max = excluded.per_day_max, stopped_because = null, version = t.version + 1
      where t.version = $7
     returning enabled, threshold_micros, amount_micros, method_id, per_day_max, stopped_because, version`,
    [
      ...[account_id, wish.enabled, wish.threshold_micros.toString(), wish.amount_micros.toString()],
      ...[wish.method_id, wish.per_day_max, version],
    ],
  );
  return rows[0] ?? null;
}
