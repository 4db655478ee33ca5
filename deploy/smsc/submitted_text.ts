import type { MoFact, SubmitFact } from './fact.ts';
import { fromGsm } from './gsm_alphabet.ts';

const UDH_INDICATOR = 0x40;

/** What a fact carries, without its UDH. */
export interface Payload {
  /** Decoded by data_coding; of binary ones the octets in hex. */
  text: string;
  /** How it belongs to others, by UDH or by SAR TLVs. Null: it stands alone. */
  segment: { ref: number; of: number; part: number } | null;
}

/** A text put together from its parts. */
export interface WholeText {
  from: string;
  to: string;
  text: string;
  /** In the order of the parts; with fewer than `of`, the carrier never got the others. */
  submits: readonly SubmitFact[];
  of: number;
}

export function payloadOf(
  fact: Pick<SubmitFact | MoFact, 'hex' | 'dc' | 'esm'> & Partial<Pick<SubmitFact, 'ref'>>,
): Payload {
  const octets = Buffer.from(fact.hex, 'hex');
  if ((fact.esm & UDH_INDICATOR) === 0) return { text: decoded(octets, fact.dc), segment: fact.ref ?? null };
  const udh_octets = (octets[0] ?? 0) + 1;
  return {
    text: decoded(octets.subarray(udh_octets), fact.dc),
    segment: concatenationOf(octets.subarray(1, udh_octets)) ?? fact.ref ?? null,
  };
}

/** The submits by the text of each, so that a test finds those that carry its own. */
export function submitsByText(submits: readonly SubmitFact[]): Map<string, SubmitFact[]> {
  const by_text = new Map<string, SubmitFact[]>();
  for (const submit of submits) {
    const { text } = payloadOf(submit);
    const same = by_text.get(text);
    if (same === undefined) by_text.set(text, [submit]);
    else same.push(submit);
  }
  return by_text;
}

/**
 * The texts as a phone would show them. A part that comes once more begins another text: what was sent twice is there
 * twice, whole or not.
 */
export function wholeTexts(submits: readonly SubmitFact[]): WholeText[] {
  const texts: Gathering[] = [];
  const open = new Map<string, Gathering>();
  for (const submit of submits) {
    const { text, segment } = payloadOf(submit);
    const { ref, of, part } = segment ?? { ref: 0, of: 1, part: 1 };
    const key = `${submit.from} ${submit.to} ${ref} ${of}`;
    let gathering = segment === null ? undefined : open.get(key);
    if (gathering === undefined || gathering.parts.has(part)) {
      gathering = { from: submit.from, to: submit.to, of, parts: new Map() };
      texts.push(gathering);
      if (segment !== null) open.set(key, gathering);
    }
    gathering.parts.set(part, { text, submit });
  }
  return texts.map(putTogether);
}

interface Gathering {
  from: string;
  to: string;
  of: number;
  parts: Map<number, { text: string; submit: SubmitFact }>;
}

function putTogether({ from, to, of, parts }: Gathering): WholeText {
  const sorted = [...parts].sort(([one], [other]) => one - other).map(([, part]) => part);
  return { from, to, of, text: sorted.map(({ text }) => text).join(''), submits: sorted.map(({ submit }) => submit) };
}

function decoded(octets: Buffer, data_coding: number): string {
  // With a message class, 3GPP TS 23.038 section 4: two bits say the alphabet.
  const alphabet = (data_coding & 0xf0) === 0xf0 ? data_coding & 0x04 : data_coding;
  switch (alphabet) {
    case 0:
      return fromGsm(octets);
    case 1:
    case 3:
      return octets.toString('latin1');
    case 8:
      return Buffer.from(octets.subarray(0, octets.length & ~1))
        .swap16()
        .toString('utf16le');
    default:
      return octets.toString('hex');
  }
}

/** The information elements 0x00 and 0x08 of 3GPP TS 23.040 section 9.2.3.24. */
function concatenationOf(elements: Buffer): Payload['segment'] {
  for (let at = 0; at + 1 < elements.length; at += 2 + (elements[at + 1] ?? 0)) {
    const value = elements.subarray(at + 2, at + 2 + (elements[at + 1] ?? 0));
    if (elements[at] === 0x00 && value.length === 3) {
      return { ref: value[0] ?? 0, of: value[1] ?? 0, part: value[2] ?? 0 };
    }
    if (elements[at] === 0x08 && value.length === 4) {
      return { ref: value.readUInt16BE(0), of: value[2] ?? 0, part: value[3] ?? 0 };
    }
  }
  return null;
}
