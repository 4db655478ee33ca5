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

/** A job is begun between two steps of add_job now and then, and hardly ever by two workers one after another. */
const TRIES_MAX = 10;

/**
 * In the transaction that causes it: with it, or not at all. Where a job of its key is being carried out already, it may have read what
 * was before, so another one follows it.
 *
 * Where that job begins just while add_job looks at it, add_job (graphile-worker 0.17.3) adds nothing, and answers nothing: asked again,
 * it sees that the job has begun.
 */
export async function enqueue(
  tx: Queryable,
  { task: name, payload, run_at, key, queue, attempts_max }: Enqueued,
): Promise<void> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const { rows } = await tx.query<{ id: string | null }>(
      `select id from graphile_worker.add_job($1, payload => $2, run_at => $3, job_key => $4, max_attempts => $5, queue_name => $6)`,
      [name, JSON.stringify(payload), run_at ?? null, key ?? null, attempts_max ?? 25, queue ?? null],
    );
    if (typeof rows[0]?.id === 'string') return;
  }
  throw new Error(`The task ${name} could not be added: jobs of its key begin faster than they are asked for.`);
}
