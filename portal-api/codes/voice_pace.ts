import type { Transaction } from '../../domain/db/transaction.ts';
import { Problem } from '../http/problem.ts';
import { lastOfNetwork, networkOf } from './issue_code.ts';

export interface VoicePace {
  per_target_per_day_max: number;
  per_address_per_day_max: number;
  /** Of all calls, so that somebody with many numbers and addresses cannot spend our money for long. */
  per_hour_max: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Throws `too_many` where there were enough calls: each costs the operator money, and some numbers earn by being called. */
export async function checkVoicePace(
  tx: Transaction,
  now: Date,
  { target_index, address }: { target_index: Buffer; address: string | null },
  pace: VoicePace,
): Promise<void> {
  await takeTurn(tx, target_index, address);
  const { rows } = await tx.query<{ to_target: number; by_address: number; by_all: number }>(
    `select (select count(*)::int from spoken_code where target_index = $1 and asked_at > $3) as to_target,
            (select count(*)::int from spoken_code
              where address between $2 and ${lastOfNetwork('$2')} and asked_at > $3) as by_address,
            (select count(*)::int from spoken_code where asked_at > $4) as by_all`,
    [target_index, networkOf(address), new Date(now.getTime() - DAY_MS), new Date(now.getTime() - HOUR_MS)],
  );
  const counted = rows[0];
  if (counted === undefined) throw new Error('A count has one row.');
  if (counted.to_target >= pace.per_target_per_day_max || counted.by_address >= pace.per_address_per_day_max)
    throw tooMany('You have had as many calls as we make in a day. Ask for a text, or try another number.', DAY_MS);
  if (counted.by_all >= pace.per_hour_max)
    throw tooMany('So many calls are asked for that we make no more for now. Ask for a text.', HOUR_MS);
}

/**
 * Whoever asks at the same moment waits, and is then counted with this one: by target, by address and in all, and by everybody in that
 * order, so that no two wait for one another.
 */
async function takeTurn(tx: Transaction, target_index: Buffer, address: string | null): Promise<void> {
  const turns = [
    ['spoken_code.target', target_index.toString('hex')],
    ['spoken_code.address', networkOf(address) ?? ''],
    ['spoken_code', 'all'],
  ];
  for (const turn of turns) await tx.query('select pg_advisory_xact_lock(hashtext($1), hashtext($2))', turn);
}

function tooMany(detail: string, wait_ms: number): Problem {
  return new Problem('too_many', detail, { retry_after_seconds: wait_ms / 1000 });
}
