import type { Queryable } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';

/** What lies beyond payments and waits for money. */
export interface PaymentsPorts {
  /** Called in the transaction that books a payment: numbers that wait for it are paid at once. */
  payNumbersSoon: (tx: Queryable, account_id: string) => Promise<void>;
}

/** What is given to whatever may book a payment. */
export interface PaymentsContext extends PortalContext, PaymentsPorts {}
