import { parseE164 } from '../../domain/numbers/e164.ts';
import type { E164 } from '../../domain/numbers/e164.ts';
import type { BindRow } from './bind_row.ts';
import { canCarry } from './submit_body.ts';
import type { SubmittedText } from './submit_body.ts';

/** What decides whether a bind may take a text. */
export type AdmittedText = Pick<SubmittedText, 'sender' | 'recipient' | 'body' | 'encoding' | 'segments'>;

/**
 * The country of a number, ISO 3166-1; null where it belongs to none. Binds ask for each text, so it has to come from where
 * countries are remembered: to look a number up in the numbering plan costs more than all else that is asked here.
 */
export type CountryOf = (number: E164) => string | null;

const DIGITS_ONLY = /^\+?[0-9]+$/u;
/** How long the time of day in the carrier's zone is remembered: working it out costs as much as sending a text. */
const LOOK_MS = 1_000;

/** What a bind's contract allows: senders, countries, hours, characters. Whether it is bound is another question. */
export class Admission {
  readonly #row: BindRow;
  readonly #countryOf: CountryOf;
  readonly #time_of_day: Intl.DateTimeFormat | null;
  #is_open = true;
  #looked_at_ms = Number.NEGATIVE_INFINITY;

  constructor(row: BindRow, countryOf: CountryOf) {
    this.#row = row;
    this.#countryOf = countryOf;
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
    if (countries !== null && !this.#isIn(countries, text.recipient)) return false;
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

  #isIn(countries: readonly string[], recipient: string): boolean {
    const number = parseE164(recipient);
    const country = number === null ? null : this.#countryOf(number);
    return country !== null && countries.includes(country);
  }
}
