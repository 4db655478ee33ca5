/**
 * Which addresses are shut out, as a pure machine. Each address for itself:
 *
 *              failed, for the `failures_max`th time within the window (or asked as nobody, for the
 *              `unidentified_max`th), a stranger, and there is room
 *        ┌──────┐ ────────────────────────────────────────────────────────▶ ┌─────────┐
 *        │ free │                                                           │ blocked │
 *        └──────┘ ◀──────────────────────────────────────────────────────── └─────────┘
 *              looked: its time is over, or it belongs to a trunk by now
 *
 * Who is no stranger is spared: a trunk is known by its address alone, so shutting it out would cut off a carrier.
 */
export type Blocks = ReadonlyMap<string, number>;

/** `proven`: right credentials came from this address not long ago, and what is held against it now may be forged. */
export type Standing = 'stranger' | 'proven' | 'trunk';

export interface BlockLimits {
  /** Wrong credentials. */
  failures_max: number;
  /** Requests of nobody: a scanner makes thousands, a phone whose device was deleted one a minute. */
  unidentified_max: number;
  block_ms: number;
  /** Each block costs the switch a comparison for every packet, and a flood of forged addresses must not fill its memory. */
  blocks_max: number;
}

export type BlockEvent =
  | { type: 'failed' | 'unidentified'; address: string; failures: number; standing: Standing; at_ms: number }
  | { type: 'looked'; isTrunk: (address: string) => boolean; at_ms: number }
  /** Blocks from before a restart, with the time at which each ends. */
  | { type: 'remembered'; blocks: Blocks; at_ms: number };

export type BlockEffect =
  | { type: 'blocked'; address: string; until_ms: number }
  | { type: 'released'; address: string }
  | { type: 'spared'; address: string; why: Exclude<Standing, 'stranger'> | 'full' };

export interface BlockStep {
  blocks: Blocks;
  effects: readonly BlockEffect[];
}

export function stepBlocks(blocks: Blocks, event: BlockEvent, limits: BlockLimits): BlockStep {
  switch (event.type) {
    case 'failed':
    case 'unidentified':
      return failed(blocks, event, limits);
    case 'looked':
      return looked(blocks, event);
    case 'remembered': {
      const live = [...event.blocks].filter(([, until_ms]) => until_ms > event.at_ms).slice(0, limits.blocks_max);
      return { blocks: new Map([...live, ...blocks]), effects: [] };
    }
  }
}

function failed(
  blocks: Blocks,
  { type, address, failures, standing, at_ms }: Extract<BlockEvent, { type: 'failed' | 'unidentified' }>,
  { failures_max, unidentified_max, block_ms, blocks_max }: BlockLimits,
): BlockStep {
  if (failures < (type === 'failed' ? failures_max : unidentified_max) || blocks.has(address))
    return { blocks, effects: [] };
  const why = standing !== 'stranger' ? standing : blocks.size >= blocks_max ? 'full' : null;
  if (why !== null) return { blocks, effects: [{ type: 'spared', address, why }] };
  const until_ms = at_ms + block_ms;
  return { blocks: new Map([...blocks, [address, until_ms]]), effects: [{ type: 'blocked', address, until_ms }] };
}

function looked(blocks: Blocks, { isTrunk, at_ms }: Extract<BlockEvent, { type: 'looked' }>): BlockStep {
  const over = [...blocks].filter(([address, until_ms]) => until_ms <= at_ms || isTrunk(address));
  if (over.length === 0) return { blocks, effects: [] };
  const left = new Map(blocks);
  for (const [address] of over) left.delete(address);
  return { blocks: left, effects: over.map(([address]) => ({ type: 'released', address })) };
}
