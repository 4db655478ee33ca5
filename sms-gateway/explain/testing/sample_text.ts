import type { Posting } from '../../../domain/ledger/postings.ts';
import { ceilDiv } from '../../../domain/money/micros.ts';
import { withTax } from '../../../domain/rating/price.ts';
import { STATUS } from '../../smpp/status.ts';
import type { EventKind, StoredEvent, TextRecord } from '../text_record.ts';

export const ACCEPTED_AT_MS = Date.UTC(2026, 10, 24, 12, 0, 0);
export const MESSAGE_ID = '019ab5c8-a600-7000-8000-0123456789ab';

/** At so many milliseconds after the text was accepted. */
export function event(kind: EventKind, later_ms: number, more: Partial<StoredEvent> = {}): StoredEvent {
  return {
    at: new Date(ACCEPTED_AT_MS + later_ms),
    kind,
    part_no: 1,
    attempt: 1,
    carrier: null,
    bind_id: null,
    carrier_message_id: null,
    status: null,
    error: null,
    state: null,
    cost: null,
    detail: null,
    ...more,
  };
}

/** What alpha says over its first bind, or does not. */
export function ofAlpha(kind: EventKind, later_ms: number, more: Partial<StoredEvent> = {}): StoredEvent {
  return event(kind, later_ms, { carrier: 'alpha', bind_id: 'alpha-1', ...more });
}

export function taken(part_no: number, later_ms: number, more: Partial<StoredEvent> = {}): StoredEvent {
  const cost = { micros: 400n, currency: 'EUR' };
  return ofAlpha('submitted', later_ms, {
    ...{ part_no, carrier_message_id: `id-${part_no}`, status: STATUS.ESME_ROK, cost },
    ...more,
  });
}

export function receipt(part_no: number, later_ms: number, more: Partial<StoredEvent> = {}): StoredEvent {
  return ofAlpha('receipt', later_ms, { part_no, bind_id: null, state: 'delivered', ...more });
}

export function final(later_ms: number, more: Partial<StoredEvent> = {}): StoredEvent {
  return event('final', later_ms, { part_no: 0, state: 'delivered', ...more });
}

export interface SampleText {
  segments: number;
  rate_micros_per_segment: bigint;
  tax_ppm: number;
  /** How many segments were given back. */
  refunded: number;
  /** Texts of the same batch that cost as much. */
  others: number;
}

const usual: SampleText = { segments: 1, rate_micros_per_segment: 1_000n, tax_ppm: 190_000, refunded: 0, others: 0 };

/** A text of as many segments as are wished, delivered in whole but for what was given back, charged as the gateway charges. */
export function sampleText(wishes: Partial<SampleText> = {}): TextRecord {
  const { segments, rate_micros_per_segment, tax_ppm, refunded, others } = { ...usual, ...wishes };
  const { net, tax } = withTax(rate_micros_per_segment * BigInt(segments), tax_ppm);
  return {
    message: {
      ...{ id: MESSAGE_ID, direction: 'mt', account_id: '33333333-3333-4333-8333-333333333333' },
      ...{ accepted_at: new Date(ACCEPTED_AT_MS), sender: '+49301234567', recipient: '+447700900123' },
      // A segment of several holds 153 septets.
      ...{ body: 'a'.repeat(segments === 1 ? 5 : segments * 153), encoding: 'gsm7', segments },
      ...{ class: 'normal', on_doubt: 'resend', currency: 'EUR', net_micros: net, tax_micros: tax },
      rate: { prefix: '44', destination: 'United Kingdom', rate_micros_per_segment },
      ...{ source: 'http', system_id: null, carrier: null, client_ref: null, wants_receipt: true },
      ...{ due_at: null, valid_until: new Date(ACCEPTED_AT_MS + 86_400_000), keyword: null },
    },
    time_zone: 'Europe/Berlin',
    state: refunded === 0 ? 'delivered' : 'rejected',
    events:
      refunded === 0
        ? deliveredEvents(segments)
        : partlyRefused(segments, refunded, refundOf(net, tax, segments, refunded)),
    place: null,
    deliveries: [],
    stray: null,
    deck: { name: 'retail-texts', version: 4, currency: 'EUR', rows: [{ effective_from: null, effective_to: null }] },
    charge:
      net + tax === 0n
        ? null
        : {
            ...{ ref: MESSAGE_ID, texts: others + 1 },
            net_micros: net * BigInt(others + 1),
            tax_micros: tax * BigInt(others + 1),
            transaction: { tx_id: 7n, postings: chargePostings(net, tax, BigInt(others + 1)) },
          },
    refund:
      refunded === 0 || net + tax === 0n
        ? null
        : { tx_id: 9n, postings: chargePostings(-share(net, refunded, segments), -share(tax, refunded, segments), 1n) },
  };
}

function deliveredEvents(segments: number): StoredEvent[] {
  const parts = Array.from({ length: segments }, (_, n) => n + 1);
  return [
    ...parts.map((part_no) => taken(part_no, 100 + part_no)),
    ...parts.map((part_no) => receipt(part_no, 2_000 + part_no)),
    final(3_000),
  ];
}

function partlyRefused(segments: number, refunded: number, micros: bigint): StoredEvent[] {
  const parts = Array.from({ length: segments }, (_, n) => n + 1);
  const refusal = { status: STATUS.ESME_RINVDSTADR };
  return [
    ...parts.map((part_no) =>
      part_no <= segments - refunded ? taken(part_no, 100) : ofAlpha('refused', 100, { part_no, ...refusal }),
    ),
    final(200, { state: 'rejected' }),
    ...(micros === 0n ? [] : [event('refunded', 200, { part_no: 0, detail: micros.toString() })]),
  ];
}

function share(micros: bigint, refunded: number, segments: number): bigint {
  return ceilDiv(micros * BigInt(refunded), BigInt(segments));
}

function refundOf(net: bigint, tax: bigint, segments: number, refunded: number): bigint {
  return share(net, refunded, segments) + share(tax, refunded, segments);
}

function chargePostings(net: bigint, tax: bigint, texts: bigint): Posting[] {
  const amounts: readonly [string, bigint][] = [
    ['wallet_cash', -(net + tax) * texts],
    ['revenue', net * texts],
    ['tax_payable', tax * texts],
  ];
  return amounts
    .filter(([, amount_micros]) => amount_micros !== 0n)
    .map(([account, amount_micros]) => ({ account, carrier: null, currency: 'EUR', amount_micros }));
}
