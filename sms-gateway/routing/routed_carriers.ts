import type { BindRow } from '../carriers/bind_row.ts';
import type { CarrierQuality } from './quality.ts';
import type { RouteBook } from './route_book.ts';

type RoutedCarrier = Parameters<RouteBook['setCarriers']>[0][number];

/** Those that have a bind, once each, as routing wants to know them. */
export function routedCarriers(
  rows: readonly BindRow[],
  quality_of: (carrier_id: number) => CarrierQuality,
): readonly RoutedCarrier[] {
  const carriers = new Map(
    rows.map(({ carrier_id, carrier, carrier_enabled }) => [
      carrier_id,
      { carrier_id, code: carrier, enabled: carrier_enabled, ...quality_of(carrier_id) },
    ]),
  );
  return [...carriers.values()];
}
