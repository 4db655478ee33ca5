import { setTimeout as wait } from 'node:timers/promises';
import type pg from 'pg';
import type { Logger } from 'pino';
import { Outage } from '../../domain/db/batch.ts';

/*
 * What became of a job is written by a promise that graphile-worker (0.17, worker.js) looks at no more: were it rejected, nobody would
 * have heard of it, and Node ends a process for that. It asks again, a hundred times, but only after errors of a few codes, and of a
 * database that is away most have none. So it is given this pool, which has patience:
 *
 *   - who wants a connection gets one when the database is there again, however long that takes;
 *   - a statement whose connection was lost meanwhile is refused by a code that it asks again for, and then waits as above.
 *
 * Each of its statements may be carried out twice: it names the runner that has the job.
 */

/** serialization_failure: of the codes after which it asks again, the one after which it does so within milliseconds. */
const ASKED_AGAIN = '40001';
const RETRY_MS = 250;

/** A pool for those who ask until they are answered. */
export class PatientPool {
  readonly #pool: pg.Pool;
  readonly #log: Logger;
  #is_ending = false;
  #giveUp: () => void = () => undefined;
  readonly #given_up = new Promise<void>((resolve) => {
    this.#giveUp = resolve;
  });

  constructor(pool: pg.Pool, log: Logger) {
    this.#pool = pool;
    this.#log = log;
  }

  /** As others see it; callbacks are answered as ever. */
  get pool(): pg.Pool {
    return new Proxy(this.#pool, {
      get: (pool, name) => {
        if (name === 'connect') return (...args: unknown[]) => this.#connect(args);
        return boundTo(pool, name);
      },
    });
  }

  /** From now on nobody waits for a database that is away. Resolves when somebody would have had to; else never. */
  end(): Promise<void> {
    this.#is_ending = true;
    return this.#given_up;
  }

  #connect(args: unknown[]): unknown {
    if (args.length > 0) return Reflect.apply(this.#pool.connect.bind(this.#pool), undefined, args);
    return this.#client();
  }

  async #client(): Promise<pg.PoolClient> {
    for (;;) {
      try {
        return askedAgain(await this.#pool.connect());
      } catch (error) {
        if (!Outage.is(error)) throw error;
        if (this.#is_ending) return await this.#never();
        this.#log.debug({ err: error }, 'the runner of tasks waits for the database');
      }
      await wait(RETRY_MS);
    }
  }

  /** A rejection would be heard by nobody; the jobs of a process that is gone are carried out by others. */
  #never(): Promise<never> {
    this.#giveUp();
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
