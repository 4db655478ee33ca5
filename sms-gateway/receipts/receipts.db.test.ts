import { setImmediate } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acceptMessages } from '../../domain/texts/accept_messages.ts';
import { recordOutcomes } from '../../domain/texts/outcomes.ts';
import { receiveReceipts } from '../../domain/texts/receipts.ts';
import type { Receipt } from '../../domain/texts/receipts.ts';
import { stateOf, submitted, textBooks } from '../../domain/texts/testing/texts.ts';
import type { TextBooks } from '../../domain/texts/testing/texts.ts';
import type { ShortMessageBody } from '../smpp/pdu.ts';
import { systemClock } from '../smpp/clock.ts';
import { canonicalSubmitId } from './receipt_id.ts';
import type { ReceiptIdForm } from './receipt_id.ts';
import { ReceiptIntake } from './receipt_intake.ts';
import type { IntakeVerdict } from './receipt_intake.ts';
import { readReceipt } from './read_receipt.ts';

let books: TextBooks;
let intake: ReceiptIntake;

beforeAll(async () => {
  books = await textBooks();
  intake = new ReceiptIntake({
    write: (receipts) => receiveReceipts(books.pool, books.lease, new Date(), receipts),
    clock: systemClock,
    random: Math.random,
    retry: { first_ms: 100, most_ms: 1000 },
    gather: () => setImmediate(),
    batch_size_max: 256,
    onOutage: (error) => {
      throw error;
    },
    onUnstorable: () => undefined,
    onVerdicts: () => undefined,
  });
});

afterAll(async () => {
  await intake.stop();
  await books.end();
});

const push = (receipt: Receipt): Promise<IntakeVerdict> => new Promise((resolve) => intake.push(receipt, resolve));

/** A text that the carrier took under that id. */
async function sent(message_id: string, form: ReceiptIdForm): Promise<string> {
  const text = books.text(await books.customer(10_000n));
  await acceptMessages(books.pool, new Date(), [text]);
  const outcome = submitted(books, text.id, canonicalSubmitId(message_id, form));
  await recordOutcomes(books.pool, books.lease, randomUUID(), new Date(), [outcome]);
  return text.id;
}

function receiptOf(text: string, receipt_id_form: ReceiptIdForm): Receipt {
  const pdu: ShortMessageBody & { command: 'deliver_sm' } = {
    ...{ command: 'deliver_sm', service_type: '', source_addr_ton: 1, source_addr_npi: 1, source_addr: '1' },
    ...{ dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '2', esm_class: 4, protocol_id: 0, priority_flag: 0 },
    ...{ schedule_delivery_time: '', validity_period: '', registered_delivery: 0, replace_if_present_flag: 0 },
    ...{ data_coding: 0, sm_default_msg_id: 0, short_message: Buffer.from(text, 'latin1'), tlvs: [] },
  };
  const read = readReceipt(pdu, {
    ...{ receipt_id_form, default_alphabet: 'gsm7', utc_offset_minutes: 0, unflagged: 'receipt' },
  });
  if (read.kind !== 'receipt') throw new Error(`not a receipt: ${text}`);
  const { ids, state, error, done_at_ms } = read;
  const done_at = done_at_ms === null ? null : new Date(done_at_ms);
  return { carrier_id: books.carrier_id, carrier_message_ids: ids, state, error, done_at };
}

describe('a receipt off the wire', () => {
  it.each([
    ['same', 'm-0A', 'm-0A'],
    ['hex_then_decimal', '00C0FFEE', '12648430'],
    ['decimal_then_hex', '0012648431', 'C0FFEF'],
    ['any', '00c0fff0', '12648432'],
  ] as const)('ends the text that it means: %s', async (form, message_id, receipt_id) => {
    const text = await sent(message_id, form);
    const receipt = receiptOf(`id:${receipt_id} done date:2601151200 stat:DELIVRD err:000`, form);
    expect(await push(receipt)).toBe('matched');
    expect(await push(receipt)).toBe('repeated');
    expect(await stateOf(books.pool, text)).toBe('delivered');
  });

  it('that overtook the answer to its submit_sm is parked, and found', async () => {
    expect(await push(receiptOf('id:255 stat:UNDELIV err:7', 'hex_then_decimal'))).toBe('parked');
    const text = await sent('FF', 'hex_then_decimal');
    expect(await stateOf(books.pool, text)).toBe('undeliverable');
  });

  it('can be stored whatever its id is made of', async () => {
    for (const id of ['"', '\\u0000', "');--", '\x7fé', 'x'.repeat(300)]) {
      const receipt: Receipt = {
        ...receiptOf('id:1 stat:DELIVRD', 'same'),
        carrier_message_ids: [canonicalSubmitId(id, 'same')],
      };
      expect(await push(receipt)).toBe('parked');
    }
  });
});
