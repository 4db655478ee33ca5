import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readReceipt } from '../../receipts/read_receipt.ts';
import { findTlvNumber, findTlvText, TLV } from '../../smpp/tlv.ts';
import { receiptBody } from './receipt_body.ts';
import type { ToldText } from './told_text.ts';

const text: ToldText = {
  id: '0199a3c4-1234-7abc-8def-0123456789ab',
  sender: 'ACME',
  recipient: '+447700900123',
  body: 'Hello, world! This is more than is quoted.',
  encoding: 'gsm7',
  client_ref: '513',
  accepted_at: new Date('2026-01-15T12:34:56Z'),
  ended: { state: 'delivered', error: null, at: new Date('2026-01-15T12:35:10Z') },
};

const wordsOf = (of: ToldText): string => Buffer.from(receiptBody(of, true)?.short_message ?? []).toString('latin1');

describe('a receipt', () => {
  it('is written as appendix B has it, from the recipient to the sender', () => {
    const body = receiptBody(text, true);
    expect(wordsOf(text)).toBe(
      'id:0199a3c412347abc8def0123456789ab sub:001 dlvrd:001 submit date:2601151234 done date:2601151235 ' +
        'stat:DELIVRD err:000 text:Hello, world! This i',
    );
    expect(body).toMatchObject({
      ...{ esm_class: 4, data_coding: 0, source_addr: '447700900123', source_addr_ton: 1 },
      ...{ destination_addr: 'ACME', dest_addr_ton: 5 },
    });
    expect(findTlvText(body?.tlvs ?? [], TLV.receipted_message_id)).toBe('0199a3c412347abc8def0123456789ab');
    expect(findTlvNumber(body?.tlvs ?? [], TLV.message_state)).toBe(2);
    expect(findTlvNumber(body?.tlvs ?? [], TLV.user_message_reference)).toBe(513);
  });

  it('has no TLVs for a peer that does not understand them', () => {
    expect(receiptBody(text, false)?.tlvs).toEqual([]);
  });

  it.each([
    ['01a', '01a'],
    ['7', '007'],
    ['no carrier takes it', '000'],
    [null, '000'],
  ])('tells the error %s as %s', (error, expected) => {
    const ended = { state: 'undeliverable', error, at: new Date(0) } as const;
    expect(wordsOf({ ...text, ended })).toContain(
      `dlvrd:000 submit date:2601151234 done date:7001010000 stat:UNDELIV err:${expected} `,
    );
  });

  it.each(['Grüße', 'stat:DELIVRD', 'two\nlines', '@home'])('does not quote what would be misread: %j', (body) => {
    expect(wordsOf({ ...text, body })).toMatch(/text:$/u);
    expect(wordsOf({ ...text, body: null })).toMatch(/text:$/u);
  });

  it.each(['order-7', '65536', ''])('repeats no reference that is none of SMPP: %j', (client_ref) => {
    expect(
      findTlvNumber(receiptBody({ ...text, client_ref }, true)?.tlvs ?? [], TLV.user_message_reference),
    ).toBeNull();
  });

  it('is none of a text that has not ended', () => {
    expect(receiptBody({ ...text, ended: null }, true)).toBeNull();
  });

  it('is understood by our own reader of receipts, whatever the text was and with TLVs or without', () => {
    const states = fc.constantFrom('delivered', 'undeliverable', 'expired', 'rejected', 'unknown', 'deleted');
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), states, fc.boolean(), (body, state, with_tlvs) => {
        const ended = { state, error: null, at: new Date('2026-01-15T12:35:00Z') };
        const pdu = receiptBody({ ...text, body, ended }, with_tlvs);
        if (pdu === null) throw new Error('no receipt');
        const options = {
          receipt_id_form: 'same',
          default_alphabet: 'gsm7',
          utc_offset_minutes: 0,
          unflagged: 'text',
        } as const;
        expect(readReceipt(pdu, options)).toMatchObject({
          ...{ kind: 'receipt', ids: ['0199a3c412347abc8def0123456789ab'], state },
          ...{ done_at_ms: ended.at.getTime(), contradiction: null },
        });
      }),
    );
  });
});
