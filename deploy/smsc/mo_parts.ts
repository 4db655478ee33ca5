import type { ShortMessageBody } from '../../sms-gateway/smpp/pdu.ts';
import { NO_TLVS, TLV, tlvUint16, tlvUint8 } from '../../sms-gateway/smpp/tlv.ts';
import type { Tlv } from '../../sms-gateway/smpp/tlv.ts';
import { toGsm } from './gsm_alphabet.ts';
import type { MoOrder } from './mo_order.ts';

const UDH_INDICATOR = 0x40;
const UCS2 = 0x08;
/** More goes into message_payload. */
const SHORT_MESSAGE_OCTETS_MAX = 254;
/** What the air carries in one part: 140 octets, or 160 characters of seven bits. */
const AIR_OCTETS = 140;
const AIR_SEPTETS = 160;
const PARTS_MAX = 255;
const UDH_OCTETS = { udh8: 6, udh16: 7, sar: 6 } as const;

/** A text as octets that may be cut only between characters. */
interface Coded {
  data_coding: number;
  characters: (readonly number[])[];
}

/**
 * The deliver_sm of an MO, one for each of its parts, the first part first.
 * @throws RangeError when there are more parts than an octet can number.
 */
export function moParts(order: MoOrder, reference: number): ShortMessageBody[] {
  const { parts } = order;
  const coded = codedText(order);
  if (parts === undefined) {
    const udh = order.udh_hex === undefined ? [] : [...Buffer.from(order.udh_hex, 'hex')];
    return [deliverSm(order, coded.data_coding, [...udh, ...coded.characters.flat()], udh.length > 0, NO_TLVS)];
  }
  const texts = split(coded.characters, order.part_octets_max ?? partOctets(coded.data_coding, UDH_OCTETS[parts]));
  if (texts.length > PARTS_MAX)
    throw new RangeError(`The text has ${texts.length} parts, and no more than 255 can be.`);
  return texts.map((text, index) => {
    const of = texts.length;
    const part = index + 1;
    if (parts === 'sar') return deliverSm(order, coded.data_coding, text, false, sarTlvs(reference, of, part));
    const udh =
      parts === 'udh8'
        ? [5, 0x00, 3, reference & 0xff, of, part]
        : [6, 0x08, 4, reference >>> 8, reference & 0xff, of, part];
    return deliverSm(order, coded.data_coding, [...udh, ...text], true, NO_TLVS);
  });
}

function codedText({ text, octets_hex, data_coding }: MoOrder): Coded {
  if (text === undefined) {
    const characters = Array.from(Buffer.from(octets_hex ?? '', 'hex'), (octet) => [octet]);
    return { data_coding: data_coding ?? 0, characters };
  }
  const gsm = data_coding === undefined || data_coding === 0 ? toGsm(text) : null;
  if (gsm !== null) return { data_coding: 0, characters: gsm };
  if (data_coding === 1 || data_coding === 3) {
    return { data_coding, characters: Array.from(text, (character) => [character.charCodeAt(0) & 0xff]) };
  }
  const characters = Array.from(text, (character) => [...Buffer.from(character, 'utf16le').swap16()]);
  return { data_coding: data_coding ?? UCS2, characters };
}

/** Text octets beside a UDH: of the default alphabet they are septets on the air. */
function partOctets(data_coding: number, udh_octets: number): number {
  if (data_coding === 0) return AIR_SEPTETS - Math.ceil((udh_octets * 8) / 7);
  return AIR_OCTETS - udh_octets;
}

function split(characters: readonly (readonly number[])[], octets_max: number): number[][] {
  const parts: number[][] = [];
  let part: number[] = [];
  for (const character of characters) {
    if (part.length + character.length > octets_max) {
      parts.push(part);
      part = [];
    }
    part.push(...character);
  }
  return [...parts, part];
}

function sarTlvs(reference: number, of: number, part: number): Tlv[] {
  return [
    tlvUint16(TLV.sar_msg_ref_num, reference),
    tlvUint8(TLV.sar_total_segments, of),
    tlvUint8(TLV.sar_segment_seqnum, part),
  ];
}

function deliverSm(
  order: MoOrder,
  data_coding: number,
  octets: readonly number[],
  has_udh: boolean,
  tlvs: readonly Tlv[],
): ShortMessageBody {
  const from = addressOf(order.from, order.from_ton);
  const to = addressOf(order.to, order.to_ton);
  const bytes = Buffer.from(octets);
  const is_long = bytes.length > SHORT_MESSAGE_OCTETS_MAX;
  return {
    command: 'deliver_sm',
    service_type: '',
    source_addr_ton: from.ton,
    source_addr_npi: from.npi,
    source_addr: from.address,
    dest_addr_ton: to.ton,
    dest_addr_npi: to.npi,
    destination_addr: to.address,
    esm_class: has_udh ? UDH_INDICATOR : 0,
    protocol_id: 0,
    priority_flag: 0,
    schedule_delivery_time: '',
    validity_period: '',
    registered_delivery: 0,
    replace_if_present_flag: 0,
    data_coding,
    sm_default_msg_id: 0,
    short_message: is_long ? Buffer.alloc(0) : bytes,
    tlvs: is_long ? [...tlvs, { tag: TLV.message_payload, value: bytes }] : tlvs,
  };
}

function addressOf(given: string, ton: number | undefined): { address: string; ton: number; npi: number } {
  if (ton !== undefined) return { address: given, ton, npi: ton === 5 ? 0 : 1 };
  if (/^\+\d+$/u.test(given)) return { address: given.slice(1), ton: 1, npi: 1 };
  if (/^\d+$/u.test(given)) return { address: given, ton: 3, npi: 0 };
  return { address: given, ton: 5, npi: 0 };
}
