import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../http/cursor.ts';
import { instantOut, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import type { AdminRole } from '../identity/identity.ts';
import { task } from '../jobs/task.ts';
import type { Task } from '../jobs/task.ts';
import type { PaymentProvider } from './payment_provider.ts';
import { runReconciliation } from './reconcile.ts';
import type { Finding, ReconciliationRun } from './reconcile.ts';
import { adminOf } from '../identity/whose.ts';

const FINANCE: readonly AdminRole[] = ['finance', 'owner'];

const findingShape = z.object({ kind: z.string(), subject: z.string(), expected: z.string(), found: z.string() });
const runShape = z
  .object({
    run_id: uuid,
    began_at: instantOut,
    asked_by: uuid.nullable(),
    since: instantOut,
    payments_seen: z.int(),
    findings: z.array(findingShape),
  })
  .meta({ id: 'ReconciliationRun' });

const shown = ({ id, findings, ...rest }: ReconciliationRun): z.input<typeof runShape> => ({
  ...{ run_id: id, ...rest, findings: [...findings] },
});

export function reconcileTask(context: PortalContext, provider: PaymentProvider): Task {
  return task(
    'reconcile_payments',
    z.object({}).loose(),
    async () => {
      const { findings } = await runReconciliation(context, provider, null, context.now());
      if (findings.length > 0) context.log.error({ findings: findings.length }, 'the books do not agree');
    },
    '30 2 * * *',
  );
}

export function reconcileRoutes(context: PortalContext, provider: PaymentProvider | null): Route[] {
  return [startRun(context, provider), listRuns(context)];
}

function startRun(context: PortalContext, provider: PaymentProvider | null): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/reconciliations',
      operation_id: 'reconcile',
      summary: 'Compare the provider, the payments, the ledger and the wallets now.',
      tag: 'admin payments',
      policy: { admin: FINANCE },
      pace: 'costly',
      answers: { 201: { description: 'What did not agree: nothing, as a rule.', json: runShape } },
      problems: ['unavailable', 'not_available'],
    },
    async ({ identity, now }) => {
      if (provider === null) throw new Problem('not_available', 'No payments are taken here.');
      const admin_id = adminOf(identity).user_id;
      const run = await runReconciliation(context, provider, admin_id, now);
      await inTransaction(context.pool, (tx) =>
        appendAudit(tx, {
          ...{ at: now, actor: { kind: 'admin', id: admin_id }, action: 'reconciliation.run', account_id: null },
          ...{ subject: `reconciliation_run:${run.id}`, detail: { findings: run.findings.length } },
        }),
      );
      return { status: 201, body: shown(run) };
    },
  );
}

type RunRow = Omit<ReconciliationRun, 'findings'> & { findings: Finding[] };

function listRuns({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/reconciliations',
      operation_id: 'list_reconciliations',
      summary: 'What the nightly and the other comparisons found, the latest first.',
      tag: 'admin payments',
      policy: { admin: FINANCE },
      query: pageQuery,
      answers: { 200: { description: 'A page of them.', json: pageOf(runShape) } },
    },
    async ({ query }) => {
      const before = decodeCursor(query.cursor, z.tuple([z.iso.datetime(), uuid]));
      const { rows } = await pool.query<RunRow>(
        `select r.id, r.began_at, r.asked_by, r.since, r.payments_seen,
                (select coalesce(jsonb_agg(jsonb_build_object('kind', f.kind, 'subject', f.subject, 'expected', f.expected, 'found', f.found)
                                           order by f.n), '[]') from reconciliation_finding f where f.run_id = r.id) as findings
           from reconciliation_run r where ($1::timestamptz is null or (r.began_at, r.id) < ($1, $2::uuid))
          order by r.began_at desc, r.id desc limit $3`,
        [before?.[0] ?? null, before?.[1] ?? null, query.limit + 1],
      );
      const key = ({ began_at, id }: RunRow) => [began_at.toISOString(), id];
      return { status: 200, body: page(rows, query.limit, { key, item: shown }) };
    },
  );
}
