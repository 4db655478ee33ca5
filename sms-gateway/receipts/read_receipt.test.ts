import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packSeptets } from '../../domain/texts/encoding/septets.ts';
import type { ShortMessageBody } from '../smpp/pdu.ts';
import { TLV, tlvText, tlvUint8 } from '../smpp/tlv.ts';
import type { Tlv } from '../smpp/tlv.ts';
import { readReceipt } from './read_receipt.ts';
import type { ReadReceipt, ReceiptDialect } from './read_receipt.ts';

const usual: ReceiptDialect = {
  receipt_id_form: 'same',
  default_alphabet: 'gsm7',
  utc_offset_minutes: 0,
  unflagged: 'receipt',
};

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const ucs2 = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();

const addresses = {
  ...{ service_type: '', source_addr_ton: 1, source_addr_npi: 1, source_addr: '447700900123' },
  ...{ dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '4930123' },
};

type Deliver = ShortMessageBody & { command: 'deliver_sm' };

function deliver(text: string | Uint8Array, more: Partial<Deliver> = {}): Deliver {
  return {
    ...{ command: 'deliver_sm', ...addresses, esm_class: 0x04, protocol_id: 0, priority_flag: 0 },
    ...{ schedule_delivery_time: '', validity_period: '', registered_delivery: 0, replace_if_present_flag: 0 },
    ...{ data_coding: 0, sm_default_msg_id: 0, tlvs: [] },
    short_message: typeof text === 'string' ? latin1(text) : text,
    ...more,
  };
}

const read = (text: string | Uint8Array, more: Partial<Deliver> = {}, dialect: Partial<ReceiptDialect> = {}) =>
  readReceipt(deliver(text, more), { ...usual, ...dialect });

function receipt(more: object): ReadReceipt {
  const bare = { ids: ['0123456789'], state: 'delivered', error: null, done_at_ms: null, contradiction: null };
  return { kind: 'receipt', ...bare, ...more } as ReadReceipt;
}

const at = (iso: string): number => Date.parse(iso);

const standard =
  'id:0123456789 sub:001 dlvrd:001 submit date:2601151158 done date:2601151200 stat:DELIVRD err:000 text:Hello';

