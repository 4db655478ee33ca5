import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stepBlocks } from './blocks.ts';
import type { BlockEffect, BlockEvent, Blocks } from './blocks.ts';

const limits = { failures_max: 3, unidentified_max: 5, block_ms: 1000, blocks_max: 3 };

const address = fc.constantFrom('192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4', '192.0.2.5');
const standing = fc.constantFrom('stranger', 'stranger', 'proven', 'trunk');

/** Random histories; `wait_ms` passes before each event. */
const history = fc.array(
  fc.record({
    wait_ms: fc.integer({ min: 0, max: 600 }),
    event: fc.oneof(
      fc.record({
        type: fc.constantFrom('failed', 'unidentified'),
        address,
        failures: fc.integer({ min: 1, max: 6 }),
        standing,
      }),
      fc.record({ type: fc.constant('looked'), trunk: fc.option(address, { nil: null }) }),
    ),
  }),
  { maxLength: 40 },
);

type Steps = typeof history extends fc.Arbitrary<infer T> ? T : never;

interface Played {
  event: BlockEvent;
  before: Blocks;
  blocks: Blocks;
  effects: readonly BlockEffect[];
}

function play(steps: Steps): Played[] {
  let blocks: Blocks = new Map();
  let at_ms = 0;
  return steps.map(({ wait_ms, event: drawn }) => {
    at_ms += wait_ms;
    const event: BlockEvent =
      drawn.type !== 'looked' ? { ...drawn, at_ms } : { type: 'looked', isTrunk: (one) => one === drawn.trunk, at_ms };
    const before = blocks;
    const step = stepBlocks(before, event, limits);
    blocks = step.blocks;
    return { event, before, ...step };
  });
}

describe('blocked addresses', () => {
  it('hold whatever happens', () => {
    fc.assert(
      fc.property(history, (steps) => {
        for (const { event, before, blocks, effects } of play(steps)) {
          expect(blocks.size).toBeLessThanOrEqual(limits.blocks_max);
          // The effects tell the difference between before and after, no more and no less.
          const appeared = [...blocks.keys()].filter((one) => !before.has(one));
          const gone = [...before.keys()].filter((one) => !blocks.has(one));
          expect(effects.filter(({ type }) => type === 'blocked').map((effect) => effect.address)).toEqual(appeared);
          expect(effects.filter(({ type }) => type === 'released').map((effect) => effect.address)).toEqual(gone);
          if (event.type === 'failed' || event.type === 'unidentified') {
            expect(gone).toEqual([]);
            const enough = event.type === 'failed' ? limits.failures_max : limits.unidentified_max;
            const guilty = event.standing === 'stranger' && event.failures >= enough;
            if (appeared.length > 0) expect([guilty, appeared]).toEqual([true, [event.address]]);
            if (guilty && before.size < limits.blocks_max) expect(blocks.has(event.address)).toBe(true);
          }
          if (event.type === 'looked') {
            for (const until_ms of blocks.values()) expect(until_ms).toBeGreaterThan(event.at_ms);
            for (const one of gone) {
              expect(event.isTrunk(one) || (before.get(one) ?? Infinity) <= event.at_ms).toBe(true);
            }
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('last exactly as long as was said, however often the address fails meanwhile', () => {
    const failed = { type: 'failed', address: '192.0.2.1', failures: 3, standing: 'stranger' } as const;
    const { blocks } = stepBlocks(new Map(), { ...failed, at_ms: 0 }, limits);
    const again = stepBlocks(blocks, { ...failed, failures: 4, at_ms: 900 }, limits);
    expect(again).toEqual({ blocks, effects: [] });
    const look = (at_ms: number): Blocks =>
      stepBlocks(blocks, { type: 'looked', isTrunk: () => false, at_ms }, limits).blocks;
    expect([look(999).size, look(1000).size]).toEqual([1, 0]);
  });

  it('say why somebody was spared', () => {
    const failed = { type: 'failed', address: '192.0.2.9', failures: 3, at_ms: 0 } as const;
    const full = new Map([1, 2, 3].map((n) => [`192.0.2.${n}`, 500]));
    const why = (blocks: Blocks, who: 'stranger' | 'proven' | 'trunk'): BlockEffect | undefined =>
      stepBlocks(blocks, { ...failed, standing: who }, limits).effects[0];
    expect(why(full, 'stranger')).toMatchObject({ type: 'spared', why: 'full' });
    expect(why(new Map(), 'trunk')).toMatchObject({ type: 'spared', why: 'trunk' });
    expect(why(new Map(), 'proven')).toMatchObject({ type: 'spared', why: 'proven' });
  });

  it('that are over are not remembered after a restart', () => {
    const blocks = new Map([
      ['192.0.2.1', 100],
      ['192.0.2.2', 101],
    ]);
    expect([...stepBlocks(new Map(), { type: 'remembered', blocks, at_ms: 100 }, limits).blocks.keys()]).toEqual([
      '192.0.2.2',
    ]);
  });
});
