import { accountWords } from '../../domain/ledger/account_words.ts';
import { moneyWords, signedMoneyWords } from '../../domain/money/money_words.ts';
import { secondsFromMs } from '../../domain/rating/price.ts';
import { amountRow } from '../../domain/telling/layout.ts';
import type { Rate } from '../../domain/rating/rate.ts';
import type { RateSource } from '../call/plan.ts';
import type { BillLine, RateStory, Story } from './story.ts';
import { sumOf } from './story.ts';
import { durationSourceWords, secondsWords } from './words.ts';

/** How the price is found: the row of the rate deck, its version, and what it says. */
export function tellRate({ rate, direction, callee, currency }: Story): string[] {
  if (rate === null) return ['No rate was looked up, as the call was refused before.'];
  if (direction === 'emergency') return ['A call for help is charged to nobody.'];
  const { rate: row, source, forwarded } = rate;
  // Only what the operator does for itself, such as to speak a code, goes out without a deck.
  if (direction === 'outbound' && source === null)
    return ['The operator calls: the carrier is paid, and nobody is charged.'];
  const where =
    source === null
      ? `The price of incoming calls to ${callee ?? 'this number'}, which is its own.`
      : `${sourceWords(source)}.`;
  const own = [where, `It says: ${termWords(row, source?.currency ?? currency)}${taxWords(rate)}.`];
  if (forwarded === null) return own;
  return [
    ...own,
    `And the way on to ${forwarded.to}. ${sourceWords(forwarded.source)}.`,
    `It says: ${termWords(forwarded.rate, forwarded.source.currency)}${taxWords(rate)}.`,
  ];
}

function sourceWords({ deck, version, prefix, destination }: RateSource): string {
  return `Rate deck "${deck}", version ${version}: prefix ${prefix}, ${destination} (the longest prefix that fits)`;
}

function taxWords({ tax_ppm }: RateStory): string {
  return tax_ppm > 0 ? `, plus ${percent(tax_ppm)} tax` : '';
}

function termWords(row: Rate, currency: string | null): string {
  const amount = (micros: bigint): string => moneyWords(micros, currency);
  const terms = [
    `${amount(row.rate_micros_per_minute)} a minute`,
    row.connect_fee_micros > 0n ? `${amount(row.connect_fee_micros)} for the connection` : '',
    row.minimum_seconds > 0 ? `at least ${secondsWords(row.minimum_seconds)}` : '',
    stepWords(row.initial_increment_seconds, row.subsequent_increment_seconds),
    row.grace_seconds > 0 ? `nothing for calls of up to ${secondsWords(row.grace_seconds)}` : '',
    row.free_seconds > 0 ? `the first ${secondsWords(row.free_seconds)} free` : '',
  ];
  return terms.filter((term) => term !== '').join(', ');
}

/** 60/6 is a first step of 60 seconds, then steps of 6. */
function stepWords(initial_seconds: number, subsequent_seconds: number): string {
  const then = subsequent_seconds === 1 ? 'by the second' : `in steps of ${secondsWords(subsequent_seconds)}`;
  if (initial_seconds === subsequent_seconds) return `counted ${then}`;
  return `the first ${secondsWords(initial_seconds)} whole, then counted ${then}`;
}

/** 190000 ppm is 19%. */
function percent(ppm: number): string {
  return `${String(ppm / 10_000)}%`;
}

/** From the milliseconds of the switch to the charge, a line each. */
export function tellBill(story: Story): string[] {
  const { bill, currency, charged_micros } = story;
  if (bill.length === 0) return ['Nothing is charged, as nobody answered.'];
  const so_far = story.state === 'over' ? '' : ' so far';
  return [
    ...durationLines(story),
    ...bill.map((line) =>
      amountRow(
        `${partWords[line.part ?? 'whole']}${lineWords(line, story)}`,
        line.micros === 0n ? '' : moneyWords(line.micros, currency),
      ),
    ),
    amountRow(`Sum${so_far}`, moneyWords(sumOf(bill), currency)),
    ...(story.state === 'over' ? heldLines(story) : []),
    ...(charged_micros === sumOf(bill) ? [] : [amountRow('Charged', moneyWords(charged_micros, currency))]),
  ];
}

function durationLines(story: Story): string[] {
  const whole = secondsFromMs(story.duration_ms);
  const lasted = `The call lasted ${(story.duration_ms / 1000).toFixed(3)} s ${durationSourceWords(story.duration_source)}; begun seconds count whole: ${secondsWords(whole)}.`;
  // A call for help may have gone out without any grant.
  if (whole <= story.seconds_charged || story.direction === 'emergency') return [lasted];
  const loss =
    story.operator_loss_micros > 0n
      ? ` What they cost, ${moneyWords(story.operator_loss_micros, story.currency)}, is paid by the operator.`
      : '';
  return [
    lasted,
    `Only ${secondsWords(story.seconds_charged)} of them were granted, so no more are charged: the rest was a late hang-up.${loss}`,
  ];
}

const partWords = { own: 'In: ', way_on: 'On: ', whole: '' } as const;

function lineWords(line: BillLine, { rate }: Story): string {
  switch (line.key) {
    case 'spoken':
      return `${secondsWords(line.seconds)} of talk`;
    case 'grace':
      return 'short enough to cost nothing';
    case 'minimum':
      return `+ ${secondsWords(line.seconds)} up to the minimum`;
    case 'increment':
      return `+ ${secondsWords(line.seconds)} up to the next billing step`;
    case 'free':
      return `- ${secondsWords(line.seconds)} free`;
    case 'pack':
      return `- ${secondsWords(line.seconds)} from the minute pack`;
    case 'connect_fee':
      return 'connection';
    case 'per_minute':
      return `${secondsWords(line.seconds)} by the minute's price`;
    case 'tax':
      return `tax, ${percent(rate?.tax_ppm ?? 0)}`;
  }
}

function heldLines({ held_micros, charged_micros, currency }: Story): string[] {
  // Free calls, and calls for help, put nothing aside.
  if (held_micros === 0n) return [];
  const back = held_micros - charged_micros;
  const rest = back > 0n ? `; the other ${moneyWords(back, currency)} went back` : '';
  return [`Of the ${moneyWords(held_micros, currency)} put aside this was taken${rest}.`];
}

/** The entries of the books that carry the charge; each transaction sums to zero. */
export function tellLedger(story: Story): string[] {
  if (story.postings.length === 0) return ['No money moved.'];
  return story.postings.map((one) =>
    amountRow(accountWords(one.account, one.carrier), signedMoneyWords(one.amount_micros, one.currency)),
  );
}
