import type { Logger } from 'pino';
import type { Arrival, Arrived } from '../../domain/texts/arrivals.ts';
import type { Acceptance } from '../accept/acceptor.ts';
import type { TextPayer } from '../accept/payer.ts';
import { replyToKeyword } from './keyword_reply.ts';
import type { KeywordReply } from './keyword_reply.ts';

export interface KeywordAnswererOptions {
  brand: string;
  now: () => number;
  payerOf: (account_id: string) => Promise<TextPayer | null>;
  reply: (reply: KeywordReply, payer: TextPayer) => Promise<Acceptance>;
  log: Logger;
}

/** Tells whoever said STOP, START or HELP what came of it. The word itself was obeyed when the text was stored. */
export class KeywordAnswerer {
  readonly #options: KeywordAnswererOptions;

  constructor(options: KeywordAnswererOptions) {
    this.#options = options;
  }

  answer(arrival: Arrival, { account_id }: Arrived): void {
    const { brand, now, log } = this.#options;
    const reply = account_id === null ? null : replyToKeyword(arrival, brand, now());
    if (account_id === null || reply === null) return;
    this.#send(account_id, reply).catch((error: unknown) =>
      log.warn({ err: error, message_id: arrival.id }, 'a keyword was obeyed and could not be answered'),
    );
  }

  async #send(account_id: string, reply: KeywordReply): Promise<void> {
    const payer = await this.#options.payerOf(account_id);
    if (payer === null) return;
    const acceptance = await this.#options.reply(reply, payer);
    if (acceptance.kind === 'refused') this.#options.log.warn({ ...acceptance.refusal }, 'a keyword was not answered');
  }
}
