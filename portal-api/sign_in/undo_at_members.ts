import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import type { RoleChange, Traces } from './disowned_traces.ts';

/** Somebody, for an account. */
export interface AtAccount {
  id: string;
  account_id: string;
}

/**
 * Who was raised may do what they might before; where somebody else has changed it since, it stays, and an account keeps an owner. Who was
 * lowered is not raised: a former owner would otherwise have the account back from whoever it was handed to, by disowning a sign-in of his.
 */
export async function setRolesBack(tx: Transaction, { roles }: Traces): Promise<AtAccount[]> {
  await lockOwners(tx, roles);
  const set_back: AtAccount[] = [];
  for (const role of roles) set_back.push(...(await setRoleBack(tx, role)));
  return set_back;
}

/** So that nobody leaves an account without an owner meanwhile. The account itself is taken after its members, as everybody does. */
async function lockOwners(tx: Queryable, roles: readonly RoleChange[]): Promise<void> {
  await tx.query(
    `select 1 from membership
      where account_id = any($1::uuid[]) and (role = 'owner' or user_id = any($2::uuid[]))
      order by account_id, user_id for no key update`,
    [roles.map(({ account_id }) => account_id), roles.map(({ user_id }) => user_id)],
  );
}

async function setRoleBack(tx: Queryable, change: RoleChange): Promise<AtAccount[]> {
  const { account_id, user_id, before, after, seq_last } = change;
  const { rows } = await tx.query<AtAccount>(
    `update membership m set role = $3
      where m.account_id = $1 and m.user_id = $2 and m.role = $4 and m.role <> $3
        and (m.role <> 'owner'
             or exists (select from membership o where o.account_id = $1 and o.user_id <> $2 and o.role = 'owner'))
        and not exists (select from audit_log l
                         where l.account_id = $1 and l.action = 'member.change' and l.subject = 'portal_user:' || $2 and l.seq > $5)
     returning m.user_id as id, m.account_id`,
    [account_id, user_id, before, after, seq_last.toString()],
  );
  return rows;
}

/** Where nobody else owns an account any more, support has to look: an account keeps an owner. */
export async function endMemberships(tx: Queryable, { joined }: Traces): Promise<AtAccount[]> {
  const { rows } = await tx.query<AtAccount>(
    `with doubtful as (select * from unnest($1::uuid[], $2::uuid[]) as d(account_id, user_id))
     delete from membership m using doubtful d
      where m.account_id = d.account_id and m.user_id = d.user_id
        and exists (select from membership o
                     where o.account_id = m.account_id and o.role = 'owner'
                       and not exists (select from doubtful e where e.account_id = o.account_id and e.user_id = o.user_id))
     returning m.user_id as id, m.account_id`,
    [joined.map(({ account_id }) => account_id), joined.map(({ user_id }) => user_id)],
  );
  return rows;
}
