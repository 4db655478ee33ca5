import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { TextClient } from '../../world/text_client.ts';
import type { TextReply } from '../../world/text_client.ts';
import type { Texter, TextWorld } from '../../world/text_world.ts';

/** A text whose acceptance its sender heard of. */
export interface AcceptedText {
  message_id: string;
  /** Stands in the text itself, by which the carrier's log knows it. */
  tag: string;
  on_doubt: 'resend' | 'hold';
  segments: number;
  charged_micros: bigint;
}

const AGAIN_MS = 50;
const LONG = ' It is rather long, so that it takes two segments: '.padEnd(200, '.');

/** Customers' programs that send text after text, and ask again with the same key until they know. */
export class Writers {
  readonly #world: TextWorld;
  readonly #texters: readonly Texter[];
  readonly accepted: AcceptedText[] = [];
  readonly refused: string[] = [];
  readonly #running: Promise<void>[] = [];
  #stopped = false;
  #numbers = 0;

  private constructor(world: TextWorld, texters: readonly Texter[]) {
    this.#world = world;
    this.#texters = texters;
  }

  static async begin(world: TextWorld, customers: number): Promise<Writers> {
    const texters: Texter[] = [];
    for (let n = 0; n < customers; n += 1)
      texters.push(await world.texter({ balance_micros: 10n ** 12n, tax_ppm: 190_000 }));
    return new Writers(world, texters);
  }

  get texters(): readonly Texter[] {
    return this.#texters;
  }

  keep(writers: number): void {
    for (let n = 0; n < writers; n += 1) this.#running.push(this.#write(n));
  }

  /** Resolves when each has heard of its last text. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  async #write(writer: number): Promise<void> {
    const texter = this.#texters[writer % this.#texters.length];
    if (texter === undefined) throw new Error('There is no customer.');
    for (let turn = 0; !this.#stopped; turn += 1) {
      const tag = `tag-${randomUUID()}`;
      const on_doubt = (writer + turn) % 2 === 0 ? 'resend' : 'hold';
      this.#numbers += 1;
      const wish = {
        from: texter.number,
        to: `+4477009${String(this.#numbers % 100_000).padStart(5, '0')}`,
        text: `${tag} Hello.${turn % 10 === 0 ? LONG : ''}`,
        class: turn % 3 === 0 ? 'code' : 'normal',
        on_doubt,
        idempotency_key: tag,
      };
      const reply = await this.#untilKnown(texter, wish);
      if (reply.status !== 202) {
        this.refused.push(`${reply.status} ${reply.detail}`);
        continue;
      }
      const { net_micros, tax_micros } = reply.price;
      this.accepted.push({
        ...{ message_id: reply.id, tag, on_doubt, segments: reply.segments },
        charged_micros: BigInt(net_micros) + BigInt(tax_micros),
      });
    }
  }

  async #untilKnown(texter: Texter, wish: Parameters<TextClient['send']>[0]): Promise<TextReply> {
    for (;;) {
      const reply = await this.#ask(texter, wish);
      if (reply !== null && reply.status !== 503) return reply;
      await wait(AGAIN_MS);
    }
  }

  /** Null where nobody answered: it is not known whether it was accepted. */
  async #ask(texter: Texter, wish: Parameters<TextClient['send']>[0]): Promise<TextReply | null> {
    try {
      return await new TextClient(this.#world.gateway.url, texter.api_key).send(wish);
    } catch (error) {
      if (error instanceof TypeError || error instanceof SyntaxError) return null;
      throw error;
    }
  }
}
