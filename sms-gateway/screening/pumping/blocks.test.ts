import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCK_NUMBERS, countInBlock, fadeBlocks, makeBlocks, ownTexts } from './blocks.ts';

const near = (offsets: readonly number[]): number => {
  const blocks = makeBlocks();
  for (const offset of offsets) countInBlock(blocks, 5 * BLOCK_NUMBERS + offset, 20);
  return blocks.near[0] ?? 0;
};

describe('the busiest blocks', () => {
  it('are never said to have more of their own than they got, and the sum of all agrees', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 120 }), { maxLength: 600 }), fc.nat({ max: 599 }), (ids, fading_at) => {
        const blocks = makeBlocks();
        const got = new Map<number, number>();
        ids.forEach((id, at) => {
          if (at === fading_at) {
            fadeBlocks(blocks, 0.5);
            for (const [one, texts] of got) got.set(one, texts * 0.5);
          }
          got.set(id, (got.get(id) ?? 0) + 1);
          countInBlock(blocks, id * BLOCK_NUMBERS, 20);
        });
        let sum = 0;
        for (let slot = 0; slot < blocks.used; slot += 1) {
          const true_texts = got.get(blocks.ids[slot] ?? -1) ?? 0;
          expect(ownTexts(blocks, slot)).toBeLessThanOrEqual(true_texts + 1e-9);
          expect(blocks.texts[slot]).toBeGreaterThanOrEqual(true_texts - 1e-9);
          sum += ownTexts(blocks, slot);
        }
        expect(blocks.own_sum).toBeCloseTo(sum, 6);
      }),
      { numRuns: 60 },
    );
  });

  it('hold on to one that gets more than a 64th of all texts', () => {
    const blocks = makeBlocks();
    for (let text = 0; text < 20_000; text += 1) {
      countInBlock(blocks, (text % 40 === 0 ? 7 : 1_000 + ((text * 7_919) % 5_000)) * BLOCK_NUMBERS, 20);
    }
    expect(ownTexts(blocks, blocks.ids.indexOf(7))).toBeGreaterThan(400);
  });
});

describe('neighbours', () => {
  it('are numbers that lie close to one of the latest, upwards or downwards', () => {
    expect(near([100, 101, 102, 103])).toBe(3);
    expect(near([100, 80, 60, 40])).toBe(3);
    expect(near([100, 121, 142, 163])).toBe(0);
  });

  it('are not those who ask twice', () => {
    expect(near([100, 100, 100, 500, 500])).toBe(0);
  });

  it('are forgotten after so many other numbers', () => {
    const others = Array.from({ length: 16 }, (_, at) => 1_000 + at * 100);
    expect(near([100, ...others.slice(1), 101])).toBe(1);
    expect(near([100, ...others, 101])).toBe(0);
  });
});
