import type { Queryable } from '../../domain/db/transaction.ts';
import { parseE164 } from '../../domain/numbers/e164.ts';
import type { GatewayLease } from '../../domain/texts/queue.ts';
import { recordScreenings, unscreenedTexts } from '../../domain/texts/screening/unscreened_texts.ts';
import type { ScreenedText, UnscreenedText } from '../../domain/texts/screening/unscreened_texts.ts';
import type { Screening } from './screening.ts';

export interface WaitingTextsOptions {
  db: Queryable;
  lease: () => GatewayLease;
  screening: Pick<Screening, 'screenWaiting'>;
  now: () => Date;
}

export interface WaitingLook {
  any_passed: boolean;
  /** Whether some has still to wait. */
  any_left: boolean;
}

const ROWS_MAX = 200;

/**
 * Screens texts that were charged and stored by who could not screen them. They stay out of every claim until a verdict is written:
 *
 *     unscreened ──pass──> waits for a carrier
 *        │  ▲ └────hold──> held for a person
 *        │  └─ too fast: looked at again a second later
 *        └───────refuse──> ended, its price given back
 */
export class WaitingTexts {
  readonly #options: WaitingTextsOptions;
  /** Verdicts that are not known to be written: a text counts once for its account's pace, however often writing is tried. */
  readonly #unwritten = new Map<string, ScreenedText>();

  constructor(options: WaitingTextsOptions) {
    this.#options = options;
  }

  /** Screens all there are. */
  async pass(): Promise<WaitingLook> {
    const { db, lease, now } = this.#options;
    const that_wait = new Set<string>();
    let any_passed = false;
    for (;;) {
      const texts = await unscreenedTexts(db, [...that_wait], ROWS_MAX);
      const screened = texts.flatMap((text) => this.#screen(text, that_wait));
      if (screened.length > 0) {
        const written = await recordScreenings(db, lease(), now(), screened);
        if (written === null) return { any_passed, any_left: true };
        for (const { message_id } of screened) this.#unwritten.delete(message_id);
        any_passed ||= screened.some(({ verdict }) => verdict === 'pass');
      }
      if (texts.length < ROWS_MAX) break;
    }
    // Whatever it was about is not there any more.
    if (that_wait.size === 0) this.#unwritten.clear();
    return { any_passed, any_left: that_wait.size > 0 };
  }

  #screen(text: UnscreenedText, that_wait: Set<string>): ScreenedText[] {
    const known = this.#unwritten.get(text.message_id);
    if (known !== undefined) return [known];
    // Its others would only run into the same limit, and come before it where they do not.
    if (that_wait.has(text.account_id)) return [];
    const verdict = this.#judge(text);
    if (verdict === null) {
      that_wait.add(text.account_id);
      return [];
    }
    this.#unwritten.set(text.message_id, verdict);
    return [verdict];
  }

  /** Null where it comes too fast. */
  #judge({ message_id, rate_micros_per_segment, ...text }: UnscreenedText): ScreenedText | null {
    const recipient = parseE164(text.recipient);
    if (recipient === null) throw new Error(`Text ${message_id} was accepted for ${text.recipient}.`);
    const rate = rate_micros_per_segment === null ? null : { rate_micros_per_segment };
    const screened = this.#options.screening.screenWaiting({ ...text, recipient, rate });
    switch (screened.kind) {
      case 'wait':
        return null;
      case 'refuse':
        return { message_id, verdict: 'refuse', words: screened.refusal.message, due_at: null };
      case 'hold':
        return { message_id, verdict: 'hold', words: screened.reason, due_at: screened.due_at ?? null };
      case 'pass':
        return { message_id, verdict: 'pass', words: null, due_at: screened.due_at ?? null };
    }
  }
}
