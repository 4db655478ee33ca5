import { z } from 'zod';
import type { Queryable } from '../../domain/db/transaction.ts';

/**
 * Something that is done after the transaction that causes it, and again until it succeeds: so each is written to be safe when it is
 * carried out twice.
 */
export interface Task {
  /** In lower case with underscores. */
  name: string;
  run: (payload: unknown) => Promise<void>;
  /** When it is done by itself besides, as crontab has it, in UTC; its payload is then empty. */
  cron?: string;
}

export function task<T extends z.ZodType>(
  name: string,
  payload: T,
  run: (payload: z.output<T>) => Promise<void>,
  cron?: string,
): Task {
  const parsing = (value: unknown): Promise<void> => run(payload.parse(value));
  return cron === undefined ? { name, run: parsing } : { name, run: parsing, cron };
}

export interface Enqueued {
  task: string;
  payload: Readonly<Record<string, unknown>>;
  /** At once by default. */
  run_at?: Date;
  /** Jobs of the same key replace one another while they wait. */
  key?: string;
  /** Jobs of the same queue are carried out one after another, whatever they are. */
  queue?: string;
  attempts_max?: number;
}

/** In the transaction that causes it: with it, or not at all. */
export async function enqueue(
  tx: Queryable,
  { task: name, payload, run_at, key, queue, attempts_max }: Enqueued,
): Promise<void> {
  await tx.query(
    'select graphile_worker.add_job($1, payload => $2, run_at => $3, job_key => $4, max_attempts => $5, queue_name => $6)',
    [name, JSON.stringify(payload), run_at ?? null, key ?? null, attempts_max ?? 25, queue ?? null],
  );
}
