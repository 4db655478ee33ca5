import type { Queryable } from '../../domain/db/transaction.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import { mustBeOfAccount } from '../http/idempotency.ts';
import { findAttempt, insertAttempt, lockAttempt, saveStart } from './attempts.ts';
import type { Attempt, NewAttempt } from './attempts.ts';
import { centsOf } from './cents.ts';
import type { PaymentProvider } from './payment_provider.ts';
import type { PaymentsContext } from './payments_context.ts';
import { takeState } from './take_event.ts';

export type Started =
  | { kind: 'started'; attempt: Attempt }
  /** Not known what became of it: the same id may be asked for again. */
  | { kind: 'unavailable' }
  /** Another payment fills the wallet already. */
  | { kind: 'under_way' };

/** Begins a payment, or goes on with the one that has this id. */
export async function startPayment(
  context: PaymentsContext,
  provider: PaymentProvider,
  wish: Omit<NewAttempt, 'provider'>,
  now: Date,
): Promise<Started> {
  const { pool, settings } = context;
  await insertAttempt(pool, { ...wish, provider: provider.name }, now);
  const attempt = await findAttempt(pool, wish.id);
  if (attempt === null) return { kind: 'under_way' };
  mustBeOfAccount(attempt.account_id, wish.account_id);
  // A provider forgets after a day whom it has charged for an id: what was begun there is not begun again.
  if (attempt.state !== 'created') return { kind: 'started', attempt };
  const amount_cents = centsOf(attempt.amount_micros, attempt.currency);
  if (amount_cents === null) throw new RangeError('A payment is of whole cents.');
  const customer = await customerOf(pool, provider, attempt.account_id);
  if (customer === null) return { kind: 'unavailable' };
  const started = await provider.startPayment({
    ...{ payment_id: attempt.id, amount_cents, currency: attempt.currency, customer },
    method_token: await tokenOf(pool, attempt.method_id),
    save_method: attempt.save_method,
    return_url: `${settings.PUBLIC_ORIGIN}/wallet`,
  });
  if (started.kind === 'unavailable') return started;
  const { provider_payment, state, failure } = started;
  await inTransaction(pool, async (tx) => {
    const locked = await lockAttempt(tx, { payment_id: attempt.id, provider: provider.name, provider_payment: null });
    if (locked === null) throw new Error(`The payment ${attempt.id} is gone.`);
    await saveStart(tx, attempt.id, started);
    await takeState(context, tx, locked, { event_id: 'answer', provider_payment, state, failure, now });
  });
  const now_it_is = await findAttempt(pool, attempt.id);
  return now_it_is === null ? { kind: 'unavailable' } : { kind: 'started', attempt: now_it_is };
}

/** The provider's name for an account, remembered; null while the provider does not answer. */
export async function customerOf(db: Queryable, provider: PaymentProvider, account_id: string): Promise<string | null> {
  const find = () =>
    db.query<{ provider_customer: string }>(
      'select provider_customer from payment_customer where account_id = $1 and provider = $2',
      [account_id, provider.name],
    );
  const known = (await find()).rows[0];
  if (known !== undefined) return known.provider_customer;
  const made = await provider.makeCustomer(account_id);
  if (made === null) return null;
  await db.query(
    'insert into payment_customer (account_id, provider, provider_customer) values ($1, $2, $3) on conflict do nothing',
    [account_id, provider.name, made],
  );
  return (await find()).rows[0]?.provider_customer ?? null;
}

async function tokenOf(db: Queryable, method_id: string | null): Promise<string | null> {
  if (method_id === null) return null;
  const { rows } = await db.query<{ provider_token: string }>(
    'select provider_token from payment_method where id = $1',
    [method_id],
  );
  return rows[0]?.provider_token ?? null;
}
