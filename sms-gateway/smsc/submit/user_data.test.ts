import { describe, expect, it } from 'vitest';
import { parseUdh } from '../../../domain/texts/encoding/udh.ts';
import { TLV, tlvUint16, tlvUint8 } from '../../smpp/tlv.ts';
import { readDataCoding, readUserData } from './user_data.ts';

const of = (...octets: number[]): Uint8Array => Uint8Array.from(octets);
const sar = (reference: number, total: number, part: number) => [
  tlvUint16(TLV.sar_msg_ref_num, reference),
  tlvUint8(TLV.sar_total_segments, total),
  tlvUint8(TLV.sar_segment_seqnum, part),
];

describe('what a PDU carries', () => {
  it('is its short_message, or its message_payload', () => {
    expect(readUserData(0, of(1, 2), [])).toEqual({ octets: of(1, 2), has_udh: false });
    const payload = [{ tag: TLV.message_payload, value: of(3) }];
    expect(readUserData(0, of(), payload)).toEqual({ octets: of(3), has_udh: false });
    expect(readUserData(0x40, null, payload)).toEqual({ octets: of(3), has_udh: true });
    expect(readUserData(0, of(1), payload)).toBeNull();
    expect(readUserData(0, null, [])).toEqual({ octets: of(), has_udh: false });
  });

  it('is a part of a text where the SAR TLVs say so', () => {
    const data = readUserData(0, of(0x61), sar(0x1234, 3, 2));
    expect(data).toEqual({ octets: of(5, 0, 3, 0x34, 3, 2, 0x61), has_udh: true });
    const udh = parseUdh(data?.octets ?? of());
    expect(udh).toMatchObject({ concat: { reference: 0x34, total: 3, part: 2 } });
  });

  it.each([
    ['one part is the whole', sar(1, 1, 1)],
    ['no part is number 0', sar(1, 3, 0)],
    ['no part is beyond the last', sar(1, 3, 4)],
    ['without a number of parts', sar(1, 3, 2).slice(0, 2)],
  ])('is no part: %s', (_why, tlvs) => {
    expect(readUserData(0, of(0x61), tlvs)).toEqual({ octets: of(0x61), has_udh: false });
  });

  it('keeps the header that it has', () => {
    const octets = of(5, 0, 3, 9, 2, 1, 0x61);
    expect(readUserData(0x40, octets, sar(1, 3, 2))).toEqual({ octets, has_udh: true });
  });

  it('goes to a port where the TLVs say so', () => {
    const ports = [tlvUint16(TLV.destination_port, 0x0b84), tlvUint16(TLV.source_port, 0x23f0)];
    const data = readUserData(0, of(0x61), ports);
    expect(parseUdh(data?.octets ?? of())).toMatchObject({ ports: { destination: 0x0b84, originator: 0x23f0 } });
  });
});

describe('the alphabet of a text', () => {
  it.each([
    ['ASCII', 1, of(0x41, 0x40, 0x0d, 0x0a, 0x09, 0x5f), false, 1],
    ['an @ of GSM 7', 1, of(0x41, 0x00), false, 0],
    ['a euro sign of GSM 7', 1, of(0x1b, 0x65), false, 0],
    ['ASCII behind a header', 1, of(2, 0x24, 0, 0x41), true, 1],
    ['GSM 7 behind a header', 1, of(2, 0x24, 0, 0x00), true, 0],
    ['what says that it is Latin-1', 3, of(0x00), false, 3],
  ])('is seen by what ASCII does not have: %s', (_what, data_coding, octets, has_udh, expected) => {
    expect(readDataCoding(data_coding, { octets, has_udh })).toBe(expected);
  });
});
