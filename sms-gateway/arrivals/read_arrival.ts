import { decodeParts } from '../../domain/texts/encoding/decode_text.ts';
import type { DefaultAlphabet } from '../../domain/texts/encoding/data_coding.ts';
import { parseUdh } from '../../domain/texts/encoding/udh.ts';
import { parseDialled } from '../../domain/numbers/dialled.ts';
import type { DataSmBody, ShortMessageBody } from '../smpp/pdu.ts';
import { findTlv, findTlvNumber, TLV } from '../smpp/tlv.ts';

export type Delivery = (ShortMessageBody & { command: 'deliver_sm' }) | DataSmBody;

/** One short message as it came in, before its parts are together. */
export interface ArrivedPart {
  sender: string;
  recipient: string;
  data_coding: number;
  has_udh: boolean;
  /** With its header. */
  octets: Uint8Array;
  /** Null for one that is a whole text. */
  concatenation: { reference: number; part_count: number; part_no: number } | null;
}

const HAS_UDH = 0x40;
const INTERNATIONAL = 1;
const NATIONAL = 2;
const ALPHANUMERIC = 5;
/** A number without a type that is longer than a short code is taken to be international: carriers leave the type out. */
const SHORT_CODE_DIGITS_MAX = 6;

/**
 * Reads what a carrier delivers that is no receipt. Never throws.
 * @param home_country in which the carrier's numbers are dialled where it writes them without their country; null: it never does.
 */
export function readArrival(pdu: Delivery, home_country: string | null): ArrivedPart {
  const has_udh = (pdu.esm_class & HAS_UDH) !== 0;
  const octets = findTlv(pdu.tlvs, TLV.message_payload) ?? (pdu.command === 'deliver_sm' ? pdu.short_message : EMPTY);
  return {
    sender: addressOf(pdu.source_addr, pdu.source_addr_ton, home_country),
    recipient: addressOf(pdu.destination_addr, pdu.dest_addr_ton, home_country),
    data_coding: pdu.data_coding,
    has_udh,
    octets,
    concatenation: concatenationOf(pdu, has_udh ? octets : null),
  };
}

const EMPTY = new Uint8Array(0);

function concatenationOf(pdu: Delivery, with_udh: Uint8Array | null): ArrivedPart['concatenation'] {
  const udh = with_udh === null ? null : parseUdh(with_udh);
  if (udh !== null && udh.kind !== 'malformed_udh' && udh.concat !== null) {
    return udh.concat.total < 2
      ? null
      : { reference: udh.concat.reference, part_count: udh.concat.total, part_no: udh.concat.part };
  }
  const reference = findTlvNumber(pdu.tlvs, TLV.sar_msg_ref_num);
  const part_count = findTlvNumber(pdu.tlvs, TLV.sar_total_segments);
  const part_no = findTlvNumber(pdu.tlvs, TLV.sar_segment_seqnum);
  if (reference === null || part_count === null || part_no === null) return null;
  if (part_count < 2 || part_count > 255 || part_no < 1 || part_no > part_count) return null;
  // It should have two octets, and some send four: stored with a sign, it still tells one text from another.
  return { reference: reference | 0, part_count, part_no };
}

function addressOf(address: string, ton: number, home_country: string | null): string {
  const plain = address.trim();
  if (plain === '') return 'unknown';
  if (ton === ALPHANUMERIC || !/^\+?[0-9]+$/u.test(plain)) return plain.slice(0, 21);
  // No international number begins with a single 0. Were it taken for one, nobody would hold it, and its STOP would be somebody else's.
  if (home_country !== null && (ton === NATIONAL || (ton !== INTERNATIONAL && /^0[^0]/u.test(plain)))) {
    const dialled = parseDialled(plain, home_country);
    if (dialled.kind === 'e164') return dialled.number;
  }
  const digits = plain.replace(/^\+/u, '').replace(/^00/u, '');
  // Nothing but what stands before a number abroad.
  if (digits === '') return plain;
  return ton === INTERNATIONAL || plain.startsWith('+') || digits.length > SHORT_CODE_DIGITS_MAX
    ? `+${digits}`.slice(0, 21)
    : digits;
}

/** What stands where a part never came. */
const GAP = '[…]';

export interface JoinedText {
  body: string;
  encoding: 'gsm7' | 'ucs2' | 'binary';
}

/** The text of parts in their order, null where one never came; any alphabet becomes well-formed Unicode. */
export function joinParts(
  parts: readonly (Pick<ArrivedPart, 'data_coding' | 'has_udh' | 'octets'> | null)[],
  default_alphabet: DefaultAlphabet,
): JoinedText {
  const runs = runsOf(parts);
  const texts = runs.map((run) => (run === null ? GAP : decodeRun(run, default_alphabet)));
  const first = parts.find((part) => part !== null);
  return { body: texts.join(''), encoding: first === undefined ? 'gsm7' : encodingOf(first.data_coding) };
}

type Part = Pick<ArrivedPart, 'data_coding' | 'has_udh' | 'octets'>;

/** Parts that follow each other without a gap: characters may be split between them, so they are decoded together. */
function runsOf(parts: readonly (Part | null)[]): (Part[] | null)[] {
  const runs: (Part[] | null)[] = [];
  for (const part of parts) {
    const last = runs.at(-1);
    if (part === null) {
      if (last !== null || runs.length === 0) runs.push(null);
    } else if (last === undefined || last === null) runs.push([part]);
    else last.push(part);
  }
  return runs;
}

function decodeRun(run: readonly Part[], default_alphabet: DefaultAlphabet): string {
  const decoded = decodeParts(
    run.map(({ octets, has_udh }) => {
      const udh = has_udh ? parseUdh(octets) : null;
      const header = udh === null || udh.kind === 'malformed_udh' ? null : udh;
      return { octets: octets.subarray(header?.header_length_octets ?? 0), udh: header };
    }),
    run[0]?.data_coding ?? 0,
    { default_alphabet },
  );
  return decoded.kind === 'text' ? decoded.text : decoded.hex;
}

function encodingOf(data_coding: number): JoinedText['encoding'] {
  if (data_coding === 2 || data_coding === 4) return 'binary';
  return data_coding === 8 || (data_coding & 0xec) === 0x08 ? 'ucs2' : 'gsm7';
}
