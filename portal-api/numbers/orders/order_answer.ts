import { z } from 'zod';
import { currency, e164, instantOut, microsOut, uuid } from '../../http/fields.ts';
import { PROVISIONING_EXPECTED_MS } from '../terms.ts';
import { conversionAnswer, conversionShape } from '../offers/conversion_answer.ts';
import { ORDER_STATES } from './order_state.ts';
import type { Order } from './order_rows.ts';

export const orderShape = z
  .object({
    order_id: uuid,
    number: e164,
    state: z.enum(ORDER_STATES),
    currency,
    setup_micros: microsOut,
    monthly_micros: microsOut,
    tax_micros: microsOut,
    /** What it was before, where its price is in another currency than your wallet. */
    converted: conversionShape.nullable(),
    ordered_at: instantOut,
    state_since: instantOut,
    /** When it should work; null where that depends on you, or is past. */
    expected_at: instantOut.nullable(),
    /** Why it failed; all that it cost was given back. */
    failure: z.string().nullable(),
  })
  .meta({ id: 'NumberOrder' });

export function orderAnswer(order: Order): z.input<typeof orderShape> {
  const { id, number, state, currency: of, setup_micros, monthly_micros, ordered_at, state_since, failure } = order;
  const tax_micros = order.setup_tax_micros + order.monthly_tax_micros;
  const is_under_way = state === 'provisioning' || state === 'testing';
  const since = order.provisioning_since ?? ordered_at;
  const expected_at = is_under_way ? new Date(since.getTime() + PROVISIONING_EXPECTED_MS) : null;
  return {
    ...{ order_id: id, number, state, currency: of, setup_micros, monthly_micros, tax_micros },
    ...{ converted: conversionAnswer(order.converted), ordered_at, state_since, expected_at, failure },
  };
}
