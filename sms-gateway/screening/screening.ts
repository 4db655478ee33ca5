import type pg from 'pg';
import type { Logger } from 'pino';
import { parseE164 } from '../../domain/numbers/e164.ts';
import type { E164 } from '../../domain/numbers/e164.ts';
import type { EndedText } from '../../domain/texts/ended_texts.ts';
import { Shelf } from '../../domain/rating/shelf.ts';
import { recipientOfText } from '../../domain/texts/screening/recipient_of_text.ts';
import { selectScreeningRows } from '../../domain/texts/screening/screening_rows.ts';
import type { ContentRule } from '../../domain/texts/screening/screening_rows.ts';
import type { Screening as Verdict } from '../accept/acceptor.ts';
import type { JudgedText } from '../accept/judge_text.ts';
import type { TextPayer } from '../accept/payer.ts';
import { refusal } from '../accept/refusal.ts';
import { describeRule, type FoldedText } from './content/content_rules.ts';
import { foldText } from './content/fold_text.ts';
import { looksLikeCode, mayHoldCode } from './content/login_code.ts';
import { readableBody } from './content/readable_body.ts';
import { tokensOf } from './content/tokens.ts';
import { DestinationCountry } from './country/destination_country.ts';
import { PumpingWatch } from './pumping/pumping_watch.ts';
import type { PumpingSettings } from './pumping/pumping_settings.ts';
import { ToldOnce } from './pumping/told_once.ts';
import { ScreeningRules } from './screening_rules.ts';
import { PaceSharing, type PaceStore } from './velocity/pace_sharing.ts';
import { TextPace, type PaceLimit } from './velocity/text_pace.ts';
import type { VolumeWatch } from './volume/volume_watch.ts';
import { ZoneClock } from './zone_clock.ts';

/** What a text was looked at for. */
export type ScreenedBy = 'pace' | 'sender' | 'content' | 'pumping' | 'volume' | 'bulk_hours';

export interface ScreeningOptions {
  db: pg.Pool;
  /** Where gateways tell each other what accounts took. */
  store: PaceStore;
  /** The wall clock. */
  now: () => number;
  /** Of accounts that have no row of their own. */
  default_limit: PaceLimit;
  share_every_ms: number;
  pumping: PumpingSettings;
  volumes: VolumeWatch;
  /** For metrics: a text that did not simply pass, and by what. */
  onScreened: (verdict: 'held' | 'refused' | 'postponed', by: ScreenedBy) => void;
  log: Logger;
}

/** A moment of delivery that is not the one asked for, when the recipient would mind it then. */
export type Screened = Verdict & { due_at?: Date };

/** What is looked at of a text. */
export type ScreenableText = Pick<
  JudgedText,
  'account_id' | 'sender' | 'recipient' | 'body' | 'encoding' | 'class' | 'due_at'
> & { rate: { rate_micros_per_segment: bigint } | null };

const PASS: Screened = { kind: 'pass' };
/** Some hours of a busy gateway's codes; each takes a hundred octets. */
const CONVERSIONS_REMEMBERED = 50_000;

/**
 * Looks at every text before it is charged: how fast its account sends, whether the recipient's country takes such a sender and
 * such words, whether it looks like pumped traffic or is far more than usual, and whether it would wake somebody. Answers at once and
 * from memory.
 */
export class Screening {
  readonly #options: ScreeningOptions;
  readonly #zones = new ZoneClock();
  readonly #pace: TextPace;
  readonly #sharing: PaceSharing;
  readonly #pumping: PumpingWatch;
  readonly #countries = new DestinationCountry();
  readonly #conversions = new ToldOnce(CONVERSIONS_REMEMBERED);
  readonly #rules: Shelf<ScreeningRules>;

