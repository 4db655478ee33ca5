import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { BindRow } from './bind_row.ts';
import { canCarry } from './submit_body.ts';
import type { SubmittedText } from './submit_body.ts';

/** What decides whether a bind may take a text. */
export type AdmittedText = Pick<SubmittedText, 'sender' | 'recipient' | 'body' | 'encoding'>;

const DIGITS_ONLY = /^\+?[0-9]+$/u;
/** How long the time of day in the carrier's zone is remembered: working it out costs as much as sending a text. */
const LOOK_MS = 1_000;

/** What a bind's contract allows: senders, countries, hours, characters. Whether it is bound is another question. */
export class Admission {
  readonly #row: BindRow;
  readonly #time_of_day: Intl.DateTimeFormat | null;
  #is_open = true;
  #looked_at_ms = Number.NEGATIVE_INFINITY;

  constructor(row: BindRow) {
    this.#row = row;
    this.#time_of_day =
      row.opens_at === null
        ? null
        : new Intl.DateTimeFormat('en-GB', {
            timeZone: row.time_zone,
            hour: '2-digit',
            minute: '2-digit',
            second: '2-digit',
            hourCycle: 'h23',
          });
  }

  admits(text: AdmittedText, now_ms: number): boolean {
    const { alphanumeric_sender, countries } = this.#row;
    if (!alphanumeric_sender && !DIGITS_ONLY.test(text.sender)) return false;
    if (!canCarry(text, this.#row)) return false;
    if (countries !== null && !countries.includes(countryOf(text.recipient))) return false;
    return this.isOpen(now_ms);
  }

  isOpen(now_ms: number): boolean {
    const { opens_at, closes_at } = this.#row;
    if (this.#time_of_day === null || opens_at === null || closes_at === null) return true;
    if (now_ms - this.#looked_at_ms >= LOOK_MS || now_ms < this.#looked_at_ms) {
      this.#looked_at_ms = now_ms;
      const time = this.#time_of_day.format(now_ms);
      // A night shift opens in the evening and closes in the morning.
      this.#is_open =
        opens_at <= closes_at ? time >= opens_at && time < closes_at : time >= opens_at || time < closes_at;
    }
    return this.#is_open;
  }
}

function countryOf(recipient: string): string {
  return parsePhoneNumberFromString(recipient, { extract: false })?.country ?? '';
}
