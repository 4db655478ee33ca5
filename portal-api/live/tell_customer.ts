import type { Queryable } from '../../domain/db/transaction.ts';

/** What somebody who has the portal open is told at once. It names what changed; what it is now is asked for. */
export interface LiveEvent {
  /** What it is about: `order`, `wallet`, `message`, `kyc_case`, `number`, `payment`, `restriction`, `claim`, `ownership_dispute`. */
  type: string;
  /** Which of them. */
  id: string;
  /** How it stands now, where that is one word. A number is first `held` for who may buy it, and `let_go` where he does not want it. */
  state?: string;
}

/** Told when the transaction commits, to every process that has a listener; whoever does not listen then asks later. */
export async function tellCustomer(tx: Queryable, account_id: string, event: LiveEvent): Promise<void> {
  await tx.query(`select pg_notify('portal_live', $1)`, [JSON.stringify({ account_id, ...event })]);
}
