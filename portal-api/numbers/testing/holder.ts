import { inTransaction } from '../../../domain/db/transaction.ts';
import { DataKeys } from '../../../domain/privacy/data_keys.ts';
import { ACCOUNT_NAMES, insertHolder } from '../../registration/account_holder.ts';
import { makeUser } from '../../testing/people.ts';
import type { TestUser, UserWishes } from '../../testing/people.ts';
import type { PortalWorld } from '../../testing/portal_world.ts';

/** A customer whose account is as registration makes it: called after its kind, with the name of who holds it sealed. */
export async function makeHolder(world: PortalWorld, wishes: UserWishes = {}): Promise<TestUser> {
  const { name = 'Ada Example', party = 'person' } = wishes;
  const user = await makeUser(world, wishes);
  const { account_id } = user;
  await inTransaction(world.pool, async (tx) => {
    const { rows } = await tx.query<{ data_key_id: string }>(
      'update account set name = $2 where id = $1 returning data_key_id',
      [account_id, ACCOUNT_NAMES[party]],
    );
    const key = await new DataKeys(world.ring).open(tx, rows[0]?.data_key_id ?? '');
    await insertHolder(tx, { account_id, key, name });
  });
  return user;
}
