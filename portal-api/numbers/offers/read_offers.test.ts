import { describe, expect, it } from 'vitest';
import { OFFER_COLUMNS, readOffers } from './read_offers.ts';

const file = (...lines: string[]): string => [OFFER_COLUMNS.join(','), ...lines].join('\n');

describe('an inventory', () => {
  it('is read with its prices to the micro', () => {
    expect(
      readOffers(
        file(
          '+4930111111,DE,geographic,yes,no,EUR,1,2.500001,2027-01-01T00:00:00Z',
          '+4915111,DE,mobile,yes,yes,EUR,0,3,',
        ),
      ),
    ).toEqual({
      kind: 'offers',
      offers: [
        {
          ...{ number: '+4930111111', country: 'DE', number_type: 'geographic', calls: true, texts: false },
          ...{
            currency: 'EUR',
            setup_micros: 1_000_000n,
            monthly_micros: 2_500_001n,
            valid_from: '2027-01-01T00:00:00Z',
          },
        },
        {
          ...{ number: '+4915111', country: 'DE', number_type: 'mobile', calls: true, texts: true },
          ...{ currency: 'EUR', setup_micros: 0n, monthly_micros: 3_000_000n, valid_from: null },
        },
      ],
    });
  });

  it('names every line that is wrong, by its place in the file', () => {
    const read = readOffers(
      file(
        '+4930111111,DE,geographic,yes,yes,EUR,1,2,',
        '030111112,DE,geographic,yes,yes,EUR,1,2,',
        '+4930111113,Germany,fixed,yes,yes,EUR,1,2,',
        '+4930111114,DE,geographic,no,no,EUR,1,2,',
        '+4930111115,DE,geographic,yes,yes,EUR,"1,5",-2,',
        '+4930111116,DE,geographic,yes,yes,EUR,1,2,tomorrow',
        '+4930111111,DE,geographic,yes,yes,EUR,1,2,',
        '+4930111118,DE',
      ),
    );
    expect(read.kind === 'bad' && read.lines.map(({ line }) => line)).toEqual([3, 4, 5, 6, 7, 8, 9]);
  });

  it.each(['', 'number', '"', 'a,b\n"c', '\u0000'])('%j is refused and breaks nothing', (text) => {
    expect(readOffers(text).kind).toBe('bad');
  });
});
