import { decodeText } from '../../domain/texts/encoding/decode_text.ts';
import type { NationalLanguage } from '../../domain/texts/encoding/national_language.ts';
import { encodeAsCounted, nationalLanguageOf, needsNationalTables } from '../../domain/texts/encoding/national_text.ts';
import { segmentUdh } from '../../domain/texts/encoding/segment.ts';
import type { Segmented } from '../../domain/texts/encoding/segment.ts';
import { encodeRaw } from '../../domain/texts/encoding/raw_text.ts';
import { packSeptets } from '../../domain/texts/encoding/septets.ts';
import type { ShortMessageBody } from '../smpp/pdu.ts';
import { smppPeriod } from '../smpp/smpp_period.ts';
import { NO_TLVS } from '../smpp/tlv.ts';
import { readRawBody } from '../accept/raw_body.ts';

/** How a bind wants addresses to be written: types of number, numbering plans, and whether a number has its plus. */
export interface AddressDialect {
  number_ton: number;
  number_npi: number;
  short_code_ton: number;
  short_code_npi: number;
  name_ton: number;
  name_npi: number;
  plus_sign: boolean;
}

/** What a bind wants of the PDUs that it is sent. */
export interface SubmitDialect extends AddressDialect {
  default_alphabet: 'gsm7' | 'gsm7_packed' | 'latin1' | 'ascii';
  /** Whose shift tables it passes on to handsets. */
  national_languages: readonly NationalLanguage[];
  recipient_ton: number;
  recipient_npi: number;
  sends_validity: boolean;
}

export interface SubmittedText {
  message_id: string;
  sender: string;
  recipient: string;
  body: string;
  encoding: 'gsm7' | 'ucs2' | 'binary';
  segments: number;
  valid_until_ms: number;
}

/** As we write them to customers, and to carriers that want nothing else (SMPP 3.4, 5.2.5 and 5.2.6). */
export const PLAIN_ADDRESSES: AddressDialect = {
  ...{ number_ton: 1, number_npi: 1, short_code_ton: 3, short_code_npi: 0, name_ton: 5, name_npi: 0, plus_sign: false },
};

const UDH_INDICATOR = 0x40;
const RECEIPT_ALWAYS = 1;
const DATA_CODING = { gsm7: 0, ucs2: 8, binary: 4 } as const;

/** 255 is more than any text that was accepted has: what was counted then is sent now. */
const AS_ACCEPTED = { segments_max: 255 };

/** How often the parts of a text are made anew is little; what they are made of is kept by whoever sends them. */
export interface EncodedParts {
  text: Segmented;
  data_coding: number;
  reference: number;
}

/** The parts of a text for the air. The reference that ties them together comes from the id, so that it is the same in a retry. */
export function encodeParts({ message_id, body, encoding, segments }: SubmittedText): EncodedParts {
  const reference = Number.parseInt(message_id.slice(-4), 16);
  if (encoding === 'binary') {
    const raw = readRawBody(body);
    const cut = encodeRaw(raw.data_coding, raw.octets, raw.has_udh, AS_ACCEPTED);
    if (cut.kind !== 'raw')
      throw new Error(`Text ${message_id} was accepted and cannot be cut into parts: ${cut.kind}.`);
    return { text: cut, data_coding: cut.data_coding, reference };
  }
  const text = encodeAsCounted(body, encoding, segments);
  if (text.kind !== 'encoded') throw new Error(`Text ${message_id} was accepted and has ${text.segments} segments.`);
  return { text, data_coding: DATA_CODING[text.encoding], reference };
}

/**
 * The submit_sm of part 1, 2, … of a text. A receipt is always asked for: it is what quality is measured by. The carrier is told how
 * long it is worth delivering: a login code that comes the next day helps nobody.
 */
