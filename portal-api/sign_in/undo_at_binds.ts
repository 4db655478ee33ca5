import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { renewPassword } from '../esmes/esme_rows.ts';
import type { Traces } from './disowned_traces.ts';

/** A system_id, and whose it is. */
export interface AtBind {
  id: string;
  account_id: string;
}

/**
 * Nobody binds by the passwords that were renewed, and whoever is bound by one is unbound: each is replaced by one that is told to nobody,
 * until the customer renews it.
 */
export async function dropBindPasswords(tx: Transaction, { esmes }: Traces): Promise<AtBind[]> {
  const known = await lockKnown(tx, [...esmes]);
  for (const { id } of known) await renewPassword(tx, id);
  return known;
}

/** Those whose password was told to somebody since it was dropped last. */
async function lockKnown(tx: Queryable, system_ids: readonly string[]): Promise<AtBind[]> {
  const { rows } = await tx.query<AtBind>(
    `select e.system_id as id, e.account_id from esme e
      where e.system_id = any($1)
        and (select max(l.seq) from audit_log l
              where l.account_id = e.account_id and l.action = 'esme.renew_password' and l.subject = 'esme:' || e.system_id)
            > coalesce((select max(l.seq) from audit_log l
                         where l.account_id = e.account_id and l.action = 'sign_in.disown' and l.detail -> 'esmes' ? e.system_id), 0)
      order by e.system_id for no key update of e`,
    [system_ids],
  );
  return rows;
}