describe('a receipt in text', () => {
  it('is read as appendix B writes it', () => {
    expect(read(standard)).toEqual(receipt({ done_at_ms: at('2026-01-15T12:00:00Z') }));
  });

  it.each([
    ['with fields in another order', 'stat:DELIVRD done date:2601151200 err:000 id:0123456789'],
    ['in lower case', standard.toLowerCase()],
    ['in upper case', standard.toUpperCase()],
    ['without most fields', 'id:0123456789 done date:2601151200 stat:DELIVRD'],
    ['with blanks after the colons', 'id: 0123456789 done date: 2601151200 stat: DELIVRD err: 000 text: Hello'],
    ['with its id in quotes', 'id:"0123456789" done date:2601151200 stat:DELIVRD err:0'],
    ['with its id in single quotes', "id:'0123456789' done date:2601151200 stat:DELIVRD err:0"],
    ['with commas', 'id:0123456789,done date:2601151200,stat:DELIVRD,err:000,text:'],
    ['over several lines', 'id:0123456789\r\ndone\ndate:2601151200\nstat:DELIVRD\nerr:000'],
    ['with underscores', 'id:0123456789 done_date:2601151200 stat:DELIVRD'],
    ['with "Text" and nothing after it', 'id:0123456789 done date:2601151200 stat:DELIVRD err:000 Text:'],
    ['with zeros at the end, as a C string', `${standard}\0`],
  ])('is read %s', (_, text) => {
    expect(read(text)).toEqual(receipt({ done_at_ms: at('2026-01-15T12:00:00Z') }));
  });

  it('is not told anything by what the customer wrote', () => {
    const said = 'text:id:666 stat:REJECTD err:99 done date:2001010000';
    expect(read(`id:1 stat:DELIVRD ${said}`)).toEqual(receipt({ ids: ['1'] }));
    expect(read(`id:1 ${said}`)).toMatchObject({ kind: 'unreadable' });
    expect(read(said)).toMatchObject({ kind: 'unreadable', why: 'The receipt names no message.' });
  });

  it.each([
    ['DELIVRD', 'delivered'],
    ['EXPIRED', 'expired'],
    ['DELETED', 'deleted'],
    ['UNDELIV', 'undeliverable'],
    ['ACCEPTD', 'accepted'],
    ['UNKNOWN', 'unknown'],
    ['REJECTD', 'rejected'],
    ['ENROUTE', 'enroute'],
    ['delivered', 'delivered'],
    ['Failed', 'undeliverable'],
    ['SENT', 'enroute'],
    ['BUFFERED', 'enroute'],
    ['BUFFRED', 'enroute'],
    ['ACKED', 'accepted'],
    ['NOTDLVD', 'undeliverable'],
    ['ABORTED', 'undeliverable'],
    ['REJECTED,', 'rejected'],
  ])('that says %s means %s', (stat, state) => {
    expect(read(`id:1 stat:${stat} err:000`)).toMatchObject({ kind: 'receipt', state });
  });

  it('with a state that nobody has explained ends no text', () => {
    expect(read('id:1 stat:GLORIOUS err:000')).toEqual({
      kind: 'unreadable',
      why: 'The receipt of 1 says stat:GLORIOUS, which is no state that we know.',
    });
    expect(read('id:1 err:000')).toEqual({ kind: 'unreadable', why: 'The receipt of 1 tells no state.' });
    expect(read('id: stat:DELIVRD')).toEqual({ kind: 'unreadable', why: 'The receipt names no message.' });
  });

  it.each([
    ['2601151200', '2026-01-15T12:00:00Z'],
    ['260115120059', '2026-01-15T12:00:59Z'],
    ['20260115120059', '2026-01-15T12:00:59Z'],
    ['202601151200', '2026-01-15T12:00:00Z'],
    ['2026-01-15 12:00:59', '2026-01-15T12:00:59Z'],
    ['26/01/15 12:00', '2026-01-15T12:00:00Z'],
  ])('was done at %s', (date, iso) => {
    expect(read(`id:1 done date:${date} stat:DELIVRD`)).toMatchObject({ done_at_ms: at(iso) });
  });

  it.each(['', '26', '2613151200', '2602301200', '2601152500', '99999999999999', 'yesterday'])(
    'tells no time by "%s"',
    (date) => {
      expect(read(`id:1 done date:${date} stat:DELIVRD`)).toMatchObject({ kind: 'receipt', done_at_ms: null });
    },
  );

  it('tells the time of the carrier’s own zone', () => {
    const text = 'id:1 done date:2601151200 stat:DELIVRD';
    expect(read(text, {}, { utc_offset_minutes: 330 })).toMatchObject({ done_at_ms: at('2026-01-15T06:30:00Z') });
    expect(read(text, {}, { utc_offset_minutes: -480 })).toMatchObject({ done_at_ms: at('2026-01-15T20:00:00Z') });
  });

  it('tells the code of an error, which zeros are not', () => {
    expect(read('id:1 stat:UNDELIV err:27')).toMatchObject({ error: '27' });
    expect(read('id:1 stat:UNDELIV err:21b text:x')).toMatchObject({ error: '21b' });
    expect(read('id:1 stat:UNDELIV err:0000')).toMatchObject({ error: null });
  });

  it('is read in UCS-2, in ASCII that is called UCS-2, and in UCS-2 that is called nothing', () => {
    for (const [octets, data_coding] of [
      [ucs2(standard), 8],
      [latin1(standard), 8],
      [ucs2(standard), 0],
      [latin1(standard), 4],
    ] as const) {
      expect(read(octets, { data_coding })).toMatchObject({ kind: 'receipt', ids: ['0123456789'] });
    }
  });

  it('keeps an id whose characters the GSM alphabet has elsewhere', () => {
    expect(read('id:a_b$c@d stat:DELIVRD')).toMatchObject({ ids: ['a_b$c@d'] });
  });

  it('is read in packed GSM 7, after a user data header, in message_payload and in data_sm', () => {
    const packed = packSeptets(latin1(standard));
    expect(read(packed, {}, { default_alphabet: 'gsm7_packed' })).toMatchObject({ ids: ['0123456789'] });
    const udh = Buffer.concat([Buffer.from([5, 0, 3, 7, 1, 1]), latin1(standard)]);
    expect(read(udh, { esm_class: 0x44 })).toMatchObject({ ids: ['0123456789'] });
    const tlvs = [{ tag: TLV.message_payload, value: latin1(standard) }];
    expect(read('', { tlvs })).toMatchObject({ ids: ['0123456789'] });
    const data_sm = { command: 'data_sm', ...addresses, esm_class: 4, registered_delivery: 0, data_coding: 0 } as const;
    expect(readReceipt({ ...data_sm, tlvs }, usual)).toMatchObject({ ids: ['0123456789'], state: 'delivered' });
  });
});

