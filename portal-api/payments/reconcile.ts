import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { hasSucceeded } from './attempt_state.ts';
import { centMicros } from './cents.ts';
import type { AttemptState } from './attempt_state.ts';
import type { PaymentProvider, ProviderPayment } from './payment_provider.ts';

export interface Finding {
  kind:
    | 'payment_unknown_here'
    | 'payment_unknown_to_provider'
    | 'state_differs'
    | 'amount_differs'
    | 'refunds_differ'
    | 'top_up_missing'
    | 'top_up_differs'
    | 'top_up_without_payment'
    | 'books_broken';
  subject: string;
  expected: string;
  found: string;
}

interface OurPayment {
  id: string;
  provider_payment: string | null;
  state: AttemptState;
  currency: string;
  amount_micros: string;
  /** Paid back for certain, and with what is on its way. */
  refunded_micros: string;
  refunding_micros: string;
  posted_micros: string | null;
}

/** For how long back payments are compared each night: longer than a provider takes to change its mind. */
export const WINDOW_DAYS = 200;
/** What is younger may still be on its way from one book to the other. */
const SETTLING_MS = 600_000;
const AT_ONCE = 500;

/** Compares what the provider, the attempts, the ledger and the wallets say; right books give no finding. */
export async function reconcile(
  { pool }: PortalContext,
  provider: PaymentProvider,
  since: Date,
  now: Date,
): Promise<{ findings: Finding[]; payments_seen: number }> {
  const findings: Finding[] = [];
  const seen = new Set<string>();
  let batch: ProviderPayment[] = [];
  let payments_seen = 0;
  const compareBatch = async (): Promise<void> => {
    findings.push(...(await compare(pool, provider.name, batch, seen, now)));
    payments_seen += batch.length;
    batch = [];
  };
  for await (const payment of provider.listPayments(since)) {
    batch.push(payment);
    if (batch.length === AT_ONCE) await compareBatch();
  }
  await compareBatch();
  findings.push(...(await missedByProvider(pool, provider.name, since, seen, now)));
  findings.push(...(await ledgerFindings(pool, since)), ...(await brokenBooks(pool)));
  return { findings, payments_seen };
}

async function compare(
  db: Queryable,
  provider: string,
  payments: readonly ProviderPayment[],
  seen: Set<string>,
  now: Date,
): Promise<Finding[]> {
  const { rows } = await db.query<OurPayment & { changed_at: Date }>(
    `select a.id, a.provider_payment, a.state, a.currency, a.amount_micros, a.changed_at, a.refunded_micros as refunding_micros,
            (select coalesce(sum(p.amount_micros), 0)::bigint from refund_part p where p.attempt_id = a.id and p.state = 'paid') as refunded_micros,
            null as posted_micros
       from payment_attempt a where a.provider = $1 and (a.id = any($2::uuid[]) or a.provider_payment = any($3))`,
    [provider, payments.map((p) => p.payment_id).filter((id) => id !== null), payments.map((p) => p.provider_payment)],
  );
  return payments.flatMap((payment) => {
    const ours = rows.find((one) => one.id === payment.payment_id || one.provider_payment === payment.provider_payment);
    if (ours !== undefined) seen.add(ours.id);
    const is_settling = ours !== undefined && now.getTime() - ours.changed_at.getTime() < SETTLING_MS;
    return ours === undefined ? [unknownHere(payment)] : differences(ours, payment, is_settling);
  });
}

const unknownHere = ({ provider_payment, amount_cents, currency, state }: ProviderPayment): Finding => ({
  ...{ kind: 'payment_unknown_here', subject: provider_payment, expected: 'no such payment' },
  found: `${amount_cents} cents of ${currency}, ${state}`,
});

function differences(ours: OurPayment, theirs: ProviderPayment, is_settling: boolean): Finding[] {
  const found: Finding[] = [];
  const subject = ours.id;
  const cent = centMicros(ours.currency);
  const their_micros = theirs.amount_cents * cent;
  if (their_micros !== BigInt(ours.amount_micros) || theirs.currency !== ours.currency) {
    const words = [`${ours.amount_micros} micros of ${ours.currency}`, `${their_micros} micros of ${theirs.currency}`];
    found.push({ kind: 'amount_differs', subject, expected: words[0] ?? '', found: words[1] ?? '' });
  }
  const [we, they] = [hasSucceeded(ours.state), theirs.state === 'succeeded'];
  // What the provider knows first we are told a little later.
  if (we !== they && !(they && is_settling)) {
    found.push({ kind: 'state_differs', subject, expected: ours.state, found: theirs.state });
  }
  const back = theirs.refunded_cents * cent;
  // A part that was asked for may be paid though its answer is not here yet.
  if (back < BigInt(ours.refunded_micros) || back > BigInt(ours.refunding_micros)) {
    const expected = `${ours.refunded_micros} micros`;
    found.push({ kind: 'refunds_differ', subject, expected, found: `${back} micros` });
  }
  return found;
}

