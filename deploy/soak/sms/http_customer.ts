import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { AcceptedText } from '../../chaos/sms/writers.ts';
import type { TextReply, TextWish } from '../../world/text_client.ts';
import type { Texter, TextWorld } from '../../world/text_world.ts';
import { KeptConnections } from './kept_connections.ts';
import type { Recipients } from './recipients.ts';

/** With more requests under way the gateway is behind, and more of them would only measure this process. */
const UNDER_WAY_MAX = 1_000;
const AGAIN_MS = 50;
const ONE_IN = 10;
const LONG = ' It is rather long, so that it takes two segments: '.padEnd(200, '.');

/** A customer's program that sends texts over HTTP, and asks again with the same key where the gateway is busy. */
export class HttpCustomer {
  readonly accepted: AcceptedText[] = [];
  readonly refused: string[] = [];
  readonly #client: KeptConnections;
  readonly #texter: Texter;
  readonly #recipients: Recipients;
  readonly #under_way = new Set<Promise<void>>();
  #count = 0;
  #is_stopped = false;
  /** Texts that were due and not sent, as too many were under way. */
  skipped = 0;

  private constructor(client: KeptConnections, texter: Texter, recipients: Recipients) {
    this.#client = client;
    this.#texter = texter;
    this.#recipients = recipients;
  }

  static async begin(world: TextWorld, recipients: Recipients): Promise<HttpCustomer> {
    const texter = await world.texter({ balance_micros: 10n ** 15n, tax_ppm: 190_000 });
    await world.unlimited(texter.account_id);
    const connections = await KeptConnections.open(world.gateway.url, texter.api_key);
    return new HttpCustomer(connections, texter, recipients);
  }

  send(): void {
    if (this.#is_stopped) return;
    if (this.#under_way.size >= UNDER_WAY_MAX) {
      this.skipped += 1;
      return;
    }
    const sending: Promise<void> = this.#sendOne().finally(() => this.#under_way.delete(sending));
    this.#under_way.add(sending);
  }

  /** Resolves when it has heard of its last text. */
  async stop(): Promise<void> {
    this.#is_stopped = true;
    await Promise.all(this.#under_way);
    this.#client.close();
  }

  async #sendOne(): Promise<void> {
    const tag = `tag-${randomUUID()}`;
    this.#count += 1;
    const reply = await this.#untilKnown({
      from: this.#texter.number,
      to: this.#recipients.next(),
      text: `${tag} Hello.${this.#count % ONE_IN === 0 ? LONG : ''}`,
      on_doubt: 'resend',
      idempotency_key: tag,
    });
    if (reply === null) return;
    if (reply.status !== 202) {
      this.refused.push(`${reply.status} ${reply.detail}`);
      return;
    }
    const { net_micros, tax_micros } = reply.price;
    this.accepted.push({
      ...{ message_id: reply.id, tag, on_doubt: 'resend', segments: reply.segments },
      charged_micros: BigInt(net_micros) + BigInt(tax_micros),
    });
  }

  /** Null where it was stopped before it knew. */
  async #untilKnown(wish: TextWish): Promise<TextReply | null> {
    for (;;) {
      const reply = await this.#ask(wish);
      if (reply !== null && reply.status !== 503) return reply;
      if (this.#is_stopped) return null;
      await wait(AGAIN_MS);
    }
  }

  /** Null where nobody answered: it is not known whether it was accepted. */
  async #ask(wish: TextWish): Promise<TextReply | null> {
    try {
      return await this.#client.send(wish);
    } catch (error) {
      // Of a socket; what is no error of one is a bug.
      if (error instanceof Error && 'code' in error) return null;
      throw error;
    }
  }
}