describe('a receipt in TLVs', () => {
  const id = (value: string): Tlv => tlvText(TLV.receipted_message_id, value);
  const state = (value: number): Tlv => tlvUint8(TLV.message_state, value);
  const network = (kind: number, code: number): Tlv => ({
    tag: TLV.network_error_code,
    value: Uint8Array.of(kind, code >> 8, code),
  });

  it('needs no text', () => {
    expect(read('', { tlvs: [id('77'), state(5), network(3, 301)] })).toEqual(
      receipt({ ids: ['77'], state: 'undeliverable', error: '301' }),
    );
  });

  it.each([
    'enroute',
    'enroute',
    'delivered',
    'expired',
    'deleted',
    'undeliverable',
    'accepted',
    'unknown',
    'rejected',
  ])('means %s by its number', (name) => {
    const number = name === 'enroute' ? [0, 1] : [['delivered', 'expired', 'deleted'].indexOf(name) + 2];
    const numbers = { undeliverable: [5], accepted: [6], unknown: [7], rejected: [8] }[name] ?? number;
    for (const one of numbers) expect(read('', { tlvs: [id('1'), state(one)] })).toMatchObject({ state: name });
  });

  it('is believed where the text says otherwise, and that is told', () => {
    expect(read('id:8 stat:DELIVRD err:1', { tlvs: [id('7'), state(8), network(3, 2)] })).toMatchObject({
      ids: ['7'],
      state: 'rejected',
      error: '2',
      contradiction: 'receipted_message_id is 7, the text says id:8.',
    });
    expect(read('id:7 stat:DELIVRD', { tlvs: [state(8)] })).toMatchObject({
      state: 'rejected',
      contradiction: 'message_state means rejected, the text says delivered.',
    });
  });

  it('leaves to the text what it does not say', () => {
    expect(read('id:7 stat:EXPIRED err:4', { tlvs: [id('7')] })).toEqual(
      receipt({ ids: ['7'], state: 'expired', error: '4' }),
    );
    expect(read('id:7 stat:EXPIRED', { tlvs: [id(''), state(77)] })).toMatchObject({ ids: ['7'], state: 'expired' });
    expect(read('', { tlvs: [id('7'), state(77)] })).toEqual({
      kind: 'unreadable',
      why: 'The receipt of 7 says message_state 77, which no standard has.',
    });
  });

  it('and in text is one number where each has its own notation', () => {
    const both = { tlvs: [id('1A'), state(2)] };
    for (const receipt_id_form of ['hex_then_decimal', 'decimal_then_hex'] as const) {
      expect(read('id:0026 stat:DELIVRD', both, { receipt_id_form })).toEqual(receipt({ ids: ['1a'] }));
    }
    // Its digits alone would be read as decimal; the text tells that they are hex.
    const digits = { tlvs: [id('10'), state(2)] };
    expect(read('id:16 stat:DELIVRD', digits, { receipt_id_form: 'hex_then_decimal' })).toMatchObject({ ids: ['10'] });
    expect(read('id:26 stat:DELIVRD', both, { receipt_id_form: 'any' })).toMatchObject({ ids: ['1a', '26', '38'] });
  });
});

