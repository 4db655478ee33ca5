import type { AirEncoding } from './segment.ts';

/** The data coding that says what we encode, 3GPP TS 23.038 section 4; SMPP 3.4 section 5.2.19 agrees. */
export const dataCodings: Readonly<Record<AirEncoding, number>> = { gsm7: 0x00, binary: 0x04, ucs2: 0x08 };

/**
 * What octets mean:
 * - `default`: whatever the carrier's SMSC takes for its default alphabet;
 * - `gsm7`: the GSM 7 bit alphabet, whatever the default is;
 * - `binary`: no text, or one that is compressed;
 * - the others are character sets of SMPP, which do not go on the air as they are.
 */
export type Alphabet = 'default' | 'gsm7' | 'binary' | 'ucs2' | Charset;

export type Charset =
  'ascii' | 'latin1' | 'shift_jis' | 'iso_8859_5' | 'iso_8859_8' | 'iso_2022_jp' | 'euc_jp' | 'ks_c_5601';

/** SMPP 3.4, 5.2.19. 11, 12 and 15 are reserved, which 3GPP TS 23.038 wants taken for the default alphabet. */
const SMPP_ALPHABETS: readonly Alphabet[] = [
  ...(['default', 'ascii', 'binary', 'latin1', 'binary', 'shift_jis', 'iso_8859_5', 'iso_8859_8'] as const),
  // 9 are pictograms of Japanese carriers, in the private rows of Shift JIS; 13 is JIS X 0212, which EUC-JP holds.
  ...(['ucs2', 'shift_jis', 'iso_2022_jp', 'default', 'default', 'euc_jp', 'ks_c_5601', 'default'] as const),
];

/** Bits 3 and 2 of the general groups; the fourth is reserved. */
const GENERAL_ALPHABETS: readonly Alphabet[] = ['gsm7', 'binary', 'ucs2', 'default'];

/**
 * The alphabet of a data coding. 0 to 15 are SMPP's, where it and 3GPP TS 23.038 differ; above, the groups of the latter
 * count: general (00xx, 01xx), message waiting (1100, 1101 in GSM 7, 1110 in UCS-2), and message class (1111).
 */
export function alphabetOf(data_coding: number): Alphabet {
  const coding = data_coding & 0xff;
  const group = coding >> 4;
  if (group === 0) return SMPP_ALPHABETS[coding] ?? 'default';
  if (group < 0x8) {
    const is_compressed = (coding & 0x20) !== 0;
    return is_compressed ? 'binary' : (GENERAL_ALPHABETS[(coding >> 2) & 3] ?? 'default');
  }
  if (group < 0xc) return 'default';
  if (group < 0xe) return 'gsm7';
  if (group === 0xe) return 'ucs2';
  return (coding & 0x04) === 0 ? 'gsm7' : 'binary';
}

/** What a carrier's SMSC, or we towards a customer, take for data coding 0. */
export type DefaultAlphabet = 'gsm7' | 'gsm7_packed' | 'latin1' | 'ascii';

/** The alphabet where there is a default; one that names GSM 7 is packed where the default is. */
export function resolvedAlphabet(
  data_coding: number,
  default_alphabet: DefaultAlphabet,
): Exclude<Alphabet, 'default'> | 'gsm7_packed' {
  const alphabet = alphabetOf(data_coding);
  if (alphabet === 'default') return default_alphabet;
  return alphabet === 'gsm7' && default_alphabet === 'gsm7_packed' ? 'gsm7_packed' : alphabet;
}
