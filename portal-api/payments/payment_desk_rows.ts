import type { Queryable } from '../../domain/db/transaction.ts';
import type { AttemptState } from './attempt_state.ts';
import type { Attempt } from './attempts.ts';

/** A payment as finance sees it. */
export interface PaymentAtTheDesk {
  payment_id: string;
  account_id: string;
  state: AttemptState;
  made_by: Attempt['purpose'];
  amount_micros: string;
  refunded_micros: string;
  currency: string;
  provider: string;
  provider_payment: string | null;
  /** Null where it was paid on a page of the provider's. */
  card: { brand: string; last4: string } | null;
  failure: string | null;
  policy_version: string;
  created_at: Date;
  changed_at: Date;
}

export interface PaymentSearch {
  account_id: string | null;
  state: AttemptState | null;
  made_by: Attempt['purpose'] | null;
  /** Of ours, or of the provider's. */
  reference: string | null;
  from: string | null;
  to: string | null;
}

const CARD = `case when m.id is null then null else jsonb_build_object('brand', m.brand, 'last4', m.last4) end as card`;
const COLUMNS = `p.id as payment_id, p.account_id, p.state, p.purpose as made_by, p.amount_micros, p.refunded_micros, p.currency, p.provider,
  p.provider_payment, p.failure, p.policy_version, p.created_at, p.changed_at, ${CARD}`;

/** What is one may be looked up by it. */
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/iu;

export async function searchPayments(
  db: Queryable,
  { account_id, state, made_by, reference, from, to }: PaymentSearch,
  before: readonly [string, string] | null,
  rows_max: number,
): Promise<PaymentAtTheDesk[]> {
  const { rows } = await db.query<PaymentAtTheDesk>(
    `select ${COLUMNS} from payment_attempt p left join payment_method m on m.id = p.method_id
      where ($1::uuid is null or p.account_id = $1) and ($2::text is null or p.state = $2) and ($3::text is null or p.purpose = $3)
        and ($4::text is null or p.id = $10::uuid or p.provider in ('local', 'stripe') and p.provider_payment = $4)
        and ($5::timestamptz is null or p.created_at >= $5) and ($6::timestamptz is null or p.created_at < $6)
        and ($7::timestamptz is null or (p.created_at, p.id) < ($7, $8::uuid))
      order by p.created_at desc, p.id desc limit $9`,
    [
      ...[account_id, state, made_by, reference, from, to, before?.[0] ?? null, before?.[1] ?? null, rows_max],
      reference !== null && UUID.test(reference) ? reference : null,
    ],
  );
  return rows;
}

export async function readPaymentAtTheDesk(db: Queryable, payment_id: string): Promise<PaymentAtTheDesk | null> {
  const { rows } = await db.query<PaymentAtTheDesk>(
    `select ${COLUMNS} from payment_attempt p left join payment_method m on m.id = p.method_id where p.id = $1`,
    [payment_id],
  );
  return rows[0] ?? null;
}

/** What a payment went through, and what came of it. */
export interface CourseOfPayment {
  changes: { at: Date; event: string; from_state: string; to_state: string }[];
  told: { at: Date; event_id: string; kind: string }[];
  receipt: { invoice_id: string; number: string } | null;
  dispute_ids: string[];
  refund_ids: string[];
  /** The retries that it is one of, or began. */
  dunning_id: string | null;
}

export async function courseOfPayment(db: Queryable, payment_id: string): Promise<CourseOfPayment> {
  const changes = await db.query<CourseOfPayment['changes'][number]>(
    'select at, event, from_state, to_state from payment_attempt_change where attempt_id = $1 order by at limit 200',
    [payment_id],
  );
  const told = await db.query<CourseOfPayment['told'][number]>(
    'select received_at as at, event_id, kind from payment_event where attempt_id = $1 order by received_at, event_id limit 200',
    [payment_id],
  );
  const { rows } = await db.query<Omit<CourseOfPayment, 'changes' | 'told'>>(
    `select (select jsonb_build_object('invoice_id', i.id, 'number', i.number) from invoice i where i.attempt_id = p.id) as receipt,
            array(select d.id from payment_dispute d where d.attempt_id = p.id order by d.opened_at, d.id) as dispute_ids,
            array(select r.refund_id from refund_part r where r.attempt_id = p.id order by r.refund_id) as refund_ids,
            (select d.id from dunning d
              where d.first_attempt_id = p.id or p.purpose = 'retry' and d.wallet_id = p.wallet_id and d.opened_at <= p.created_at
              order by d.opened_at desc, d.id limit 1) as dunning_id
       from payment_attempt p where p.id = $1`,
    [payment_id],
  );
  const [rest] = rows;
  if (rest === undefined) throw new Error(`The payment ${payment_id} is not there.`);
  return { changes: changes.rows, told: told.rows, ...rest };
}
