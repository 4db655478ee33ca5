import type { Judged } from './text_routes.ts';

export type RouteVerdict = 'taken' | 'carrier_disabled' | 'no_fx_rate' | 'margin_too_low' | 'beyond_limit';

const verdictWords: Readonly<Record<RouteVerdict, string>> = {
  taken: 'may carry it',
  carrier_disabled: 'out of use',
  no_fx_rate: 'no exchange rate',
  margin_too_low: 'would leave too little of the price',
  beyond_limit: 'not needed',
};

/** Every carrier that has a price, those that may carry the text first and in their order, each with what speaks for or against it. */
export function explainRoutes(judged: readonly Judged[], routes_max: number): string {
  return [...judged]
    .sort(better)
    .map((one, place) => {
      const verdict = one.verdict === 'taken' && place >= routes_max ? 'beyond_limit' : one.verdict;
      return `${one.code} ${one.price_micros} ${one.currency} micros${qualityWords(one)}: ${verdictWords[verdict]}`;
    })
    .join('; ');
}

/** Where all arrive, or nothing can be said, nothing is. */
function qualityWords({ quality_ppm }: Judged): string {
  const percent = Math.floor(quality_ppm / 10_000);
  return percent >= 100 ? '' : `, ${percent}% arrive`;
}

function better(a: Judged, b: Judged): number {
  if ((a.verdict === 'taken') !== (b.verdict === 'taken')) return a.verdict === 'taken' ? -1 : 1;
  return a.weighed - b.weighed || a.carrier_id - b.carrier_id;
}
