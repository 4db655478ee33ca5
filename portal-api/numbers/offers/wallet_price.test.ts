import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fxTable } from '../../../domain/rating/fx_rates.ts';
import { priceIn } from './wallet_price.ts';

const rate = { from_currency: 'USD', to_currency: 'EUR', on_date: '2027-01-30', numerator: 92n, denominator: 100n };

describe('a price in another currency than the wallet’s', () => {
  it('is converted by the rate of the day, in either direction, and says how', () => {
    const list = { currency: 'USD', setup_micros: 1_000_001n, monthly_micros: 3_000_000n };
    expect(priceIn(list, 'EUR', fxTable([rate]))).toEqual({
      ...{ currency: 'EUR', setup_micros: 920_001n, monthly_micros: 2_760_000n },
      converted: {
        ...{ list_currency: 'USD', list_setup_micros: 1_000_001n, list_monthly_micros: 3_000_000n },
        ...{ fx_numerator: 92n, fx_denominator: 100n, fx_on_date: '2027-01-30' },
      },
    });
    const back = priceIn({ ...list, currency: 'EUR', monthly_micros: 92n }, 'USD', fxTable([rate]));
    expect(back).toMatchObject({ monthly_micros: 100n, converted: { fx_numerator: 100n, fx_denominator: 92n } });
  });

  it('is no price where there is no rate, and needs none where the currencies are one', () => {
    const list = { currency: 'GBP', setup_micros: 1n, monthly_micros: 1n };
    expect(priceIn(list, 'EUR', fxTable([rate]))).toBeNull();
    expect(priceIn(list, 'GBP', fxTable([]))).toEqual({ ...list, converted: null });
  });

  it('is never less than it is worth, and less than a micro more', () => {
    const amount = fc.bigInt(0n, 10n ** 12n);
    const factor = fc.bigInt(1n, 10n ** 12n);
    fc.assert(
      fc.property(amount, factor, factor, (micros, numerator, denominator) => {
        const list = { currency: 'USD', setup_micros: 0n, monthly_micros: micros };
        const price = priceIn(list, 'EUR', fxTable([{ ...rate, numerator, denominator }]));
        const excess = (price?.monthly_micros ?? -1n) * denominator - micros * numerator;
        expect(excess >= 0n && excess < denominator).toBe(true);
      }),
    );
  });
});
