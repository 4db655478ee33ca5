import { z } from 'zod';
import { currency, microsOut } from '../../http/fields.ts';
import type { ConvertedFrom } from './wallet_price.ts';

export const conversionShape = z
  .object({
    /** As the price list has it. */
    list_currency: currency,
    list_setup_micros: microsOut,
    list_monthly_micros: microsOut,
    /** An amount of the list times the numerator, divided by the denominator, rounded up to the micro. */
    fx_numerator: microsOut,
    fx_denominator: microsOut,
    /** The day of the rate. */
    fx_on_date: z.iso.date(),
  })
  .meta({ id: 'PriceConversion' });

export const conversionAnswer = (converted: ConvertedFrom | null): z.input<typeof conversionShape> | null => converted;