export function submitBody(
  { sender, recipient, valid_until_ms }: Pick<SubmittedText, 'sender' | 'recipient' | 'valid_until_ms'>,
  { text, data_coding, reference }: EncodedParts,
  part_no: number,
  dialect: SubmitDialect,
  now_ms: number,
): ShortMessageBody & { command: 'submit_sm' } {
  const source = addressOf(sender, dialect);
  const udh = segmentUdh(text, part_no, reference);
  const segment = text.segments[part_no - 1];
  if (segment === undefined) throw new RangeError(`A text of ${text.segments.length} parts has no part ${part_no}.`);
  return {
    command: 'submit_sm',
    service_type: '',
    source_addr_ton: source.ton,
    source_addr_npi: source.npi,
    source_addr: source.address,
    dest_addr_ton: dialect.recipient_ton,
    dest_addr_npi: dialect.recipient_npi,
    destination_addr: dialect.plus_sign ? recipient : recipient.slice(1),
    esm_class: udh.length === 0 ? 0 : UDH_INDICATOR,
    protocol_id: 0,
    priority_flag: 0,
    schedule_delivery_time: '',
    validity_period: dialect.sends_validity ? smppPeriod(valid_until_ms - now_ms) : '',
    registered_delivery: RECEIPT_ALWAYS,
    replace_if_present_flag: 0,
    data_coding,
    sm_default_msg_id: 0,
    short_message: userData(udh, payloadFor(text, segment.payload, dialect.default_alphabet, udh.length)),
    tlvs: NO_TLVS,
  };
}

function userData(udh: Uint8Array, payload: Uint8Array): Uint8Array {
  if (udh.length === 0) return payload;
  const joined = new Uint8Array(udh.length + payload.length);
  joined.set(udh);
  joined.set(payload, udh.length);
  return joined;
}

function payloadFor(
  { encoding }: Segmented,
  payload: Uint8Array,
  default_alphabet: SubmitDialect['default_alphabet'],
  udh_length_octets: number,
): Uint8Array {
  if (encoding !== 'gsm7' || default_alphabet === 'gsm7') return payload;
  if (default_alphabet === 'gsm7_packed') {
    const fill_bits = (7 - ((udh_length_octets * 8) % 7)) % 7;
    return packSeptets(payload, fill_bits);
  }
  const decoded = decodeText(payload, DATA_CODING.gsm7);
  return decoded.kind === 'text' ? Buffer.from(decoded.text, 'latin1') : payload;
}

/** Whether a bind can carry the text without changing a character of it, in as many segments as it was counted as. */
export function canCarry(
  { body, encoding, segments }: Pick<SubmittedText, 'body' | 'encoding' | 'segments'>,
  { default_alphabet, national_languages }: Pick<SubmitDialect, 'default_alphabet' | 'national_languages'>,
): boolean {
  if (encoding === 'ucs2') return true;
  if (default_alphabet === 'gsm7' || default_alphabet === 'gsm7_packed') {
    if (encoding === 'binary' || !needsNationalTables(body)) return true;
    const language = nationalLanguageOf(body, segments);
    return language !== null && national_languages.includes(language);
  }
  const highest = default_alphabet === 'latin1' ? 0xff : 0x7f;
  const words = encoding === 'binary' ? wordsOfRaw(body) : body;
  for (let at = 0; at < words.length; at += 1) if (words.charCodeAt(at) > highest) return false;
  return true;
}

/** What a text that its customer encoded, and split, says in the default alphabet of handsets; nothing where it is in no alphabet. */
function wordsOfRaw(body: string): string {
  const { data_coding, octets, has_udh } = readRawBody(body);
  const cut = encodeRaw(data_coding, octets, has_udh, AS_ACCEPTED);
  if (cut.kind !== 'raw' || cut.encoding !== 'gsm7') return '';
  const decoded = cut.segments.map(({ payload }) => decodeText(payload, DATA_CODING.gsm7));
  return decoded.map((one) => (one.kind === 'text' ? one.text : '')).join('');
}

/** A sender as SMPP writes it: a number, a short code or a name. */
export function addressOf(sender: string, dialect: AddressDialect): { ton: number; npi: number; address: string } {
  if (sender.startsWith('+')) {
    const address = dialect.plus_sign ? sender : sender.slice(1);
    return { ton: dialect.number_ton, npi: dialect.number_npi, address };
  }
  if (/^[0-9]{3,8}$/u.test(sender)) {
    return { ton: dialect.short_code_ton, npi: dialect.short_code_npi, address: sender };
  }
  return { ton: dialect.name_ton, npi: dialect.name_npi, address: sender };
}
