import { randomUUID } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { Queryable } from '../../domain/db/transaction.ts';
import { inetOf } from '../codes/issue_code.ts';
import { queueNotice } from '../notices/queue_notice.ts';

export type LoginMethod = 'registration' | 'password' | 'passkey' | 'google' | 'totp' | 'recovery_code';

/** Who asks from where. */
export interface Visitor {
  address: string;
  user_agent: string;
}

export interface LoginEvent {
  user_id: string;
  method: LoginMethod;
  result: 'signed_in' | 'refused';
}

/** How much of an address says from which network it comes. */
const networkBits = (address: string): number => (isIPv4(address) ? 24 : 48);

/**
 * Writes down that somebody signed in, or was refused. A device is known by its program and its network together; of one that is new
 * the owner is told, but for the first, which is the registration.
 */
export async function recordLogin(
  tx: Queryable,
  now: Date,
  { user_id, method, result }: LoginEvent,
  visitor: Visitor,
): Promise<void> {
  const address = inetOf(visitor.address);
  const { rows } = await tx.query<{ is_new_device: boolean }>(
    `insert into login_event (id, user_id, at, method, result, address, user_agent, is_new_device)
     select $1, u.id, $3, $4, $5, $6, $7,
            $5 = 'signed_in' and $4 <> 'registration' and not exists (
              select 1 from login_event e
               where e.user_id = u.id and e.result = 'signed_in' and e.disowned_at is null and e.user_agent = $7
                 and (e.address is not distinct from $6 or e.address <<= network(set_masklen($6::inet, $8))))
       from portal_user u where u.id = $2
     returning is_new_device`,
    [
      ...[randomUUID(), user_id, now, method, result, address, visitor.user_agent.slice(0, 300)],
      address === null ? 0 : networkBits(address),
    ],
  );
  if (rows[0]?.is_new_device !== true) return;
  const facts = { at: now.toISOString(), address: visitor.address, program: visitor.user_agent };
  await queueNotice(tx, { to: { user_id }, template: 'new_sign_in', facts });
}
