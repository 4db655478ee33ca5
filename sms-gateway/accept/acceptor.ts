import type { Logger } from 'pino';
import { Batch, Outage } from '../../domain/db/batch.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import { acceptMessages } from '../../domain/texts/accept_messages.ts';
import type { AcceptAnswer, NewMessage } from '../../domain/texts/accept_messages.ts';
import { PRIORITIES } from '../../domain/texts/message.ts';
import type { ClaimedMessage } from '../../domain/texts/queue.ts';
import type { ClaimQueue } from '../lanes/claim_queue.ts';
import type { Dispatcher, Place } from '../lanes/dispatcher.ts';
import type { KeywordReply } from '../arrivals/keyword_reply.ts';
import { parseE164 } from '../../domain/numbers/e164.ts';
import type { E164 } from '../../domain/numbers/e164.ts';
import { countSegments } from '../../domain/texts/encoding/encode_text.ts';
import { contentHash, judgeText } from './judge_text.ts';
import type { JudgedText, JudgeOptions } from './judge_text.ts';
import type { TextPayer } from './payer.ts';
import type { QueueRoom } from './queue_room.ts';
import { refusal } from './refusal.ts';
import { repeatedTexts } from './repeated_text.ts';
import type { KeyedRequest } from './repeated_text.ts';
import type { Refusal } from './refusal.ts';
import type { TextRequest } from './text_request.ts';

/** What a text's content or its sender's behaviour makes of it, before any money is asked for. */
export type Screening = ({ kind: 'pass' } | { kind: 'hold'; reason: string } | { kind: 'refuse'; refusal: Refusal }) & {
  /** When it is to be sent, where the recipient would mind it at the time that was asked for. */
  due_at?: Date;
};

export interface AcceptorOptions extends JudgeOptions {
  db: Queryable;
  dispatcher: Dispatcher;
  queue: ClaimQueue;
  /** Of the lease in whose name texts are sent at once. */
  epoch: () => number;
  screen: (text: JudgedText, payer: TextPayer) => Screening;
  /** To be waited for before the text is routed, as it is being asked where its number belongs; null: nothing is. */
  ported: (number: E164) => Promise<void> | null;
  /** How many texts may wait to be stored; with more, new ones are refused at once. */
  waiting_max: number;
  /** Whether more texts may wait for carriers. */
  room: Pick<QueueRoom, 'lacks' | 'enters' | 'stored'>;
  /** For metrics. A repeated request accepts nothing new. */
  onAccepted: (text: JudgedText) => void;
  onAnswered: (source: TextRequest['source'], acceptance: Acceptance, took_ms: number) => void;
  /** For what took so long. */
  monotonic: () => number;
  log: Logger;
}

/** For good once it is here: an accepted text is charged and stored. */
export type Acceptance =
  | {
      kind: 'accepted' | 'replay';
      id: string;
      encoding: NewMessage['encoding'];
      segments: number;
      net_micros: bigint;
      tax_micros: bigint;
      currency: string;
      is_held: boolean;
    }
  | { kind: 'refused'; refusal: Refusal };

/** Said while the database is behind: it is not asked one thing more, and the request comes again by the same key. */
const isFull = (acceptance: Acceptance): boolean =>
  acceptance.kind === 'refused' &&
  ['queue_full', 'account_queue_full', 'unavailable'].includes(acceptance.refusal.code);

const BATCH_MAX = 500;
/**
 * Who comes alone waits for nobody; in a crowd a batch begins this long after the one before it, as its fixed part costs the database
 * what ten texts do. Measured in turns, 32 at once: as fast as they are answered, 2, 3 and 4 ms take as many texts a second, and none
 * takes fewer; at 3,000 a second 99 of 100 are answered within 28 ms with 2, and within 46 with 4.
 */
const PACE_MS = 2;

