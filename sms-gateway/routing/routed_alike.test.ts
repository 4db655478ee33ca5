import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Quality } from './quality.ts';
import { areRoutedAlike } from './routed_alike.ts';
import type { RoutedCarrier } from './text_routes.ts';

const carrier = (carrier_id: number, more: Partial<RoutedCarrier> = {}): RoutedCarrier => ({
  ...{ carrier_id, code: `c${carrier_id}`, enabled: true, quality_ppm: 900_000, quality_ppm_by_country: new Map() },
  ...more,
});
const to = (country: string, quality_ppm: number): Partial<RoutedCarrier> => ({
  quality_ppm_by_country: new Map([[country, quality_ppm]]),
});
const known = (...ones: RoutedCarrier[]): Map<number, RoutedCarrier> =>
  new Map(ones.map((one) => [one.carrier_id, one]));

describe('carriers are routed alike', () => {
  it('when nothing of them changed, in whatever order they come', () => {
    expect(areRoutedAlike(known(carrier(1), carrier(2)), [carrier(2), carrier(1)])).toBe(true);
    expect(areRoutedAlike(known(), [])).toBe(true);
  });

  it.each<[string, RoutedCarrier[]]>([
    ['one goes out of use', [carrier(1), carrier(2, { enabled: false })]],
    ['one is called otherwise', [carrier(1), carrier(2, { code: 'new' })]],
    ['one is gone', [carrier(1)]],
    ['another takes its place', [carrier(1), carrier(3)]],
    ['one comes', [carrier(1), carrier(2), carrier(3)]],
    ['one loses more texts', [carrier(1), carrier(2, { quality_ppm: 880_000 })]],
    ['one loses fewer', [carrier(1, { quality_ppm: 920_000 }), carrier(2)]],
    ['one loses more to one country', [carrier(1, to('GB', 850_000)), carrier(2)]],
  ])('no more when %s', (_, seen) => {
    expect(areRoutedAlike(known(carrier(1), carrier(2)), seen)).toBe(false);
  });

  it('while their quality moves by less than two per cent', () => {
    const quality_ppm = fc.integer({ min: 880_001, max: 919_999 });
    fc.assert(
      fc.property(quality_ppm, quality_ppm, (one, other) => {
        const seen = [carrier(1, { quality_ppm: one }), carrier(2, { quality_ppm: other })];
        expect(areRoutedAlike(known(carrier(1), carrier(2)), seen)).toBe(true);
      }),
    );
  });
});

describe('carriers of whose countries something is known', () => {
  it('are routed alike while that is as before, or as their others do', () => {
    const before = known(carrier(1, to('GB', 700_000)), carrier(2));
    expect(areRoutedAlike(before, [carrier(1, to('GB', 740_000)), carrier(2, to('DE', 860_000))])).toBe(true);
    expect(areRoutedAlike(before, [carrier(1), carrier(2)])).toBe(false);
  });
});

describe('a carrier whose texts are lost as before', () => {
  /** How often routes are worked out anew in that many looks, with that many texts between two. */
  function newRoutes(looks: number, texts: number, isLost: (n: number) => boolean): number {
    const quality = new Quality();
    let routed = known();
    let count = 0;
    for (let n = 0; n < looks * texts; n += 1) {
      quality.ended(1, 'GB', !isLost(n), n);
      if (n % texts !== 0) continue;
      const seen = [carrier(1, quality.of(1, n))];
      if (areRoutedAlike(routed, seen)) continue;
      routed = known(...seen);
      count += 1;
    }
    return count;
  }

  /** Marsaglia's xorshift: by chance, and the same in every run. */
  function oneInTwenty(): (n: number) => boolean {
    let state = 1;
    return () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state >>> 0 < 2 ** 32 / 20;
    };
  }

  it('keeps its routes nearly always', () => {
    expect(newRoutes(1_000, 700, oneInTwenty())).toBeLessThan(40);
  });

  it('gets others when it gets worse, however slowly', () => {
    expect(newRoutes(100, 700, (n) => n % 100 < n / 700)).toBeGreaterThan(30);
  });
});
