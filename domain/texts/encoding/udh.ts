import { languageOf, type NationalLanguage } from './national_language.ts';

/** Information element identifiers of 3GPP TS 23.040, section 9.2.3.24. */
export const elementIds = {
  concat_8: 0x00,
  ports_8: 0x04,
  ports_16: 0x05,
  concat_16: 0x08,
  single_shift: 0x24,
  locking_shift: 0x25,
} as const;

/** Which part of which long text a segment is; `part` runs from 1 to `total`. */
export type Concat = {
  readonly reference: number;
  readonly reference_bits: 8 | 16;
  readonly total: number;
  readonly part: number;
};

export type Ports = { readonly destination: number; readonly originator: number; readonly bits: 8 | 16 };

export type Element = { readonly id: number; readonly data: Uint8Array };

/** A user data header that could be read. */
export type Udh = {
  readonly kind: 'udh';
  readonly concat: Concat | null;
  readonly locking_shift: NationalLanguage | null;
  readonly single_shift: NationalLanguage | null;
  readonly ports: Ports | null;
  /** The elements that none of the above came from, in their order: unknown ones, and known ones that say nothing valid. */
  readonly rest: readonly Element[];
  /** Its length octet included: the text begins here. */
  readonly header_length_octets: number;
};

/**
 * - `empty`: no octet at all;
 * - `longer_than_data`: its length octet reaches beyond the end of the data;
 * - `element_cut`: an element reaches beyond the end of the header.
 */
export type MalformedUdh = {
  readonly kind: 'malformed_udh';
  readonly reason: 'empty' | 'longer_than_data' | 'element_cut';
};

/**
 * Reads the user data header at the beginning of `octets` (3GPP TS 23.040, 9.2.3.24). Where an element is there twice, or
 * two exclude each other, the last valid one counts. A concatenation of 0 parts, or whose part is 0 or above the total, is
 * none.
 */
export function parseUdh(octets: Uint8Array): Udh | MalformedUdh {
  const length = octets[0];
  if (length === undefined) return { kind: 'malformed_udh', reason: 'empty' };
  const end = length + 1;
  if (end > octets.length) return { kind: 'malformed_udh', reason: 'longer_than_data' };
  const found: Reading = { concat: null, locking_shift: null, single_shift: null, ports: null, rest: [] };
  for (let at = 1; at < end;) {
    const data_length = octets[at + 1] ?? 0;
    const next = at + 2 + data_length;
    if (next > end) return { kind: 'malformed_udh', reason: 'element_cut' };
    const element = { id: octets[at] ?? 0, data: octets.subarray(at + 2, next) };
    if (!read(element, found)) found.rest.push(element);
    at = next;
  }
  return { kind: 'udh', ...found, header_length_octets: end };
}

type Reading = {
  -readonly [field in Exclude<keyof Udh, 'kind' | 'rest' | 'header_length_octets'>]: Udh[field];
} & { readonly rest: Element[] };

/** Whether the element said something that is understood. */
function read({ id, data }: Element, found: Reading): boolean {
  switch (id) {
    case elementIds.concat_8:
    case elementIds.concat_16: {
      const concat = readConcat(data, id === elementIds.concat_8 ? 8 : 16);
      if (concat) found.concat = concat;
      return concat !== null;
    }
    case elementIds.ports_8:
    case elementIds.ports_16: {
      const ports = readPorts(data, id === elementIds.ports_8 ? 8 : 16);
      if (ports) found.ports = ports;
      return ports !== null;
    }
    case elementIds.single_shift:
    case elementIds.locking_shift: {
      const language = data.length === 1 ? languageOf(data[0] ?? 0) : null;
      if (language) found[id === elementIds.single_shift ? 'single_shift' : 'locking_shift'] = language;
      return language !== null;
    }
    default:
      return false;
  }
}

function readConcat(data: Uint8Array, reference_bits: 8 | 16): Concat | null {
  if (data.length !== reference_bits / 8 + 2) return null;
  const [total = 0, part = 0] = data.subarray(-2);
  if (part === 0 || part > total) return null;
  return { reference: readNumber(data, 0, reference_bits), reference_bits, total, part };
}

function readPorts(data: Uint8Array, bits: 8 | 16): Ports | null {
  const octets = bits / 8;
  if (data.length !== octets * 2) return null;
  return { destination: readNumber(data, 0, bits), originator: readNumber(data, octets, bits), bits };
}

function readNumber(data: Uint8Array, at: number, bits: 8 | 16): number {
  const first = data[at] ?? 0;
  return bits === 8 ? first : (first << 8) | (data[at + 1] ?? 0);
}
