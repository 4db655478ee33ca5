/** Blocks of numbers are looked at as numbering plans give them out: ten thousand that differ in their last four digits. */
export const BLOCK_NUMBERS = 10_000;
/** So many blocks of a country are told apart. One with a larger share of its texts than 1/64 is always among them. */
const SLOTS = 64;
/** So many of a block's latest numbers are remembered. */
export const RECENT_NUMBERS = 16;

/**
 * The busiest blocks of one country, in bounded memory: the space-saving algorithm (Metwally, Agrawal, El Abbadi 2005), with
 * counts that fade. A block that is new takes the slot of the one with the fewest texts and begins with that one's count, which
 * is remembered as its `inherited` part; what is above it is surely its own.
 */
export interface Blocks {
  used: number;
  /** A number without its last four digits. */
  readonly ids: Float64Array;
  readonly texts: Float64Array;
  readonly inherited: Float64Array;
  /** Texts to a number close to another one that was written to lately. */
  readonly near: Float64Array;
  /** The last four digits of the latest numbers, in a ring for each slot. */
  readonly recent: Uint16Array;
  readonly recent_used: Uint8Array;
  readonly recent_next: Uint8Array;
  /** The sum of what is surely each block's own. */
  own_sum: number;
}

export function makeBlocks(): Blocks {
  return {
    used: 0,
    ids: new Float64Array(SLOTS),
    texts: new Float64Array(SLOTS),
    inherited: new Float64Array(SLOTS),
    near: new Float64Array(SLOTS),
    recent: new Uint16Array(SLOTS * RECENT_NUMBERS),
    recent_used: new Uint8Array(SLOTS),
    recent_next: new Uint8Array(SLOTS),
    own_sum: 0,
  };
}

/** All counts fade alike, so that their order stays. */
export function fadeBlocks(blocks: Blocks, kept: number): void {
  for (let slot = 0; slot < blocks.used; slot += 1) {
    blocks.texts[slot] = (blocks.texts[slot] ?? 0) * kept;
    blocks.inherited[slot] = (blocks.inherited[slot] ?? 0) * kept;
    blocks.near[slot] = (blocks.near[slot] ?? 0) * kept;
  }
  blocks.own_sum *= kept;
}

/** Counts a text; says in which slot its block stands. */
export function countInBlock(blocks: Blocks, digits: number, near_distance: number): number {
  const id = Math.floor(digits / BLOCK_NUMBERS);
  const slot = slotOf(blocks, id);
  blocks.texts[slot] = (blocks.texts[slot] ?? 0) + 1;
  blocks.own_sum += 1;
  if (isNear(blocks, slot, digits % BLOCK_NUMBERS, near_distance)) blocks.near[slot] = (blocks.near[slot] ?? 0) + 1;
  return slot;
}

export function ownTexts({ texts, inherited }: Blocks, slot: number): number {
  return (texts[slot] ?? 0) - (inherited[slot] ?? 0);
}

function slotOf(blocks: Blocks, id: number): number {
  const { ids, texts, used } = blocks;
  let fewest = 0;
  for (let slot = 0; slot < used; slot += 1) {
    if (ids[slot] === id) return slot;
    if ((texts[slot] ?? 0) < (texts[fewest] ?? 0)) fewest = slot;
  }
  const slot = used < SLOTS ? used : fewest;
  if (slot === used) blocks.used += 1;
  else blocks.own_sum -= ownTexts(blocks, slot);
  ids[slot] = id;
  blocks.inherited[slot] = texts[slot] ?? 0;
  blocks.near[slot] = 0;
  blocks.recent_used[slot] = 0;
  blocks.recent_next[slot] = 0;
  return slot;
}

/** The same number again is somebody who asked twice, and no neighbour. */
function isNear(blocks: Blocks, slot: number, offset: number, near_distance: number): boolean {
  const { recent, recent_used, recent_next } = blocks;
  const begin = slot * RECENT_NUMBERS;
  const used = recent_used[slot] ?? 0;
  let is_near = false;
  for (let at = begin; at < begin + used; at += 1) {
    const distance = Math.abs((recent[at] ?? 0) - offset);
    if (distance === 0) return false;
    if (distance <= near_distance) is_near = true;
  }
  const next = recent_next[slot] ?? 0;
  recent[begin + next] = offset;
  recent_next[slot] = (next + 1) % RECENT_NUMBERS;
  if (used < RECENT_NUMBERS) recent_used[slot] = used + 1;
  return is_near;
}
