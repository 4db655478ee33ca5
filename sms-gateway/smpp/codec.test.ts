import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, decodeWhole } from './decode.ts';
import { encode, writePdu } from './encode.ts';
import { EncodeError, OctetWriter } from './octet_writer.ts';
import type { Pdu, PduBody } from './pdu.ts';
import { STATUS } from './status.ts';
import { arbitraryPdu } from './testing/arbitrary_pdu.ts';
import { sampleBind, sampleSubmitSm } from './testing/sample.ts';
import { findTlv, findTlvNumber, findTlvText, TLV, tlvText, tlvUint16 } from './tlv.ts';

function decoded(octets: Buffer): Pdu {
  const answer = decodeWhole(octets);
  if (answer.kind === 'malformed') throw new Error(answer.why);
  return answer.pdu;
}

function withHeader(body: PduBody): Pdu {
  return { ...body, command_status: 0, sequence_number: 7 };
}

/** The octets of a PDU by hand: a body in hex or latin1 behind a right header. */
function rawPdu(command_id: number, body: Buffer | string, command_status = 0): Buffer {
  const content = Buffer.from(body as string, 'latin1');
  const octets = Buffer.alloc(16 + content.length);
  octets.writeUInt32BE(octets.length, 0);
  octets.writeUInt32BE(command_id, 4);
  octets.writeUInt32BE(command_status, 8);
  octets.writeUInt32BE(7, 12);
  content.copy(octets, 16);
  return octets;
}

describe('the codec', () => {
  it('reads back every PDU that it writes, TLVs in their order, unknown ones too', () => {
    fc.assert(
      fc.property(arbitraryPdu, (pdu) => {
        expect(decoded(encode(pdu))).toEqual(pdu);
      }),
      { numRuns: 700 },
    );
  });

  it('writes what it has read byte for byte', () => {
    fc.assert(
      fc.property(arbitraryPdu, fc.integer({ min: 0, max: 40 }), (pdu, before) => {
        const octets = encode(pdu);
        const amid = Buffer.concat([Buffer.alloc(before, 1), octets, Buffer.alloc(9, 2)]);
        const answer = decode(amid, before, before + octets.length);
        expect(answer.kind === 'pdu' ? encode(answer.pdu).toString('hex') : answer).toBe(octets.toString('hex'));
      }),
      { numRuns: 2_000 },
    );
  });

  it('never throws, whatever the bytes, and writes again what it took for a request', () => {
    const mutation = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 });
    fc.assert(
      fc.property(arbitraryPdu, mutation, fc.nat(60), (pdu, changes, cut) => {
        const octets = encode(pdu);
        for (const [at, value] of changes) octets[4 + (at % (octets.length - 4))] = value;
        const end = Math.max(0, octets.length - (cut < 30 ? 0 : cut - 30));
        const answer = decode(octets, 0, end);
        if (answer.kind === 'malformed' || answer.pdu.command.endsWith('_resp')) return;
        if (answer.pdu.command === 'generic_nack') return;
        const again = encode(answer.pdu);
        expect(again.subarray(4).toString('hex')).toBe(octets.subarray(4, end).toString('hex'));
      }),
      { numRuns: 5_000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decode(Buffer.from(bytes), 0, bytes.length);
      }),
      { numRuns: 5_000 },
    );
  });

  it('writes a submit_sm as section 4.4 lays it out', () => {
    const body = sampleSubmitSm({ tlvs: [tlvUint16(TLV.user_message_reference, 0x1234)] });
    expect(encode(withHeader(body)).toString('hex')).toBe(
      [
        '0000003f 00000004 00000000 00000007',
        '00',
        '05 00 4c6574736469616c00',
        '01 01 333633303132333435363700',
        '00 00 00 00 00 01 00 00 00',
        '05 68656c6c6f',
        '0204 0002 1234',
      ]
        .join('')
        .replaceAll(' ', ''),
    );
  });

  it('grows its buffer, and leaves it as it was when a PDU cannot be written', () => {
    const writer = new OctetWriter(16);
    writePdu(writer, sampleSubmitSm(), 0, 1);
    const length_octets = writer.length_octets;
    const long = sampleSubmitSm({ tlvs: [{ tag: TLV.message_payload, value: Buffer.alloc(60_000, 7) }] });
    writePdu(writer, long, 0, 2);
    const second_octets = writer.octets.readUInt32BE(length_octets);
    expect(writer.length_octets).toBe(length_octets + second_octets);
    expect(() => writePdu(writer, sampleSubmitSm({ source_addr: 'x'.repeat(21) }), 0, 3)).toThrow(EncodeError);
    expect(writer.length_octets).toBe(length_octets + second_octets);
    const second = decode(writer.octets, length_octets, writer.length_octets);
    const [payload] = second.kind === 'pdu' ? second.pdu.tlvs : [];
    expect(Buffer.alloc(60_000, 7).equals(payload?.value ?? Buffer.alloc(0))).toBe(true);
  });
});

