import { describe, expect, it } from 'vitest';
import { unpackSeptets } from '../../domain/texts/encoding/septets.ts';
import { encodeParts, PLAIN_ADDRESSES, submitBody } from './submit_body.ts';
import type { SubmitDialect } from './submit_body.ts';

const now_ms = Date.UTC(2026, 0, 15, 12);
const plain: SubmitDialect = {
  ...PLAIN_ADDRESSES,
  ...{ default_alphabet: 'gsm7', national_languages: [], recipient_ton: 1, recipient_npi: 1, sends_validity: true },
};
const text = {
  ...{ message_id: '0199a3c4-1234-7abc-8def-0123456789ab', sender: '+4930123456', recipient: '+447700900123' },
  ...{ body: 'Grüße', encoding: 'gsm7' as const, segments: 1, valid_until_ms: now_ms + 300_000 },
};
const bodyOf = (more: Partial<typeof text> = {}, dialect: Partial<SubmitDialect> = {}, part_no = 1) =>
  submitBody({ ...text, ...more }, encodeParts({ ...text, ...more }), part_no, { ...plain, ...dialect }, now_ms);

describe('a submit_sm', () => {
  it('says how long its text is worth delivering, unless the carrier refuses texts for it', () => {
    expect(bodyOf().validity_period).toBe('000000000500000R');
    expect(bodyOf({}, { sends_validity: false }).validity_period).toBe('');
  });

  it.each([
    ['+4930123456', { source_addr_ton: 1, source_addr_npi: 1, source_addr: '4930123456' }],
    ['83000', { source_addr_ton: 3, source_addr_npi: 0, source_addr: '83000' }],
    ['Letsdial', { source_addr_ton: 5, source_addr_npi: 0, source_addr: 'Letsdial' }],
  ])('names the sender %s as the standard has it', (sender, expected) => {
    const recipient = { dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '447700900123' };
    expect(bodyOf({ sender })).toMatchObject({ ...expected, ...recipient });
  });

  it.each([
    ['+4930123456', { source_addr_ton: 0, source_addr_npi: 8, source_addr: '+4930123456' }],
    ['83000', { source_addr_ton: 6, source_addr_npi: 9, source_addr: '83000' }],
    ['Letsdial', { source_addr_ton: 5, source_addr_npi: 1, source_addr: 'Letsdial' }],
  ])('names the sender %s as its carrier wants it', (sender, expected) => {
    const dialect = {
      ...{ number_ton: 0, number_npi: 8, short_code_ton: 6, short_code_npi: 9, name_ton: 5, name_npi: 1 },
      ...{ recipient_ton: 2, recipient_npi: 0, plus_sign: true },
    };
    const recipient = { dest_addr_ton: 2, dest_addr_npi: 0, destination_addr: '+447700900123' };
    expect(bodyOf({ sender }, dialect)).toMatchObject({ ...expected, ...recipient });
  });

  it('has its text in the alphabet that the carrier takes data coding 0 for', () => {
    expect([...bodyOf().short_message]).toEqual([0x47, 0x72, 0x7e, 0x1e, 0x65]);
    expect(Buffer.from(bodyOf({}, { default_alphabet: 'latin1' }).short_message)).toEqual(
      Buffer.from('Grüße', 'latin1'),
    );
    const packed = bodyOf({}, { default_alphabet: 'gsm7_packed' }).short_message;
    expect([...unpackSeptets(packed, 0, 5)]).toEqual([0x47, 0x72, 0x7e, 0x1e, 0x65]);
  });

  it('names the tables of a language by which its text was counted', () => {
    const turkish = { body: 'ş'.repeat(156), segments: 2 };
    const parts = [1, 2].map((no) => bodyOf(turkish, { national_languages: ['turkish'] }, no));
    for (const [n, { esm_class, data_coding, short_message }] of parts.entries()) {
      expect([esm_class, data_coding]).toEqual([0x40, 0]);
      // 3GPP TS 23.040, 9.2.3.24.1 and 9.2.3.24.16: two parts, then the locking shift table of language 1.
      expect([...short_message.subarray(0, 9)]).toEqual([8, 0, 3, 0xab, 2, n + 1, 0x25, 1, 1]);
      // 3GPP TS 23.038, A.3.1: its place there.
      expect(new Set(short_message.subarray(9))).toEqual(new Set([0x1d]));
    }
    expect(parts.map(({ short_message }) => short_message.length - 9)).toEqual([149, 7]);
  });

  it('packs what follows a header from the next septet on', () => {
    const long = { body: 'a'.repeat(160), segments: 2, encoding: 'gsm7' as const };
    const { short_message, esm_class } = bodyOf(
      { body: `${long.body}b`, segments: 2 },
      { default_alphabet: 'gsm7_packed' },
      2,
    );
    expect(esm_class).toBe(0x40);
    const header_octets = (short_message[0] ?? 0) + 1;
    const fill_bits = (7 - ((header_octets * 8) % 7)) % 7;
    const septets = unpackSeptets(short_message.subarray(header_octets), fill_bits, 161 - 153);
    expect([...septets]).toEqual([...Array.from({ length: 7 }, () => 0x61), 0x62]);
  });
});
