import { z } from 'zod';
import { ProviderAway } from './number_provider.ts';
import type { HolderChange, HolderWish, NumberProvider, ProviderStatus, ProvisionWish } from './number_provider.ts';

const ANSWER_MS_MAX = 10_000;
const ANSWER_CHARACTERS_MAX = 100_000;

const statusSchema = z.object({
  state: z.enum(['working', 'supplied', 'refused', 'released']),
  reason: z.string().max(200).nullable().default(null),
  reachable: z.boolean().nullable().default(null),
});

const holderSchema = z.object({
  state: z.enum(['working', 'accepted', 'refused']),
  reason: z.string().max(200).nullable().default(null),
});

export interface HttpProviderOptions {
  url: string;
  key: string;
}

/** A partner that supplies numbers and is asked over HTTP. */
export class HttpProvider implements NumberProvider {
  readonly #options: HttpProviderOptions;

  constructor(options: HttpProviderOptions) {
    this.#options = options;
  }

  async provision({ order_id, number, fields }: ProvisionWish): Promise<ProviderStatus> {
    return statusOf(await this.#ask('PUT', `/orders/${order_id}`, { number, fields }));
  }

  async status(order_id: string): Promise<ProviderStatus> {
    return statusOf(await this.#ask('GET', `/orders/${order_id}`, null));
  }

  /** It asks again with the same words until it is answered with an end. */
  async changeHolder({ order_id, number, change_id, fields }: HolderWish): Promise<HolderChange> {
    const answer = await this.#ask('PUT', `/orders/${order_id}/holder`, { number, change_id, fields });
    if (answer === null) return { state: 'refused', reason: 'unknown_to_provider' };
    const parsed = holderSchema.safeParse(answer);
    if (!parsed.success) throw new ProviderAway('The provider answered with something else than how a change stands.');
    const { state, reason } = parsed.data;
    return state === 'refused' ? { state, reason: reason || state } : { state };
  }

  /** What it never heard of need not be given back. */
  async release({ order_id }: { order_id: string; number: string }): Promise<void> {
    await this.#ask('DELETE', `/orders/${order_id}`, null);
  }

  /** The order is in the path, so that it is the same order however often it is asked for. Null: it knows of none. */
  async #ask(method: string, path: string, body: unknown): Promise<unknown> {
    const { url, key } = this.#options;
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${url.replace(/\/$/u, '')}${path}`, {
        method,
        redirect: 'error',
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
        headers: {
          authorization: `Bearer ${key}`,
          ...(body === null ? {} : { 'content-type': 'application/json' }),
        },
        body: body === null ? null : JSON.stringify(body),
      });
      text = await response.text();
    } catch (error) {
      throw new ProviderAway(`The provider did not answer ${method} ${path}.`, { cause: error });
    }
    if (response.status === 404) return null;
    if (!response.ok || text.length > ANSWER_CHARACTERS_MAX) {
      throw new ProviderAway(`The provider answered ${method} ${path} with ${response.status}.`);
    }
    try {
      return text === '' ? null : JSON.parse(text);
    } catch (error) {
      throw new ProviderAway(`The provider answered ${method} ${path} with what is no JSON.`, { cause: error });
    }
  }
}

function statusOf(answer: unknown): ProviderStatus {
  if (answer === null) return { state: 'refused', reason: 'unknown_to_provider' };
  const parsed = statusSchema.safeParse(answer);
  if (!parsed.success) throw new ProviderAway('The provider answered with something else than how an order stands.');
  const { state, reason, reachable } = parsed.data;
  switch (state) {
    case 'working':
      return { state };
    case 'supplied':
      return { state, reachable };
    case 'refused':
    case 'released':
      return { state: 'refused', reason: reason ?? state };
  }
}
