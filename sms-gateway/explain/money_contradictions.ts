import { postedOn, unbalanced, WALLET_ACCOUNTS } from '../../domain/ledger/postings.ts';
import type { TextStory } from './text_story.ts';

/** What of a text's money does not follow from the rest, in words. The price is worked out anew from the row of the deck. */
export function moneyContradictions(story: TextStory): string[] {
  if (story.direction === 'mo') {
    return story.charged_micros === 0n ? [] : ['A text that came in costs nobody anything, and this one was charged.'];
  }
  return [
    ...priceContradictions(story),
    ...deckContradictions(story),
    ...sizeContradictions(story),
    ...chargeContradictions(story),
    ...refundContradictions(story),
  ];
}

function priceContradictions({ rate, segments, net_micros, tax_micros }: TextStory): string[] {
  if (rate === null) {
    return net_micros + tax_micros === 0n ? [] : ['It was charged without a price that says so.'];
  }
  const found: string[] = [];
  const expected = rate.rate_micros_per_segment * BigInt(segments);
  if (net_micros !== expected) {
    found.push(
      `${segments} segments at ${rate.rate_micros_per_segment} micros are ${expected}, but ${net_micros} were charged.`,
    );
  }
  if (!isTaxOf(net_micros, tax_micros)) {
    found.push(`No rate of tax makes ${tax_micros} micros of ${net_micros}.`);
  }
  return found;
}

const PPM = 1_000_000n;

/** Whether a whole number of parts per million makes this tax, rounded up to the micro once; none makes more than the price. */
function isTaxOf(net: bigint, tax: bigint): boolean {
  if (tax === 0n || net === 0n) return tax === 0n;
  const highest_ppm = (tax * PPM) / net;
  return highest_ppm <= PPM && highest_ppm * net > (tax - 1n) * PPM;
}

function deckContradictions({ rate, deck, recipient, currency }: TextStory): string[] {
  if (rate === null) return [];
  const found: string[] = [];
  if (!recipient.startsWith(`+${rate.prefix}`)) {
    found.push(`The prefix ${rate.prefix} of its price is not that of ${recipient}.`);
  }
  if (deck === null) return [...found, 'The deck of its price is not there.'];
  if (deck.rows.length === 0) {
    found.push(
      `Deck "${deck.name}", version ${deck.version}, has no row of prefix ${rate.prefix} at ${rate.rate_micros_per_segment} micros.`,
    );
  }
  if (deck.currency !== currency) {
    found.push(`The deck is in ${deck.currency}, and ${currency ?? 'nothing'} was charged.`);
  }
  return found;
}

function sizeContradictions({ size, is_erased, encoding, segments }: TextStory): string[] {
  if (is_erased) return [];
  if (size === null) return ['What it says cannot be cut into segments.'];
  const found: string[] = [];
  if (size.segments !== segments) {
    found.push(`What it says takes ${size.segments} segments, but it is stored as ${segments}.`);
  }
  if (encoding !== 'binary' && size.encoding !== encoding) {
    found.push(`What it says goes as ${size.encoding}, but it is stored as ${encoding}.`);
  }
  return found;
}

function chargeContradictions({ charged_micros, charge }: TextStory): string[] {
  if (charge === null) return charged_micros === 0n ? [] : ['It was charged, and no transaction is named for it.'];
  const { transaction, net_micros, tax_micros, texts } = charge;
  if (transaction === null) return ['It was charged, and the ledger has no transaction of it.'];
  const found: string[] = [];
  const paid = -postedOn(transaction.postings, WALLET_ACCOUNTS);
  if (paid !== net_micros + tax_micros) {
    found.push(
      `Transaction ${transaction.tx_id} took ${paid} micros from the wallet, but its ${texts} texts cost ${net_micros + tax_micros}.`,
    );
  }
  const taxed = postedOn(transaction.postings, ['tax_payable']);
  if (taxed !== tax_micros) {
    found.push(`Transaction ${transaction.tx_id} books ${taxed} micros of tax, but its texts bear ${tax_micros}.`);
  }
  return [...found, ...unbalanced(transaction.postings)];
}

function refundContradictions(story: TextStory): string[] {
  const { refund, refunded_micros, charged_micros, segments_refunded, events } = story;
  const told = events.filter(({ kind }) => kind === 'refunded');
  if (refund === null) {
    return told.length === 0 ? [] : ['It is said to have been given back, and the ledger has no transaction of that.'];
  }
  const found: string[] = [];
  if (refunded_micros > charged_micros) {
    found.push(`${refunded_micros} micros were given back, but only ${charged_micros} were charged.`);
  } else if (segments_refunded === null) {
    found.push(`${refunded_micros} micros were given back, which are the price of no whole number of its segments.`);
  }
  const said = told.map(({ detail }) => detail ?? 'nothing');
  if (said.length !== 1 || said[0] !== refunded_micros.toString()) {
    found.push(
      `The ledger gave back ${refunded_micros} micros, but the events say ${said.length === 0 ? 'nothing' : said.join(' and ')}.`,
    );
  }
  return [...found, ...takenAndRefunded(story), ...unbalanced(refund.postings)];
}

/** What a carrier took is paid for. Where it was in doubt, its price goes back although a late answer may say that it was taken. */
function takenAndRefunded({ segments, segments_refunded, events }: TextStory): string[] {
  const parts = Array.from({ length: segments }, (_, n) => n + 1);
  const taken = parts.filter((part_no) =>
    events.some((event) => event.kind === 'submitted' && event.part_no === part_no),
  );
  const was_in_doubt = events.some(({ kind }) => kind === 'in_doubt');
  if (segments_refunded === null || was_in_doubt || segments_refunded <= segments - taken.length) return [];
  return [`${segments_refunded} of ${segments} segments were given back, but carriers took ${taken.length}.`];
}
