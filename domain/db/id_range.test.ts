import { describe, expect, it } from 'vitest';
import { idRange } from './id_range.ts';

describe('the ids that are meant', () => {
  it.each(['019a1234-5678-7abc-8def-0123456789ab', '019A12345678-7abc8DEF0123456789AB'])('by a whole one, %s', (id) => {
    const whole = '019a1234-5678-7abc-8def-0123456789ab';
    expect(idRange(id)).toEqual({ lowest: whole, highest: whole });
  });

  it('by a beginning are all that begin so', () => {
    expect(idRange('019a1234-5')).toEqual({
      lowest: '019a1234-5000-0000-0000-000000000000',
      highest: '019a1234-5fff-ffff-ffff-ffffffffffff',
    });
  });

  it.each(['', 'last', '019a123', '019a123g', '019a1234-5678-7abc-8def-0123456789abc'])('by "%s" are none', (id) => {
    expect(idRange(id)).toBeNull();
  });
});
