import { setTimeout as wait } from 'node:timers/promises';
import type pg from 'pg';
import type { Logger } from 'pino';
import { Outage } from '../../domain/db/batch.ts';

/*
 * What became of a job is written by a promise that graphile-worker (0.17, worker.js) looks at no more: were it rejected, nobody would
 * have heard of it, and Node ends a process for that. It asks again, a hundred times, but only after errors of a few codes, and of a
 * database that is away most have none. So it is given this pool, which has patience:
 *
 *     asked ──a connection──> answered
 *       │  ▲                     │ the connection was lost: refused by a code after which it asks again
 *       │  └─────────────────────┘
 *       └──no connection──> waiting ──there again──> asked
 *                              └──END_MS after the end was asked for──> given up, and never answered
 *
 * Once one is given up all are: the runner has said by then that it stopped, and one of its workers that still waited would take a job
 * if the database came back.
 *
 * What is asked twice is safe with one exception, which is graphile-worker's own: a job that was taken by a statement whose answer was
 * lost stays locked until it is freed after four hours. And should statements fail for minutes while connections can be had, as on a
 * disk that is full, its patience ends after a hundred times, and the process with it; whoever runs it starts it again.
 */

/** serialization_failure: of the codes after which it asks again, the one after which it does so within milliseconds. */
const ASKED_AGAIN = '40001';
const RETRY_MS = 250;
/** A connection that cannot be had may be one that others hold. */
const END_MS = 3_000;

/** A pool for those who ask until they are answered. */
export class PatientPool {
  readonly #pool: pg.Pool;
  readonly #log: Logger;
  /** Resolves when somebody was given up; else never. */
  readonly givenUp: Promise<void>;
  readonly #tellGivenUp: () => void;
  #ends_at_ms = Number.POSITIVE_INFINITY;
  #has_given_up = false;

  constructor(pool: pg.Pool, log: Logger) {
    this.#pool = pool;
    this.#log = log;
    let tell = (): void => undefined;
    this.givenUp = new Promise((resolve) => {
      tell = resolve;
    });
    this.#tellGivenUp = tell;
  }

  /** As others see it; callbacks are answered as ever. */
  get pool(): pg.Pool {
    return new Proxy(this.#pool, {
      get: (pool, name) => {
        if (name === 'connect') return (...args: unknown[]) => this.#connect(args);
        if (name === 'query') return (...args: unknown[]) => this.#query(args);
        return boundTo(pool, name);
      },
    });
  }

  /** From now on nobody waits for long. */
  end(): void {
    this.#ends_at_ms = Math.min(this.#ends_at_ms, performance.now() + END_MS);
  }

  #connect(args: unknown[]): unknown {
    if (args.length > 0) return Reflect.apply(this.#pool.connect.bind(this.#pool), undefined, args);
    return this.#client();
  }

  /** What is due at a time is put down by this, and would wait for its next time if it failed. */
  async #query(args: unknown[]): Promise<unknown> {
    const client = await this.#client();
    try {
      return await Reflect.apply(client.query.bind(client), undefined, args);
    } finally {
      client.release();
    }
  }

  async #client(): Promise<pg.PoolClient> {
    while (!this.#has_given_up) {
      try {
        return await this.#answered(await this.#pool.connect());
      } catch (error) {
        if (!Outage.is(error)) throw error;
        if (performance.now() >= this.#ends_at_ms) break;
        this.#log.debug({ err: error }, 'the runner of tasks waits for the database');
      }
      await wait(RETRY_MS);
    }
    return await this.#giveUp();
  }

  #answered(client: pg.PoolClient): Promise<pg.PoolClient> | pg.PoolClient {
    if (!this.#has_given_up) return askedAgain(client);
    client.release();
    return this.#giveUp();
  }

  /** A rejection would be heard by nobody; the jobs of a process that is gone are carried out by others. */
  #giveUp(): Promise<never> {
    this.#has_given_up = true;
    this.#tellGivenUp();
    return new Promise(() => undefined);
  }
}

function askedAgain(client: pg.PoolClient): pg.PoolClient {
  const query = (...args: unknown[]): unknown => {
    const answer: unknown = Reflect.apply(client.query.bind(client), undefined, args);
    return answer instanceof Promise ? answer.catch(refuse) : answer;
  };
  return new Proxy(client, { get: (target, name) => (name === 'query' ? query : boundTo(target, name)) });
}

function refuse(error: unknown): never {
  if (!Outage.is(error)) throw error;
  throw Object.assign(new Outage('The database went away.', { cause: error }), { code: ASKED_AGAIN });
}

function boundTo(target: object, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name, target);
  if (typeof value !== 'function') return value;
  return (...args: unknown[]): unknown => Reflect.apply(value, target, args);
}
