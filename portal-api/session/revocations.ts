import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import type { Revocation } from '../identity/sessions.ts';
import { enqueue, task } from '../jobs/task.ts';
import type { Task } from '../jobs/task.ts';

/**
 * In the transaction that takes away what somebody's sessions stand for. Whoever calls carries it out at once when that is committed; the
 * task does so where Redis was silent at that moment, as nobody could ask for it again: what it follows from is done.
 */
export async function queueRevocation(tx: Queryable, whose: Omit<Revocation, 'revocation_id'>): Promise<Revocation> {
  const revocation = { revocation_id: randomUUID(), ...whose };
  await enqueue(tx, { task: 'revoke_sessions', payload: revocation });
  return revocation;
}

export function revokeSessions({ sessions }: PortalContext): Task {
  const payload = z.object({
    ...{ revocation_id: z.uuid(), user_id: z.uuid() },
    ...{ except: z.string().nullable(), account_id: z.uuid().nullable() },
  });
  return task('revoke_sessions', payload, async (revocation) => {
    await sessions.carryOut(revocation);
  });
}
