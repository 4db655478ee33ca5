import { Logger as GraphileLogger, parseCronItems, run } from 'graphile-worker';
import type { CronItem, Runner, TaskList } from 'graphile-worker';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Task } from './task.ts';

export interface TaskRunnerOptions {
  pool: pg.Pool;
  tasks: readonly Task[];
  concurrency: number;
  log: Logger;
  onDone: (task: string, result: 'done' | 'failed') => void;
  /** It ended by itself, and carries nothing out any more. */
  onEnded: (error: Error) => void;
}

/** Carries tasks out; several processes share them. */
export class TaskRunner {
  readonly #options: TaskRunnerOptions;
  #runner: Runner | null = null;

  constructor(options: TaskRunnerOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { pool, tasks, concurrency, log, onDone } = this.#options;
    const list: TaskList = {};
    const crons: CronItem[] = [];
    for (const { name, run: work, cron } of tasks) {
      list[name] = async (payload) => {
        try {
          await work(withoutCron(payload));
          onDone(name, 'done');
        } catch (error) {
          onDone(name, 'failed');
          throw error;
        }
      };
      if (cron !== undefined) crons.push({ task: name, match: cron });
    }
    const logger = new GraphileLogger(() => (level, message) => {
      const words = { task_runner: message };
      const level_name: string = level;
      if (level_name === 'error') log.error(words, 'a task failed; it is tried again');
      else if (level_name === 'warning') log.warn(words, 'of the tasks');
      else log.debug(words, 'of the tasks');
    });
    this.#runner = await run({
      pgPool: pool,
      taskList: list,
      parsedCronItems: parseCronItems(crons),
      concurrency,
      noHandleSignals: true,
      pollInterval: 2_000,
      logger,
    });
    this.#runner.promise.then(
      () => this.#ended(new Error('the runner of tasks ended')),
      (error: unknown) => this.#ended(error instanceof Error ? error : new Error(String(error))),
    );
  }

  /** Tasks that are under way are finished. */
  async stop(): Promise<void> {
    const runner = this.#runner;
    this.#runner = null;
    await runner?.stop();
  }

  #ended(error: Error): void {
    if (this.#runner !== null) this.#options.onEnded(error);
  }
}

/** The runner adds when a task was due; that is nothing of ours. */
function withoutCron(payload: unknown): unknown {
  if (typeof payload !== 'object' || payload === null || !('_cron' in payload)) return payload;
  return Object.fromEntries(Object.entries(payload).filter(([name]) => name !== '_cron'));
}
