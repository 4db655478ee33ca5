import { type Charset, type DefaultAlphabet, resolvedAlphabet } from './data_coding.ts';
import { ESCAPE } from './gsm7_tables.ts';
import { plainShift, septetCharacters, type SeptetCharacters } from './septet_codes.ts';
import { fillBits, unpackSeptets } from './septets.ts';
import type { Udh } from './udh.ts';

/** What octets say: a text, or octets that are none, in lower-case hexadecimal. */
export type DecodedText =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'binary'; readonly hex: string };

export type DecodingOptions = {
  /** Unpacked GSM 7 where it is not said. */
  readonly default_alphabet?: DefaultAlphabet;
  /** For the few carriers whose UCS-2 is the wrong way round. Not where it is not said. */
  readonly ucs2_little_endian?: boolean;
};

/** The user data of one short message, without its header, which says what the national tables and the fill bits are. */
export type UserData = { readonly octets: Uint8Array; readonly udh: Udh | null };

/**
 * Decodes the user data of a short message; any octets make a well-formed text, and none throws. What an alphabet does
 * not know is U+FFFD. Control characters other than CR and LF are removed, as they are padding or a trap for what shows
 * the text; but a tab becomes a space, and a page break (form feed) or vertical tab a line feed. An odd last octet of UCS-2
 * is dropped, and so is a byte order mark at the beginning.
 */
export function decodeText(
  octets: Uint8Array,
  data_coding: number,
  udh: Udh | null = null,
  options: DecodingOptions = {},
): DecodedText {
  return decodeParts([{ octets, udh }], data_coding, options);
}

/**
 * Decodes the parts of one text, in their order. They are joined before they are read, since other senders split surrogate
 * pairs, escape sequences and double octets between parts.
 */
export function decodeParts(
  parts: readonly UserData[],
  data_coding: number,
  options: DecodingOptions = {},
): DecodedText {
  const alphabet = resolvedAlphabet(data_coding, options.default_alphabet ?? 'gsm7');
  switch (alphabet) {
    case 'gsm7':
    case 'gsm7_packed':
      return textOf(gsm7Text(parts, alphabet === 'gsm7_packed'));
    case 'ucs2':
      return textOf(ucs2Text(joined(parts), options.ucs2_little_endian === true));
    case 'binary':
      return { kind: 'binary', hex: hexOf(joined(parts)) };
    default:
      return textOf(charsetText(joined(parts), alphabet));
  }
}

function textOf(text: string): DecodedText {
  return { kind: 'text', text: withoutControls(text) };
}

function gsm7Text(parts: readonly UserData[], is_packed: boolean): string {
  const septets = parts.map(({ octets, udh }) =>
    is_packed ? unpackSeptets(octets, fillBits(udh?.header_length_octets ?? 0)) : octets,
  );
  const tables = parts.map(({ udh }) => septetCharacters(udh ?? plainShift));
  // Each part names its own tables; mostly they are the same.
  const [first] = tables;
  if (first !== undefined && tables.every((one) => one === first)) return readSeptets(concatenated(septets), first);
  return septets.map((one, part) => readSeptets(one, tables[part] ?? septetCharacters(plainShift))).join('');
}

function readSeptets(septets: Uint8Array, { locking, single }: SeptetCharacters): string {
  let text = '';
  for (let at = 0; at < septets.length; at++) {
    const septet = septets[at] ?? 0;
    const next = septets[at + 1];
    if (septet === ESCAPE && next !== undefined) {
      text += single[next] ?? '\ufffd';
      at++;
    } else {
      text += locking[septet] ?? '\ufffd';
    }
  }
  return text;
}

const utf16_be = new TextDecoder('utf-16be');
const utf16_le = new TextDecoder('utf-16le');

function ucs2Text(octets: Uint8Array, is_little_endian: boolean): string {
  const whole = octets.subarray(0, octets.length & ~1);
  return (is_little_endian ? utf16_le : utf16_be).decode(whole);
}

const decoders: Readonly<Record<Exclude<Charset, 'ascii' | 'latin1'>, InstanceType<typeof TextDecoder>>> = {
  shift_jis: new TextDecoder('shift_jis'),
  iso_8859_5: new TextDecoder('iso-8859-5'),
  iso_8859_8: new TextDecoder('iso-8859-8'),
  iso_2022_jp: new TextDecoder('iso-2022-jp'),
  euc_jp: new TextDecoder('euc-jp'),
  ks_c_5601: new TextDecoder('euc-kr'),
};

/**
 * Latin-1 is read as Windows has it (code page 1252): senders put these characters where Latin-1 has controls. Written out,
 * as the decoder of Node 20 by that name leaves the controls.
 */
const WINDOWS_80_TO_9F = '€\ufffd‚ƒ„…†‡ˆ‰Š‹Œ\ufffdŽ\ufffd\ufffd‘’“”•–—˜™š›œ\ufffdžŸ';

function charsetText(octets: Uint8Array, charset: Charset): string {
  if (charset === 'ascii') return singleOctets(octets, '');
  if (charset === 'latin1') return singleOctets(octets, LATIN1_FROM_80);
  // JIS that shifts by escape sequences is ISO-2022-JP; Shift JIS has no escape.
  const is_shifting = charset === 'shift_jis' && octets.includes(ESCAPE);
  return decoders[is_shifting ? 'iso_2022_jp' : charset].decode(octets);
}

const LATIN1_FROM_80 =
  WINDOWS_80_TO_9F + Array.from({ length: 96 }, (_, at) => String.fromCharCode(0xa0 + at)).join('');

/** ASCII, and what the octets from 80 on are. */
function singleOctets(octets: Uint8Array, from_80: string): string {
  let text = '';
  for (const octet of octets) text += octet < 0x80 ? String.fromCharCode(octet) : (from_80[octet - 0x80] ?? '\ufffd');
  return text;
}

const CONTROLS = /[\0-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;

function withoutControls(text: string): string {
  return text.replace(CONTROLS, (one) => {
    if (one === '\t') return ' ';
    return one === '\f' || one === '\v' ? '\n' : '';
  });
}

function joined(parts: readonly UserData[]): Uint8Array {
  return concatenated(parts.map(({ octets }) => octets));
}

function concatenated(pieces: readonly Uint8Array[]): Uint8Array {
  const [first] = pieces;
  if (first !== undefined && pieces.length === 1) return first;
  const all = new Uint8Array(pieces.reduce((length, { length: more }) => length + more, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function hexOf(octets: Uint8Array): string {
  let hex = '';
  for (const octet of octets) hex += octet.toString(16).padStart(2, '0');
  return hex;
}