  constructor(options: ScreeningOptions) {
    const { db, store, now, share_every_ms, log } = options;
    this.#options = options;
    this.#pace = new TextPace(this.#zones);
    this.#pumping = new PumpingWatch(options.pumping);
    this.#sharing = new PaceSharing({
      ...{ pace: this.#pace, store, now, share_every_ms },
      onAlone: (error) => log.warn({ err: error }, 'Redis does not answer; limits on the rate of texts are kept here'),
    });
    this.#rules = new Shelf({
      ...{ now, log, what: 'the rules of texts' },
      load: async (at_ms) => {
        const rules = new ScreeningRules(await selectScreeningRows(db), this.#zones, at_ms);
        for (const fault of rules.faults) log.warn({ fault }, 'a rule of texts cannot be used; correct its row');
        return { value: rules, next_change_at_ms: null };
      },
    });
  }

  /** Resolves when the rules are read; before that nothing can be screened. */
  async start(): Promise<void> {
    await this.#rules.reload();
    this.#sharing.start();
  }

  /** A rule may have changed. */
  refresh(): void {
    this.#rules.refresh();
  }

  stop(): void {
    this.#rules.stop();
    this.#sharing.stop();
  }

  /** ISO 3166-1; null for a number of no country. */
  countryOf(number: E164): string | null {
    return this.#countries.of(number);
  }

  screen(text: ScreenableText, payer: Pick<TextPayer, 'account_id'>): Screened {
    const now_ms = this.#options.now();
    const rules = this.#rules.value;
    const { verdict, limit } = this.#takePace(rules, payer.account_id, now_ms);
    if (verdict !== 'taken') return this.#tooFast(verdict, limit);
    return this.#judge(rules, text, limit, now_ms);
  }

  /**
   * The same for a text that was charged and waits to be screened. Where it comes too fast it may wait: nobody is there any more to
   * be told to send it again more slowly.
   */
  screenWaiting(text: ScreenableText): Screened | { kind: 'wait' } {
    const now_ms = this.#options.now();
    const rules = this.#rules.value;
    const { verdict, limit } = this.#takePace(rules, text.account_id, now_ms);
    if (verdict === 'second' && limit.texts_per_second_max > 0) return { kind: 'wait' };
    if (verdict !== 'taken') return this.#tooFast(verdict, limit);
    return this.#judge(rules, text, limit, now_ms);
  }

  /**
   * The customer says that the code of this text was entered at the login; false where he sent none by that id. What is told
   * twice counts once, and what is told late counts for less.
   */
  async converted(account_id: string, message_id: string): Promise<boolean> {
    const recipient = parseE164((await recipientOfText(this.#options.db, account_id, message_id)) ?? '');
    if (recipient === null) return false;
    if (this.#conversions.isNews(message_id)) {
      this.#pumping.converted(account_id, this.#countries.of(recipient), this.#options.now());
    }
    return true;
  }

  /** Whether a text arrived; a weak sign, so it does no harm where it is told of some texts only. */
  ended({ account_id, recipient, state }: EndedText): void {
    // The other ends say nothing of the number.
    if (state !== 'delivered' && state !== 'undeliverable') return;
    const number = parseE164(recipient);
    if (number === null) return;
    this.#pumping.receipted(account_id, this.#countries.of(number), state === 'delivered', this.#options.now());
  }

  #takePace(
    rules: ScreeningRules,
    account_id: string,
    now_ms: number,
  ): { verdict: 'taken' | 'second' | 'day'; limit: PaceLimit } {
    const limit = rules.limitOf(account_id) ?? this.#options.default_limit;
    return { verdict: this.#pace.take(account_id, limit, now_ms), limit };
  }

  #tooFast(verdict: 'second' | 'day', { texts_per_second_max, texts_per_day_max }: PaceLimit): Screened {
    this.#options.onScreened('refused', 'pace');
    const detail = verdict === 'second' ? `${texts_per_second_max} a second` : `${texts_per_day_max} a day`;
    return { kind: 'refuse', refusal: refusal('too_fast', `${detail} are allowed`) };
  }

  #judge(rules: ScreeningRules, text: ScreenableText, limit: PaceLimit, now_ms: number): Screened {
    const country = this.#countries.of(text.recipient);
    const refused = this.#senderPassed(rules, text, country);
    if (refused !== null) return refused;
    const folded = this.#read(rules, text, country);
    const verdict =
      this.#ofContent(rules, text, folded, country) ??
      this.#ofPumping(rules, text, folded, country, now_ms) ??
      this.#ofVolume(rules, text, limit, country, now_ms);
    if (verdict?.kind === 'refuse') return verdict;
    if (verdict === null) this.#options.volumes.passed(text.account_id, now_ms);
    return this.#inItsHours(rules, text, country, now_ms, verdict ?? PASS);
  }

  #senderPassed(rules: ScreeningRules, { sender }: ScreenableText, country: string | null): Screened | null {
    if (rules.countryOf(country)?.alphanumeric_sender !== false || !HAS_LETTER.test(sender)) return null;
    this.#options.onScreened('refused', 'sender');
    const message = `Texts to ${country ?? ''} may not have a name as their sender, so it was not sent: send it from a number.`;
    return { kind: 'refuse', refusal: { code: 'invalid_sender', message } };
  }

  /** Null where what it says makes no difference. */
  #read(rules: ScreeningRules, text: ScreenableText, country: string | null): FoldedText | null {
    const seeks_rules = rules.content.readsTexts(country);
    const body = text.encoding === 'binary' ? readableBody(text) : text.body;
    if (!seeks_rules && !(text.class === 'normal' && mayHoldCode(body))) return null;
    const folded = foldText(body);
    return { folded, tokens: tokensOf(folded) };
  }

  #ofContent(
    { content }: ScreeningRules,
    { sender }: ScreenableText,
    folded: FoldedText | null,
    country: string | null,
  ): Screened | null {
    const of_sender = content.ofSender(sender, country);
    if (of_sender?.action === 'refuse') return this.#byRule(of_sender, 'sender');
    const of_text = folded === null ? null : content.ofText(folded, country);
    if (of_text !== null && (of_sender === null || of_text.action === 'refuse'))
      return this.#byRule(of_text, 'content');
    return of_sender === null ? null : this.#byRule(of_sender, 'sender');
  }

  #byRule(rule: ContentRule, by: ScreenedBy): Screened {
    if (rule.action === 'hold') {
      this.#options.onScreened('held', by);
      return { kind: 'hold', reason: describeRule(rule) };
    }
    this.#options.onScreened('refused', by);
    return { kind: 'refuse', refusal: refusal('content_blocked', rule.reason) };
  }

  /** A newsletter is no login code, whatever it says: nobody who waits for a code takes it from the slowest queue. */
  #ofPumping(
    rules: ScreeningRules,
    text: ScreenableText,
    folded: FoldedText | null,
    country: string | null,
    now_ms: number,
  ): Screened | null {
    const is_code =
      text.class === 'code' || (text.class === 'normal' && folded !== null && looksLikeCode(folded.tokens));
    if (!is_code || rules.trusts(text.account_id, country, now_ms)) return null;
    const price = text.rate === null ? null : Number(text.rate.rate_micros_per_segment);
    const verdict = this.#pumping.judge(text.account_id, country, text.recipient, price, now_ms);
    if (verdict.kind === 'pass') return null;
    this.#options.onScreened(verdict.kind === 'hold' ? 'held' : 'refused', 'pumping');
    if (verdict.kind === 'hold') return { kind: 'hold', reason: verdict.reason };
    // Those that were held before it came to this tell a person why; an attack must not fill the log.
    this.#options.log.debug({ account_id: text.account_id, reason: verdict.reason }, 'a pumped text is refused');
    const message = `${PUMPED} (${country ?? 'no country'})`;
    return { kind: 'refuse', refusal: { code: 'content_blocked', message } };
  }

  #ofVolume(
    rules: ScreeningRules,
    { account_id }: ScreenableText,
    { texts_per_day_max }: PaceLimit,
    country: string | null,
    now_ms: number,
  ): Screened | null {
    const verdict = this.#options.volumes.judge(account_id, texts_per_day_max, now_ms);
    if (verdict.kind === 'pass' || rules.trusts(account_id, country, now_ms)) return null;
    this.#options.onScreened('held', 'volume');
    return verdict;
  }

  #inItsHours(
    rules: ScreeningRules,
    { class: message_class, due_at }: ScreenableText,
    country: string | null,
    now_ms: number,
    verdict: Screened,
  ): Screened {
    if (message_class !== 'bulk') return verdict;
    const wanted_ms = due_at?.getTime() ?? now_ms;
    const opens_ms = rules.countryOf(country)?.bulk_hours?.openFrom(wanted_ms) ?? wanted_ms;
    if (opens_ms === wanted_ms) return verdict;
    this.#options.onScreened('postponed', 'bulk_hours');
    return { ...verdict, due_at: new Date(opens_ms) };
  }
}

const HAS_LETTER = /[A-Za-z]/u;

/** A thief is told no more than that he was seen; the customer hears the rest from the support. */
const PUMPED =
  'The login codes of this account to this country look as if somebody earned by them, so this one was not sent: ' +
  'see whether real people ask for them, bar the others at your login, and have the support let the country through.';
