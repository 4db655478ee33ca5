import { Outage } from '../../domain/db/batch.ts';
import { patience } from '../../domain/running/patience.ts';
import type { SessionStore } from './sessions.ts';

/** What is asked of Redis here; the client of the package does all of it. */
export interface RedisClient extends SessionStore {
  ping(): Promise<unknown>;
}

/**
 * A Redis that is silent is as one that is away: the client itself would wait for ever, and whoever asks with it. While one answer is
 * overdue nothing more is asked, so that nobody else waits and nothing heaps up; it settles when Redis answers again or when the client
 * gives the connection up.
 */
export class BoundedRedis implements RedisClient {
  readonly #client: RedisClient;
  readonly #answer_ms: number;
  #overdue = 0;

  constructor(client: RedisClient, answer_ms: number) {
    this.#client = client;
    this.#answer_ms = answer_ms;
  }

  get: SessionStore['get'] = (key) => this.#ask(() => this.#client.get(key));
  exists: SessionStore['exists'] = (key) => this.#ask(() => this.#client.exists(key));
  set: SessionStore['set'] = (key, value, options) => this.#ask(() => this.#client.set(key, value, options));
  del: SessionStore['del'] = (keys) => this.#ask(() => this.#client.del(keys));
  sRem: SessionStore['sRem'] = (key, member) => this.#ask(() => this.#client.sRem(key, member));
  sMembers: SessionStore['sMembers'] = (key) => this.#ask(() => this.#client.sMembers(key));
  eval: SessionStore['eval'] = (script, options) => this.#ask(() => this.#client.eval(script, options));
  ping: RedisClient['ping'] = () => this.#ask(() => this.#client.ping());

  /** Rejects with `Outage` alone: what is asked is always the same, so an error is Redis's own. */
  async #ask<T>(command: () => Promise<T>): Promise<T> {
    if (this.#overdue > 0) throw new Outage('Redis is silent');
    return new Promise<T>((resolve, reject) => {
      let is_overdue = false;
      const waitNoMore = patience(this.#answer_ms, () => {
        is_overdue = true;
        this.#overdue += 1;
        reject(new Outage(`Redis did not answer within ${this.#answer_ms} ms`));
      });
      const settled = (): void => {
        waitNoMore();
        if (is_overdue) this.#overdue -= 1;
      };
      command().then(
        (answer) => {
          settled();
          resolve(answer);
        },
        (error: unknown) => {
          settled();
          reject(new Outage('Redis does not answer', { cause: error }));
        },
      );
    });
  }
}
