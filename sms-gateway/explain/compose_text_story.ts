import { postedOn, WALLET_ACCOUNTS } from '../../domain/ledger/postings.ts';
import { ceilDiv } from '../../domain/money/micros.ts';
import { considered } from './considered.ts';
import { courseContradictions } from './course_contradictions.ts';
import { goneTwice } from './gone_twice.ts';
import { moneyContradictions } from './money_contradictions.ts';
import type { StoredEvent, StoredText, TextRecord } from './text_record.ts';
import type { TextStory } from './text_story.ts';
import { textSize } from './text_size.ts';

/** @param with_body whether the story may say what the text says */
export function composeTextStory(record: TextRecord, with_body: boolean): TextStory {
  const { message, events, charge, refund, time_zone, state, place, deliveries, stray, deck } = record;
  const { id, body, ...rest } = message;
  const charged_micros = message.net_micros + message.tax_micros;
  const refunded_micros = postedOn(refund?.postings ?? [], WALLET_ACCOUNTS);
  const story: TextStory = {
    ...rest,
    message_id: id,
    ...{ time_zone, state, events, place, deliveries, stray, deck, charge, refund },
    body: with_body ? body : null,
    is_erased: body === null,
    size: body === null || message.direction === 'mo' ? null : textSize(body, message.encoding, message.segments),
    considered: considered(events),
    gone_twice: goneTwice(events, message.segments),
    charged_micros,
    refunded_micros,
    segments_refunded: refund === null ? null : segmentsRefunded(message, refunded_micros),
    paid_micros: charged_micros - refunded_micros,
    carrier_costs: carrierCosts(events),
    contradictions: [],
  };
  return { ...story, contradictions: [...moneyContradictions(story), ...courseContradictions(story)] };
}

/** How many segments that amount is the price of, their share of net and of tax rounded up; null where it is of none. */
function segmentsRefunded({ net_micros, tax_micros, segments }: StoredText, micros: bigint): number | null {
  const whole = BigInt(segments);
  for (let count = 1n; count <= whole; count += 1n) {
    if (ceilDiv(net_micros * count, whole) + ceilDiv(tax_micros * count, whole) === micros) return Number(count);
  }
  return null;
}

function carrierCosts(events: readonly StoredEvent[]): TextStory['carrier_costs'] {
  const sums = new Map<string, TextStory['carrier_costs'][number]>();
  for (const { carrier, cost } of events) {
    if (cost === null || carrier === null) continue;
    const key = `${carrier} ${cost.currency}`;
    const { parts, micros } = sums.get(key) ?? { parts: 0, micros: 0n };
    sums.set(key, { carrier, currency: cost.currency, parts: parts + 1, micros: micros + cost.micros });
  }
  return [...sums.values()];
}
