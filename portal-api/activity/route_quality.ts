/** What a route did in a while. */
export interface RouteFigures {
  attempts: number;
  answered: number;
  talk_ms: number;
  ringing_attempts: number;
  pdd_ms_total: number;
}

export interface RouteThreshold {
  attempts_min: number;
  asr_ppm_min: number | null;
  acd_seconds_min: number | null;
  pdd_ms_max: number | null;
}

export interface Breach {
  figure: 'asr' | 'acd' | 'pdd';
  measured: number;
  allowed: number;
}

/** Answered calls of those that were tried, in parts per million; null where none was. */
export const asrPpm = (answered: number, tried: number): number | null =>
  tried === 0 ? null : Math.round((answered * 1_000_000) / tried);

/** How long an answered call is in the mean; null where none was. */
export const acdMs = (talk_ms: number, answered: number): number | null =>
  answered === 0 ? null : Math.round(talk_ms / answered);

/** How long it takes until it rings, in the mean; null where it never did. */
export const pddMs = (pdd_ms_total: number, rang: number): number | null =>
  rang === 0 ? null : Math.round(pdd_ms_total / rang);

/** In what a route is worse than it may be; null where too little happened to say so. */
export function judgeRoute(figures: RouteFigures, threshold: RouteThreshold): Breach[] | null {
  if (figures.attempts < threshold.attempts_min) return null;
  const found: Breach[] = [];
  const below = (figure: 'asr' | 'acd', measured: number | null, allowed: number | null): void => {
    if (measured !== null && allowed !== null && measured < allowed) found.push({ figure, measured, allowed });
  };
  below('asr', asrPpm(figures.answered, figures.attempts), threshold.asr_ppm_min);
  const { answered, talk_ms } = figures;
  below('acd', answered === 0 ? null : Math.floor(talk_ms / answered / 1000), threshold.acd_seconds_min);
  const measured = pddMs(figures.pdd_ms_total, figures.ringing_attempts);
  const { pdd_ms_max: allowed } = threshold;
  if (measured !== null && allowed !== null && measured > allowed) found.push({ figure: 'pdd', measured, allowed });
  return found;
}
