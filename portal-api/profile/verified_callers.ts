import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { blindIndex } from '../../domain/privacy/sealing.ts';
import type { PortalContext } from '../context.ts';

/**
 * To be called once somebody owns an account no more: their number is shown to nobody for it, unless somebody who owns it has the same one.
 */
export async function dropCallersOf(
  { ring }: Pick<PortalContext, 'ring'>,
  tx: Transaction,
  { account_id, user_id }: { account_id: string; user_id: string },
): Promise<void> {
  for (const { number, phone_index } of await selectUnowned(tx, account_id, user_id)) {
    if (!blindIndex(ring, 'phone', number).equals(phone_index)) continue;
    await tx.query('delete from verified_caller where account_id = $1 and number = $2', [account_id, number]);
  }
}

/** What may be shown for an account, where nobody who owns it has the number of that person: which of them it is its index tells. */
async function selectUnowned(
  db: Queryable,
  account_id: string,
  user_id: string,
): Promise<{ number: string; phone_index: Buffer }[]> {
  const { rows } = await db.query<{ number: string; phone_index: Buffer }>(
    `select v.number, u.phone_index from verified_caller v join portal_user u on u.id = $2
      where v.account_id = $1 and u.phone_index is not null
        and not exists (select from membership m join portal_user o on o.id = m.user_id
                         where m.account_id = $1 and m.role = 'owner' and o.phone_index = u.phone_index)`,
    [account_id, user_id],
  );
  return rows;
}

/** To be called once somebody has another number: the one before may be shown no more for what they own, unless another owner has it too. */
export async function dropFormerCaller(
  tx: Queryable,
  user_id: string,
  former: { number: string; phone_index: Buffer },
): Promise<void> {
  await tx.query(
    `delete from verified_caller v using membership m
      where m.user_id = $1 and m.role = 'owner' and v.account_id = m.account_id and v.number = $2
        and not exists (select from membership n join portal_user o on o.id = n.user_id
                         where n.account_id = v.account_id and n.role = 'owner' and o.phone_index = $3)`,
    [user_id, former.number, former.phone_index],
  );
}
