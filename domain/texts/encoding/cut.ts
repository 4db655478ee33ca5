import { ESCAPE } from './gsm7_tables.ts';
import { PARTS_MAX } from './segment.ts';
import { NO_SEPTETS, type SeptetCodes } from './septet_codes.ts';

/**
 * The end of the longest piece that begins at `from` and holds at most `units` units, 2 or more, without splitting what
 * must stay whole. Positions count whatever the text is made of: code units, septets or octets.
 */
export type Furthest = (from: number, units: number) => number;

/**
 * Into how few pieces of at most `units` units the rest from `from` on can be cut; greed gives the fewest. One unit is too
 * small for what must stay whole, so then it is more than a text can have.
 */
export function countPieces(length: number, furthest: Furthest, units: number, from = 0): number {
  if (units < 2) return PARTS_MAX + 1;
  let pieces = 0;
  for (let at = from; at < length; at = furthest(at, units)) pieces++;
  return pieces;
}

/**
 * The ends of the fewest pieces. `clusterStart` says where the grapheme cluster that holds a position begins (the position
 * itself where it is a border): a cut through a cluster moves before it wherever that takes no further piece.
 */
export function cutPieces(
  length: number,
  furthest: Furthest,
  units: number,
  clusterStart: (at: number) => number = (at) => at,
): number[] {
  const ends: number[] = [];
  let left = countPieces(length, furthest, units);
  for (let from = 0; from < length;) {
    left--;
    let end = furthest(from, units);
    if (end < length) {
      const start = clusterStart(end);
      if (start > from && start < end && countPieces(length, furthest, units, start) <= left) end = start;
    }
    ends.push(end);
    from = end;
  }
  return ends;
}

/** In a text whose characters have septets: an escape and what it leads to stay together. */
export function furthestInCodes(text: string, codes: SeptetCodes): Furthest {
  return (from, units) => {
    let left = units;
    let at = from;
    for (; at < text.length; at++) {
      left -= (codes[text.charCodeAt(at)] ?? NO_SEPTETS) < 0x80 ? 1 : 2;
      if (left < 0) break;
    }
    return at;
  };
}

/** In a text as UTF-16: a surrogate pair stays together. */
export function furthestInText(text: string): Furthest {
  return (from, units) => {
    const end = from + units;
    if (end >= text.length) return text.length;
    return isHigh(text.charCodeAt(end - 1)) && isLow(text.charCodeAt(end)) ? end - 1 : end;
  };
}

/** In septets, one an octet: an escape and what it leads to stay together. */
export function furthestInSeptets(septets: Uint8Array): Furthest {
  return (from, units) => {
    const end = from + units;
    if (end >= septets.length) return septets.length;
    // Of a row of escapes each second one is what the one before it leads to.
    let first = end;
    while (first > from && septets[first - 1] === ESCAPE) first--;
    return (end - first) % 2 === 0 ? end : end - 1;
  };
}

/** In UTF-16 big endian, positions and units being octets and code units: a surrogate pair stays together. */
export function furthestInUcs2(octets: Uint8Array): Furthest {
  const unitAt = (at: number): number => ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
  return (from, units) => {
    const end = from + units * 2;
    if (end >= octets.length) return octets.length;
    return isHigh(unitAt(end - 2)) && isLow(unitAt(end)) ? end - 2 : end;
  };
}

/** In octets that mean nothing to us. */
export function furthestInOctets(octets: Uint8Array): Furthest {
  return (from, units) => Math.min(from + units, octets.length);
}

function isHigh(unit: number): boolean {
  return (unit & 0xfc00) === 0xd800;
}

function isLow(unit: number): boolean {
  return (unit & 0xfc00) === 0xdc00;
}
