import type { RoutedCarrier } from './text_routes.ts';

/**
 * By how much a carrier's quality has to move for its routes to be worked out anew. It moves with every text, and most of that
 * is chance: that of a carrier which loses one text in twenty strays by 0.6 per cent (standard deviation), as the latest texts
 * count most. Rounded to steps of one per cent it was another at every second look; two per cent away from what the routes go
 * by, it is at one look in fifty. What is overlooked is worth one per cent of a price at the default weight of quality.
 */
const TELLING_PPM = 20_000;
/** To one country there are fewer texts, and more of it is chance. */
const TELLING_IN_COUNTRY_PPM = 50_000;

/** Whether routes that were worked out for the carriers in `known` hold for those in `seen` too. */
export function areRoutedAlike(known: ReadonlyMap<number, RoutedCarrier>, seen: readonly RoutedCarrier[]): boolean {
  return seen.length === known.size && seen.every((one) => isRoutedAlike(known.get(one.carrier_id), one));
}

function isRoutedAlike(
  known: RoutedCarrier | undefined,
  { code, enabled, quality_ppm, quality_ppm_by_country }: RoutedCarrier,
): boolean {
  if (known === undefined || known.code !== code || known.enabled !== enabled) return false;
  // From what the routes go by, not from what was seen last, so that a slow decline is noticed.
  if (Math.abs(known.quality_ppm - quality_ppm) >= TELLING_PPM) return false;
  const countries = [...known.quality_ppm_by_country.keys(), ...quality_ppm_by_country.keys()];
  return countries.every((country) => {
    const before_ppm = known.quality_ppm_by_country.get(country) ?? known.quality_ppm;
    return Math.abs(before_ppm - (quality_ppm_by_country.get(country) ?? quality_ppm)) < TELLING_IN_COUNTRY_PPM;
  });
}