describe('a message', () => {
  const flags = (esm_class: number) => ({ esm_class });

  it('without the flag is a receipt where it has the whole look of one', () => {
    expect(read(standard, flags(0))).toMatchObject({ kind: 'receipt' });
    const tlvs = [tlvText(TLV.receipted_message_id, '7'), tlvUint8(TLV.message_state, 2)];
    expect(read('', { tlvs, ...flags(0) })).toEqual(receipt({ ids: ['7'] }));
  });

  it.each([
    'Hello',
    'My id:7 is done, stat:DELIVRD',
    'id:7 stat:DELIVRD',
    'id:7 stat:GLORIOUS done date:2601151200',
    'Look: id:7 stat:DELIVRD done date:2601151200',
    'text: id:7 stat:DELIVRD done date:2601151200',
    '',
  ])('without the flag is a text where it has not: %s', (text) => {
    expect(read(text, flags(0))).toEqual({ kind: 'no_receipt' });
  });

  it('without the flag is a text where the carrier never forgets it', () => {
    expect(read(standard, flags(0), { unflagged: 'text' })).toEqual({ kind: 'no_receipt' });
    expect(read(standard, flags(4), { unflagged: 'text' })).toMatchObject({ kind: 'receipt' });
  });

  it('that tells of one attempt ends nothing but by delivery', () => {
    expect(read('id:1 stat:UNDELIV err:5', flags(0x20))).toMatchObject({ state: 'enroute', error: '5' });
    expect(read('id:1 stat:DELIVRD', flags(0x20))).toMatchObject({ state: 'delivered' });
    expect(read('id:1 stat:ACCEPTD', flags(0x20))).toMatchObject({ state: 'accepted' });
  });

  it('of an SME that acknowledges means delivery, or is what that SME wrote', () => {
    const tlvs = [tlvText(TLV.receipted_message_id, '7')];
    expect(read('Thank you', { tlvs, ...flags(0x08) })).toEqual(receipt({ ids: ['7'] }));
    expect(read('id:7 stat:REJECTD', flags(0x08))).toMatchObject({ state: 'rejected' });
    expect(read('Thank you', flags(0x08))).toEqual({ kind: 'no_receipt' });
  });

  it('of any octets is one of the three, and never an error', () => {
    const octets = fc.oneof(
      fc.uint8Array({ maxLength: 255 }),
      fc
        .array(fc.constantFrom('id:', 'stat:', 'DELIVRD', ' ', 'done date:', 'err:', 'text:', '\0', '"', '9', 'é'))
        .map((pieces) => latin1(pieces.join(''))),
    );
    const tag = fc.oneof(fc.constantFrom(...Object.values(TLV)), fc.integer({ min: 0, max: 0xffff }));
    const octet = fc.integer({ min: 0, max: 255 });
    const pdu = fc.record({
      short_message: octets,
      esm_class: octet,
      data_coding: octet,
      tlvs: fc.array(fc.record({ tag, value: octets }), { maxLength: 5 }),
    });
    const dialect = fc.record({
      receipt_id_form: fc.constantFrom('same', 'hex_then_decimal', 'decimal_then_hex', 'any' as const),
      default_alphabet: fc.constantFrom('gsm7', 'gsm7_packed', 'latin1', 'ascii' as const),
      utc_offset_minutes: fc.integer({ min: -840, max: 840 }),
      unflagged: fc.constantFrom('receipt', 'text' as const),
    });
    const seen = new Set<string>();
    fc.assert(
      fc.property(pdu, dialect, (fields, spoken) => {
        const answer = readReceipt(deliver('', fields), spoken);
        seen.add(answer.kind);
        if (answer.kind !== 'receipt') return;
        expect(answer.ids.length).toBeGreaterThan(0);
        for (const one of answer.ids)
          expect([one.trim(), one.length > 0, one.includes('\0')]).toEqual([one, true, false]);
      }),
      { numRuns: 5000 },
    );
    expect([...seen].sort()).toEqual(['no_receipt', 'receipt', 'unreadable']);
  });
});