describe('what does not fit a field', () => {
  it.each<[string, PduBody]>([
    ['service_type', sampleSubmitSm({ service_type: 'sixsix' })],
    ['source_addr', sampleSubmitSm({ source_addr: 'x'.repeat(21) })],
    ['destination_addr', sampleSubmitSm({ destination_addr: '1'.repeat(21) })],
    ['validity_period', sampleSubmitSm({ validity_period: '1'.repeat(17) })],
    ['schedule_delivery_time', sampleSubmitSm({ schedule_delivery_time: '1'.repeat(17) })],
    ['short_message', sampleSubmitSm({ short_message: Buffer.alloc(256) })],
    ['source_addr', sampleSubmitSm({ source_addr: 'ő' })],
    ['source_addr', sampleSubmitSm({ source_addr: 'a\0b' })],
    ['data_coding', sampleSubmitSm({ data_coding: 256 })],
    ['esm_class', sampleSubmitSm({ esm_class: -1 })],
    ['protocol_id', sampleSubmitSm({ protocol_id: 0.5 })],
    ['priority_flag', sampleSubmitSm({ priority_flag: Number.NaN })],
    ['tlv tag', sampleSubmitSm({ tlvs: [{ tag: 0x10000, value: Buffer.alloc(0) }] })],
    ['tlv value', sampleSubmitSm({ tlvs: [{ tag: 1, value: Buffer.alloc(0x10000) }] })],
    ['source_addr', { ...sampleSubmitSm(), command: 'data_sm', source_addr: 'x'.repeat(65) }],
    ['password', sampleBind({ password: 'ninechars' })],
    ['system_id', sampleBind({ system_id: 'x'.repeat(16) })],
    ['system_type', sampleBind({ system_type: 'x'.repeat(13) })],
    ['address_range', sampleBind({ address_range: 'x'.repeat(41) })],
    ['message_id', { command: 'submit_sm_resp', message_id: 'x'.repeat(65), tlvs: [] }],
    ['tlvs', { command: 'submit_sm_resp', message_id: null, tlvs: [tlvUint16(1, 1)] }],
  ])('is refused by the name of %s', (field, body) => {
    let caught: unknown;
    try {
      encode(withHeader(body));
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(EncodeError);
    expect(caught).toMatchObject({ field });
  });

  it.each([0, 255])('is a submit_multi to %i addresses', (count) => {
    const { short_message, ...rest } = sampleSubmitSm();
    const dest_addresses = Array.from({ length: count }, () => ({ dest_flag: 2 as const, dl_name: 'list' }));
    const body: PduBody = { ...rest, command: 'submit_multi', dest_addresses, short_message };
    expect(() => encode(withHeader(body))).toThrow(/dest_addresses/u);
  });
});

describe('a request that cannot be read', () => {
  const head = '\0\x05\0Letsdial\0\x01\x0136301234567\0';
  it.each<[string, Buffer, number]>([
    ['an unknown command', rawPdu(0x00000111, ''), STATUS.ESME_RINVCMDID],
    ['an unknown response', rawPdu(0x80000111, ''), STATUS.ESME_RINVCMDID],
    ['a service_type of six', rawPdu(4, `sixsix${head}`), STATUS.ESME_RINVSERTYP],
    ['a long source address', rawPdu(4, `\0\x05\0${'x'.repeat(21)}\0`), STATUS.ESME_RINVSRCADR],
    ['a long destination', rawPdu(4, `\0\x05\0x\0\x01\x01${'1'.repeat(21)}\0`), STATUS.ESME_RINVDSTADR],
    ['a string that does not end', rawPdu(4, '\0\x05\0Lets'), STATUS.ESME_RINVPARLEN],
    ['a body that ends early', rawPdu(4, head), STATUS.ESME_RINVPARLEN],
    ['sm_length past the end', rawPdu(4, `${head}\0\0\0\0\0\0\0\0\0\x06hello`), STATUS.ESME_RINVMSGLEN],
    ['half a TLV', rawPdu(4, `${head}\0\0\0\0\0\0\0\0\0\x05hello\x02\x04\0`), STATUS.ESME_RINVTLVSTREAM],
    ['a TLV past the end', rawPdu(4, `${head}\0\0\0\0\0\0\0\0\0\x05hello\x02\x04\0\x03ab`), STATUS.ESME_RINVTLVSTREAM],
    ['no destinations', rawPdu(0x21, '\0\x05\0x\0\0'), STATUS.ESME_RINVNUMDESTS],
    ['255 destinations', rawPdu(0x21, '\0\x05\0x\0\xff'), STATUS.ESME_RINVNUMDESTS],
    ['a destination of no kind', rawPdu(0x21, '\0\x05\0x\0\x01\x03'), STATUS.ESME_RINVDESTFLAG],
    ['a long password', rawPdu(9, 'me\0ninechars\0\0\x34\0\0\0'), STATUS.ESME_RINVPASWD],
    ['a length that does not agree', Buffer.concat([rawPdu(0x15, ''), Buffer.alloc(1)]), STATUS.ESME_RINVCMDLEN],
    ['less than a header', Buffer.alloc(15), STATUS.ESME_RINVCMDLEN],
  ])('with %s is named by its status', (_, octets, status) => {
    expect(decodeWhole(octets)).toMatchObject({ kind: 'malformed', status });
  });

  it('keeps what an answer needs', () => {
    expect(decodeWhole(rawPdu(4, ''))).toMatchObject({ command_id: 4, sequence_number: 7, command_status: 0 });
    expect(decodeWhole(rawPdu(0x80000111, ''))).toMatchObject({ command_id: 0x80000111 });
  });
});

describe('a response', () => {
  it.each<[string, Buffer, object]>([
    ['has no body with an error', rawPdu(0x80000004, '', 0x58), { message_id: null, command_status: 0x58 }],
    ['has no body without one', rawPdu(0x80000004, ''), { message_id: null }],
    ['lacks the NUL of its message id', rawPdu(0x80000004, 'abc'), { message_id: 'abc' }],
    ['has a message id of 100 characters', rawPdu(0x80000004, `${'i'.repeat(100)}\0`), { message_id: 'i'.repeat(100) }],
    ['ends in half a TLV', rawPdu(0x80000004, 'abc\0\x04'), { message_id: 'abc', tlvs: [] }],
    ['ends in a TLV that is longer', rawPdu(0x80000004, 'abc\0\x04\x24\0\x05x'), { message_id: 'abc', tlvs: [] }],
    ['refuses a bind without a body', rawPdu(0x80000009, '', 0x0e), { system_id: null, command_status: 0x0e }],
    ['lacks the NUL of its system id', rawPdu(0x80000009, 'smsc'), { system_id: 'smsc' }],
    ['of submit_multi has nonsense and an error', rawPdu(0x80000021, 'abc\0\x09', 8), { message_id: null }],
    ['of query_sm has nonsense and an error', rawPdu(0x80000003, 'abc\0', 8), { message_id: null }],
  ])('is read although it %s', (_, octets, expected) => {
    expect(decoded(octets)).toMatchObject(expected);
  });

  it.each([
    ['query_sm', rawPdu(0x80000003, 'abc\0')],
    ['submit_multi', rawPdu(0x80000021, 'abc\0\x01\x01\x01123\0')],
  ])('to %s that is cut is malformed', (_, octets) => {
    expect(decodeWhole(octets)).toMatchObject({ kind: 'malformed', status: STATUS.ESME_RINVPARLEN });
  });
});

describe('TLVs', () => {
  const tlvs = [
    tlvText(TLV.receipted_message_id, 'a1'),
    tlvUint16(0x1400, 0x8001),
    { tag: 0x1401, value: Buffer.alloc(0) },
  ];

  it('are found by tag as octets, number or text', () => {
    expect(findTlv(tlvs, TLV.message_state)).toBeNull();
    expect(findTlvText(tlvs, TLV.receipted_message_id)).toBe('a1');
    expect(findTlvText([{ tag: 0x1e, value: Buffer.from('a1') }], TLV.receipted_message_id)).toBe('a1');
    expect(findTlvNumber(tlvs, 0x1400)).toBe(0x8001);
    expect(findTlvNumber(tlvs, 0x1401)).toBeNull();
    expect(findTlvNumber([{ tag: 1, value: Buffer.alloc(4, 0xff) }], 1)).toBe(0xffffffff);
  });
});