async function missedByProvider(
  db: Queryable,
  provider: string,
  since: Date,
  seen: ReadonlySet<string>,
  now: Date,
): Promise<Finding[]> {
  const { rows } = await db.query<{ id: string; amount_micros: string }>(
    `select id, amount_micros from payment_attempt
      where provider = $1 and state in ('succeeded', 'disputed', 'charged_back') and created_at >= $2 and created_at < $3`,
    // What was begun while the provider listed is looked at the next time.
    [provider, new Date(since.getTime() + SETTLING_MS), new Date(now.getTime() - SETTLING_MS)],
  );
  return rows
    .filter(({ id }) => !seen.has(id))
    .map(({ id, amount_micros }) => ({
      ...{ kind: 'payment_unknown_to_provider', subject: id, expected: `${amount_micros} micros`, found: 'nothing' },
    }));
}

/** Attempts against top-ups of the ledger, both ways. */
async function ledgerFindings(db: Queryable, since: Date): Promise<Finding[]> {
  const { rows } = await db.query<Finding>(
    `select case when t.id is null then 'top_up_missing' else 'top_up_differs' end as kind, a.id::text as subject,
            a.amount_micros || ' micros' as expected, coalesce(p.amount || ' micros', 'nothing') as found
       from payment_attempt a left join ledger_tx t on t.kind = 'topup' and t.ref = a.id
            left join lateral (select sum(p.amount_micros) as amount from posting p join ledger_account l on l.id = p.account_id
                                where p.tx_id = t.id and l.kind = 'wallet_cash' and l.wallet_id = a.wallet_id) p on true
      where a.state in ('succeeded', 'disputed', 'charged_back') and a.created_at >= $1 and p.amount is distinct from a.amount_micros
     union all
     select 'top_up_without_payment', t.ref::text, 'a payment that succeeded', coalesce(a.state, 'no payment')
       from ledger_tx t left join payment_attempt a on a.id = t.ref
      where t.kind = 'topup' and t.created_at >= $1 and t.content ->> 'reason' = 'payment'
        and (a.id is null or a.state not in ('succeeded', 'disputed', 'charged_back'))`,
    [since],
  );
  return rows;
}

const SLOW_MS = 600_000;

/** The invariants of the books, which read every posting there is. */
function brokenBooks(pool: pg.Pool): Promise<Finding[]> {
  return inTransaction(pool, async (tx) => {
    await tx.query(`set local statement_timeout = ${SLOW_MS}`);
    const query = {
      text: `select name, broken from ledger_invariant where broken > 0
             union all select name, broken from message_invariant where broken > 0`,
      query_timeout: SLOW_MS,
    };
    const { rows } = await tx.query<{ name: string; broken: string }>(query);
    return rows.map(({ name, broken }) => ({
      ...{ kind: 'books_broken', subject: name, expected: 'none', found: `${broken} rows` },
    }));
  });
}

export interface ReconciliationRun {
  id: string;
  began_at: Date;
  asked_by: string | null;
  since: Date;
  payments_seen: number;
  findings: readonly Finding[];
}

const FINDINGS_MAX = 1_000;

/** Reconciles, and keeps what was found. */
export async function runReconciliation(
  context: PortalContext,
  provider: PaymentProvider,
  asked_by: string | null,
  now: Date,
): Promise<ReconciliationRun> {
  const since = new Date(now.getTime() - WINDOW_DAYS * 86_400_000);
  const { findings, payments_seen } = await reconcile(context, provider, since, now);
  const run = { id: randomUUID(), began_at: now, asked_by, since, payments_seen, findings };
  await inTransaction(context.pool, async (tx) => {
    await tx.query(
      'insert into reconciliation_run (id, began_at, asked_by, since, payments_seen, findings) values ($1, $2, $3, $4, $5, $6)',
      [run.id, now, asked_by, since, payments_seen, findings.length],
    );
    const kept = findings.slice(0, FINDINGS_MAX);
    await tx.query(
      `insert into reconciliation_finding (run_id, n, kind, subject, expected, found)
       select $1, q.n, q.kind, q.subject, q.expected, q.found
         from unnest($2::text[], $3::text[], $4::text[], $5::text[]) with ordinality as q(kind, subject, expected, found, n)`,
      [run.id, ...(['kind', 'subject', 'expected', 'found'] as const).map((key) => kept.map((one) => one[key]))],
    );
  });
  return run;
}
