import { Logger as GraphileLogger, parseCronItems, run } from 'graphile-worker';
import type { CronItem, Runner, TaskList } from 'graphile-worker';
import type pg from 'pg';
import type { Logger } from 'pino';
import { LivingRunner, PATIENCE_MS } from './living_runner.ts';
import { PatientPool } from './patient_pool.ts';
import type { Task } from './task.ts';

export interface TaskRunnerOptions {
  pool: pg.Pool;
  tasks: readonly Task[];
  concurrency: number;
  /** Whether tasks that have a time of their own are carried out at that time, too. */
  keeps_crontab: boolean;
  log: Logger;
  onDone: (task: string, result: 'done' | 'failed') => void;
  /** It ended by itself, and carries nothing out any more. */
  onEnded: (error: Error) => void;
  /** How long the process that a job is locked by has to be gone until the job is carried out again. */
  patience_ms?: number;
}

/** Carries tasks out; several processes share them. */
export class TaskRunner {
  readonly #options: TaskRunnerOptions;
  readonly #life: LivingRunner;
  readonly #patient: PatientPool;
  readonly #under_way = new Set<Promise<void>>();
  #runner: Runner | null = null;

  constructor(options: TaskRunnerOptions) {
    this.#options = options;
    const { pool, log, patience_ms = PATIENCE_MS } = options;
    this.#life = new LivingRunner({ pool, log, patience_ms, monotonic: () => performance.now() });
    this.#patient = new PatientPool(pool, log);
  }

  async start(): Promise<void> {
    const { concurrency } = this.#options;
    const { list, crons } = this.#carriedOut();
    const running = run({
      ...{ pgPool: this.#patient.pool, taskList: list, parsedCronItems: parseCronItems(crons), concurrency },
      ...{ noHandleSignals: true, pollInterval: 2_000, logger: this.#logger() },
      preset: { plugins: [holdingItsName(this.#life)] },
    });
    const stopped = this.#patient.givenUp.then(() => Promise.reject(new Error('stopped before it began')));
    this.#runner = await Promise.race([running, stopped]);
    // From here on it is stop() that looks at it.
    stopped.catch(() => undefined);
    this.#life.watch();
    this.#runner.promise.then(
      () => this.#ended(new Error('the runner of tasks ended')),
      (error: unknown) => this.#ended(error instanceof Error ? error : new Error(String(error))),
    );
  }

  #carriedOut(): { list: TaskList; crons: CronItem[] } {
    const { tasks, keeps_crontab } = this.#options;
    const list: TaskList = {};
    const crons: CronItem[] = [];
    for (const { name, run: work, cron } of tasks) {
      list[name] = (payload) => this.#counted(this.#carryOut(name, () => work(withoutCron(payload))));
      if (keeps_crontab && cron !== undefined) crons.push({ task: name, match: cron });
    }
    return { list, crons };
  }

  #logger(): GraphileLogger {
    const { log } = this.#options;
    return new GraphileLogger(() => (level, message) => {
      const words = { task_runner: message };
      const level_name: string = level;
      if (level_name === 'error') log.error(words, 'a task failed; it is tried again');
      else if (level_name === 'warning') log.warn(words, 'of the tasks');
      else log.debug(words, 'of the tasks');
    });
  }

  /**
   * Tasks that are under way are finished, and what became of them is written; while the database is away it cannot be, and they are left
   * to be carried out again.
   */
  async stop(): Promise<void> {
    const runner = this.#runner;
    this.#runner = null;
    this.#patient.end();
    if (runner !== null) {
      const written = runner.stop().then(() => this.#life.untilLetGo());
      await Promise.race([this.#patient.givenUp, written]);
    }
    // What is still under way must not lose its name to another.
    await Promise.allSettled(this.#under_way);
    await this.#life.end();
  }

  async #carryOut(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#options.onDone(name, 'failed');
      throw error;
    }
    this.#options.onDone(name, 'done');
  }

  async #counted(work: Promise<void>): Promise<void> {
    this.#under_way.add(work);
    try {
      await work;
    } finally {
      this.#under_way.delete(work);
    }
  }

  #ended(error: Error): void {
    if (this.#runner !== null) this.#options.onEnded(error);
  }
}

/** Jobs are locked in the name of the pool of workers, which waits for this before it looks for its first one. */
function holdingItsName(life: LivingRunner): GraphileConfig.Plugin {
  return {
    name: 'holding_its_name',
    version: '1.0.0',
    worker: { hooks: { startWorker: (_context, { worker }) => life.hold(worker.workerPool.id) } },
  };
}

/** The runner adds when a task was due; that is nothing of ours. */
function withoutCron(payload: unknown): unknown {
  if (typeof payload !== 'object' || payload === null || !('_cron' in payload)) return payload;
  return Object.fromEntries(Object.entries(payload).filter(([name]) => name !== '_cron'));
}