/** Takes texts in: judged one by one, charged and stored in batches, and handed to the lanes once they are safe. */
export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #batch: Batch<NewMessage, AcceptAnswer>;
  readonly #repeated: Batch<KeyedRequest, Acceptance | null>;
  readonly #storing = new Set<NewMessage>();

  constructor(options: AcceptorOptions) {
    this.#options = options;
    this.#batch = new Batch((messages) => acceptMessages(options.db, new Date(options.now()), messages), {
      size_max: BATCH_MAX,
      pace_ms: PACE_MS,
    });
    this.#repeated = new Batch((requests) => repeatedTexts(options.db, requests), { size_max: BATCH_MAX });
  }

  /** How many are being stored. */
  get waiting(): number {
    return this.#storing.size;
  }

  *storingIds(): Iterable<string> {
    for (const { id } of this.#storing) yield id;
  }

  async accept(request: TextRequest, payer: TextPayer): Promise<Acceptance> {
    const { monotonic, onAnswered } = this.#options;
    const asked_at_ms = monotonic();
    const acceptance = await this.#acceptOnce(request, payer);
    onAnswered(request.source, acceptance, monotonic() - asked_at_ms);
    return acceptance;
  }

  /**
   * Whatever would be said to a request that is new, one that repeats an accepted one hears that again: were it refused, for its time has
   * passed or it came too fast, its customer would send the text once more by another key.
   */
  async #acceptOnce(request: TextRequest, payer: TextPayer): Promise<Acceptance> {
    const acceptance = await this.#accept(request, payer);
    const { idempotency_key: key } = request;
    if (key === null || acceptance.kind === 'accepted' || isFull(acceptance)) return acceptance;
    try {
      const { account_id } = payer;
      return (await this.#repeated.push({ account_id, key, content_sha256: contentHash(request) })) ?? acceptance;
    } catch (error) {
      if (!Outage.is(error)) throw error;
      return acceptance;
    }
  }

  async #accept(request: TextRequest, payer: TextPayer): Promise<Acceptance> {
    const full = this.#fullFor(request, payer);
    if (full !== null) return { kind: 'refused', refusal: refusal(full) };
    const judgement = judgeText(request, payer, this.#options);
    if (judgement.kind === 'refused') return judgement;
    const screening = this.#options.screen(judgement.text, payer);
    if (screening.kind === 'refuse') return { kind: 'refused', refusal: screening.refusal };
    const text =
      screening.due_at === undefined
        ? judgement.text
        : postponed(judgement.text, screening.due_at, this.#options.now());
    const porting = this.#options.ported(text.recipient);
    if (porting !== null) await porting;
    const place = this.#options.dispatcher.reserve(text, saleOf(text, payer));
    if (place === null) return { kind: 'refused', refusal: refusal('destination_unknown', 'no carrier reaches it') };
    return this.#store(text, payer, this.#placed(text, place), screening);
  }

  /** Before anything is made of the text: whoever is refused for that is to cost little. */
  #fullFor({ due_at_ms }: TextRequest, { account_id }: TextPayer): 'queue_full' | 'account_queue_full' | null {
    const { waiting_max, room, now } = this.#options;
    if (this.#storing.size >= waiting_max) return 'queue_full';
    return room.lacks(account_id, due_at_ms !== null && due_at_ms > now());
  }

  /** The operator's own answer to a keyword: it costs the customer nothing, and goes to whom everything else is refused. */
  async reply({ sender, recipient, text, idempotency }: KeywordReply, payer: TextPayer): Promise<Acceptance> {
    const to = parseE164(recipient);
    const counted = countSegments(text, { segments_max: this.#options.segments_max });
    if (to === null || counted.kind === 'too_long') throw new Error(`${recipient} cannot be answered.`);
    const now_ms = this.#options.now();
    const reply: JudgedText = {
      ...{ id: this.#options.newId(), account_id: payer.account_id, wallet_id: payer.wallet_id, sender, recipient: to },
      ...{ body: text, encoding: counted.encoding, segments: counted.segments, class: 'normal', on_doubt: 'hold' },
      ...{ net_micros: 0n, tax_micros: 0n, rate: null, source: 'system', system_id: null, client_ref: null },
      ...{ wants_receipt: false, idempotency, due_at: null },
      valid_until: new Date(now_ms + this.#options.validity_ms),
    };
    const place = this.#options.dispatcher.reserve(reply, null);
    if (place === null) return { kind: 'refused', refusal: refusal('destination_unknown', 'no carrier reaches it') };
    return this.#store(reply, payer, place, { kind: 'pass' });
  }

  /** What is scheduled for later waits in the database like anything else that is not sent at once. */
  #placed({ due_at }: JudgedText, place: Place): Place {
    if (due_at === null || !place.at_once) return place;
    this.#options.dispatcher.letGo(place);
    return { ...place, at_once: false };
  }

  async #store(text: JudgedText, payer: TextPayer, place: Place, screening: Screening): Promise<Acceptance> {
    const hold_reason = screening.kind === 'hold' ? screening.reason : null;
    const { dispatcher, queue, epoch, log, room } = this.#options;
    const message = placedAt(
      text,
      place.carrier_id,
      place.at_once && hold_reason === null ? epoch() : null,
      hold_reason,
    );
    const is_scheduled = message.due_at !== null;
    let is_queued = false;
    this.#storing.add(message);
    room.enters(text.account_id, is_scheduled);
    try {
      const answer = await this.#batch.push(message);
      is_queued = answer.verdict === 'accepted' && hold_reason === null;
      if (answer.verdict === 'accepted') this.#options.onAccepted(text);
      // What is held, or is for later, comes to a lane by way of the database.
      if (answer.verdict === 'accepted' && hold_reason === null && message.due_at === null) {
        dispatcher.take(claimOf(message, payer, this.#options.now()), place);
      } else {
        dispatcher.letGo(place);
      }
      return acceptanceOf(answer, message, payer);
    } catch (error) {
      dispatcher.letGo(place);
      if (message.epoch !== null) queue.lookFor([message.id]);
      if (!Outage.is(error)) throw error;
      log.warn({ err: error, message_id: message.id }, 'a text was not stored, or it is not known that it was');
      return { kind: 'refused', refusal: refusal('unavailable') };
    } finally {
      this.#storing.delete(message);
      room.stored(text.account_id, is_scheduled, is_queued);
    }
  }
}

/**
 * Field by field: a copy of a text to which fields are added costs V8 16 us, which is a seventh of all that a text costs here, and this
 * less than one.
 */
function placedAt(
  text: JudgedText,
  carrier_id: number | null,
  epoch: number | null,
  hold_reason: string | null,
): NewMessage {
  return {
    id: text.id,
    account_id: text.account_id,
    wallet_id: text.wallet_id,
    sender: text.sender,
    recipient: text.recipient,
    body: text.body,
    encoding: text.encoding,
    segments: text.segments,
    class: text.class,
    on_doubt: text.on_doubt,
    net_micros: text.net_micros,
    tax_micros: text.tax_micros,
    rate: text.rate,
    source: text.source,
    system_id: text.system_id,
    client_ref: text.client_ref,
    wants_receipt: text.wants_receipt,
    idempotency: text.idempotency,
    due_at: text.due_at,
    valid_until: text.valid_until,
    carrier_id,
    epoch,
    hold_reason,
  };
}

/** As valid, and as long, from the later moment on. */
function postponed(text: JudgedText, due_at: Date, now_ms: number): JudgedText {
  const later_ms = due_at.getTime() - (text.due_at?.getTime() ?? now_ms);
  return { ...text, due_at, valid_until: new Date(text.valid_until.getTime() + later_ms) };
}

function saleOf({ rate }: Pick<NewMessage, 'rate'>, { currency }: TextPayer): ClaimedMessage['sale'] {
  return rate === null ? null : { currency, rate_micros_per_segment: rate.rate_micros_per_segment };
}

function claimOf(message: NewMessage, payer: TextPayer, now_ms: number): ClaimedMessage {
  return {
    message_id: message.id,
    account_id: message.account_id,
    sender: message.sender,
    recipient: message.recipient,
    body: message.body,
    encoding: message.encoding,
    segments: message.segments,
    on_doubt: message.on_doubt,
    priority: PRIORITIES[message.class],
    attempt: 1,
    wanted_at_ms: message.due_at?.getTime() ?? now_ms,
    valid_until_ms: message.valid_until.getTime(),
    sale: saleOf(message, payer),
    parts_submitted: [],
    is_unwanted: false,
  };
}

function acceptanceOf(answer: AcceptAnswer, message: NewMessage, payer: TextPayer): Acceptance {
  if (answer.verdict !== 'accepted' && answer.verdict !== 'replay') {
    return { kind: 'refused', refusal: refusal(answer.verdict) };
  }
  return {
    kind: answer.verdict,
    id: answer.id,
    encoding: message.encoding,
    segments: message.segments,
    net_micros: message.net_micros,
    tax_micros: message.tax_micros,
    currency: payer.currency,
    is_held: message.hold_reason !== null,
  };
}
