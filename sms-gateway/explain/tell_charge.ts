import { accountWords } from '../../domain/ledger/account_words.ts';
import type { PostedTransaction } from '../../domain/ledger/postings.ts';
import { moneyWords, signedMoneyWords } from '../../domain/money/money_words.ts';
import { amountRow } from '../../domain/telling/layout.ts';
import type { Times } from '../../domain/telling/times.ts';
import type { StoredDeck } from './text_record.ts';
import { segmentWords } from './text_size.ts';
import type { TextStory } from './text_story.ts';

/** How the price is found: how many segments, and the row of the deck that says what one costs. */
export function tellPrice(story: TextStory, times: Times): string[] {
  const { segments, encoding, size, is_erased, rate, deck, currency } = story;
  const erased = is_erased ? [' What it says was erased, so it cannot be counted again.'] : [];
  const counted = [`${segmentWords(segments, encoding, size)}${erased.join('')}`];
  if (rate === null) return [...counted, 'Nobody pays for it.'];
  const of = deck === null ? 'A rate deck that is gone' : `Rate deck "${deck.name}", version ${deck.version}`;
  return [
    ...counted,
    `${of}: prefix ${rate.prefix}, ${rate.destination} (the longest prefix that fits)${rowWords(deck, times)}.`,
    `It says: ${moneyWords(rate.rate_micros_per_segment, deck?.currency ?? currency)} a segment${taxWords(story)}.`,
  ];
}

/** Which row of the deck, where it has one for some time only. */
function rowWords(deck: StoredDeck | null, times: Times): string {
  const [row] = deck?.rows ?? [];
  if (row === undefined) return '';
  const from = row.effective_from === null ? '' : `, the row that holds from ${times.day(row.effective_from)}`;
  const to =
    row.effective_to === null ? '' : `${from === '' ? ', the row that holds' : ''} to ${times.day(row.effective_to)}`;
  return `${from}${to}`;
}

function taxWords({ net_micros, tax_micros }: TextStory): string {
  if (tax_micros === 0n) return '';
  const hundredths = (tax_micros * 10_000n) / net_micros;
  const is_exact = hundredths * net_micros === tax_micros * 10_000n;
  return is_exact ? `, plus ${String(Number(hundredths) / 100)}% tax` : ', plus tax';
}

/** From the segments to what it cost. */
export function tellTextBill(story: TextStory): string[] {
  const { segments, rate, currency, net_micros, tax_micros, charged_micros, paid_micros } = story;
  if (charged_micros === 0n) return ['Nothing is charged.'];
  const money = (micros: bigint): string => moneyWords(micros, currency);
  const each = rate === null ? '' : ` at ${money(rate.rate_micros_per_segment)}`;
  return [
    amountRow(`${plural(segments, 'segment')}${each}`, money(net_micros)),
    ...(tax_micros === 0n ? [] : [amountRow('tax', money(tax_micros))]),
    amountRow('Charged when it was accepted', money(charged_micros)),
    ...refundRows(story),
    amountRow('What it cost', money(paid_micros)),
  ];
}

function refundRows({ refund, refunded_micros, segments_refunded, currency }: TextStory): string[] {
  if (refund === null) return [];
  const of = segments_refunded === null ? '' : ` for ${plural(segments_refunded, 'segment')} that did not go`;
  return [amountRow(`given back${of}`, moneyWords(-refunded_micros, currency))];
}

/** The entries of the books that carry the charge; each transaction sums to zero. */
export function tellTextLedger(story: TextStory): string[] {
  const { charge, refund, charged_micros, currency, carrier_costs } = story;
  const lines: string[] = [];
  if (charge !== null && charge.transaction !== null) {
    const shared = charge.texts - 1;
    const own = `, ${moneyWords(charged_micros, currency)} of it for this text: ${plural(shared, 'other text')} of the same batch ${shared === 1 ? 'has' : 'have'} the rest`;
    lines.push(
      `Transaction ${charge.transaction.tx_id} charged it${shared === 0 ? '' : own}.`,
      ...rows(charge.transaction),
    );
  }
  if (refund !== null) lines.push(`Transaction ${refund.tx_id} gave back.`, ...rows(refund));
  for (const { carrier, parts, micros, currency: of } of carrier_costs) {
    lines.push(
      `${carrier} is owed ${moneyWords(micros, of)} for ${plural(parts, 'part')}, booked with others that it took at the time.`,
    );
  }
  return lines.length === 0 ? ['No money moved.'] : lines;
}

function rows({ postings }: PostedTransaction): string[] {
  return postings.map((one) =>
    amountRow(`  ${accountWords(one.account, one.carrier)}`, signedMoneyWords(one.amount_micros, one.currency)),
  );
}

function plural(count: number, of: string): string {
  return `${count} ${of}${count === 1 ? '' : 's'}`;
}
