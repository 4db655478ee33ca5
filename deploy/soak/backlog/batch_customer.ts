import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { PRIORITIES } from '../../../domain/texts/message.ts';
import type { MessageClass } from '../../../domain/texts/message.ts';
import { diceOf } from '../../chaos/dice.ts';
import type { AcceptedText } from '../../chaos/sms/writers.ts';
import type { TextReply, TextWish } from '../../world/text_client.ts';
import type { Texter, TextWorld } from '../../world/text_world.ts';
import { Recipients } from '../sms/recipients.ts';

/** The most that a request may have. */
const BATCH_TEXTS = 500;
/** Together 4,000 texts, as the gateway refuses new ones while 5,000 are being stored. */
const UNDER_WAY_MAX = 8;
const AGAIN_MS = 50;
/** A gateway that was killed is back in some seconds. */
const PATIENCE_MS = 60_000;
const CLASSES = Object.keys(PRIORITIES) as readonly MessageClass[];
/** Of so many texts one is to be held for a person where it is not known whether it went. */
const HOLD_ONE_IN = 4;
/** Too many at once, or the database is away: whoever waits is served. */
const COME_BACK = new Set([429, 503]);

interface Wish extends TextWish {
  class: MessageClass;
  on_doubt: 'resend' | 'hold';
  /** Stands in the text, too. */
  idempotency_key: string;
}

/** A customer's program that sends texts of all classes, well shuffled, in batches, and asks again until it knows of each. */
export class BatchCustomer {
  readonly accepted: AcceptedText[] = [];
  readonly class_of = new Map<string, MessageClass>();
  readonly refused: string[] = [];
  readonly #world: TextWorld;
  readonly #texter: Texter;
  readonly #recipients = new Recipients();
  readonly #dice = diceOf(Math.random);
  #made = 0;

  private constructor(world: TextWorld, texter: Texter) {
    this.#world = world;
    this.#texter = texter;
  }

  static async begin(world: TextWorld): Promise<BatchCustomer> {
    const texter = await world.texter({ balance_micros: 10n ** 15n, tax_ppm: 190_000 });
    await world.unlimited(texter.account_id);
    await world.pool.query(
      `insert into text_trust (account_id, country, decided_by, reason)
       select $1, country, 'the soak', 'its login codes are no pumping' from unnest('{GB,DE}'::text[]) country`,
      [texter.account_id],
    );
    return new BatchCustomer(world, texter);
  }

  /** Resolves when so many more were answered. */
  async send(texts: number): Promise<void> {
    const until = this.#made + texts;
    await Promise.all(Array.from({ length: UNDER_WAY_MAX }, () => this.#sendUntil(until)));
  }

  async #sendUntil(texts: number): Promise<void> {
    while (this.#made < texts) {
      const wishes = Array.from({ length: Math.min(BATCH_TEXTS, texts - this.#made) }, () => this.#wish());
      await this.#untilKnown(wishes);
    }
  }

  #wish(): Wish {
    this.#made += 1;
    const tag = `tag-${randomUUID()}`;
    return {
      from: this.#texter.number,
      to: this.#recipients.next(),
      text: `${tag} Hello.`,
      class: this.#dice.pick(CLASSES),
      on_doubt: this.#made % HOLD_ONE_IN === 0 ? 'hold' : 'resend',
      idempotency_key: tag,
    };
  }

  async #untilKnown(wishes: readonly Wish[]): Promise<void> {
    const until_ms = performance.now() + PATIENCE_MS;
    let left = wishes;
    for (;;) {
      const replies = await this.#ask(left);
      if (replies !== null) left = left.filter((wish, n) => !this.#isKnown(wish, replies[n]));
      if (left.length === 0) return;
      if (performance.now() > until_ms) throw new Error(`${left.length} texts were not taken for ${PATIENCE_MS} ms.`);
      await wait(AGAIN_MS);
    }
  }

  #isKnown(wish: Wish, reply: TextReply | undefined): boolean {
    if (reply === undefined || COME_BACK.has(reply.status)) return false;
    if (reply.status !== 202) {
      this.refused.push(`${reply.status} ${reply.detail}`);
      return true;
    }
    const { net_micros, tax_micros } = reply.price;
    const { idempotency_key: tag, on_doubt } = wish;
    this.class_of.set(tag, wish.class);
    this.accepted.push({
      ...{ message_id: reply.id, tag, on_doubt, segments: reply.segments },
      charged_micros: BigInt(net_micros) + BigInt(tax_micros),
    });
    return true;
  }

  /** Null where nobody answered for the batch: it is not known what was accepted of it. */
  async #ask(messages: readonly Wish[]): Promise<readonly TextReply[] | null> {
    try {
      const response = await fetch(`${this.#world.gateway.url}/v1/messages`, {
        method: 'POST',
        headers: { authorization: `Bearer ${this.#texter.api_key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ messages }),
      });
      const answer = (await response.json()) as { messages?: readonly TextReply[]; detail?: string };
      if (answer.messages !== undefined) return answer.messages;
      if (COME_BACK.has(response.status)) return null;
      throw new Error(`The gateway refused a batch (${response.status}): ${answer.detail ?? ''}`);
    } catch (error) {
      if (error instanceof TypeError || error instanceof SyntaxError) return null;
      throw error;
    }
  }
}
