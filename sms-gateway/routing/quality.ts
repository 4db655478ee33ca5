import type { TextQuality } from '../../domain/texts/text_qualities.ts';

/** A text counts half after this many others of the same carrier, and after this long: what was bad may be good again by then. */
const HALF_LIFE_TEXTS = 500;
const HALF_LIFE_MS = 6 * 3_600_000;
const KEPT = 0.5 ** (1 / HALF_LIFE_TEXTS);
/** With fewer texts than this nothing can be said of a carrier, and it is taken to be good. */
const TEXTS_MIN = 50;
/** With fewer, its texts to a country are taken to do as all of its texts; and it takes so many to be of the same weight. */
const TEXTS_TO_COUNTRY_MIN = 25;
const NO_COUNTRY = 'ZZ';

interface Figures {
  faded_at_ms: number;
  ended: number;
  delivered: number;
}

interface Carrier {
  all: Figures;
  by_country: Map<string, Figures & { is_saved: boolean }>;
}

/** How many texts arrive of those that a carrier takes, in parts per million. */
export interface CarrierQuality {
  quality_ppm: number;
  /** Of those countries of which something can be said. */
  quality_ppm_by_country: ReadonlyMap<string, number>;
}

const UNKNOWN: CarrierQuality = { quality_ppm: 1_000_000, quality_ppm_by_country: new Map() };

/** How many of the texts that a carrier took arrived, in all and by country, the latest counting most. */
export class Quality {
  readonly #carriers = new Map<number, Carrier>();

  /** @param country null for a number of none. */
  ended(carrier_id: number, country: string | null, is_delivered: boolean, now_ms: number): void {
    const carrier = this.#carrier(carrier_id, now_ms);
    count(carrier.all, is_delivered, now_ms);
    const to_country = countryOf(carrier, country ?? NO_COUNTRY, now_ms);
    count(to_country, is_delivered, now_ms);
    to_country.is_saved = false;
  }

  /** It moves with every text; what of that changes routes is for who routes to say. */
  of(carrier_id: number, now_ms: number): CarrierQuality {
    const carrier = this.#carriers.get(carrier_id);
    if (carrier === undefined) return UNKNOWN;
    const all = shareOf(carrier.all, now_ms);
    const quality_ppm_by_country = new Map<string, number>();
    for (const [country, figures] of carrier.by_country) {
      fade(figures, now_ms);
      if (country === NO_COUNTRY || figures.ended < TEXTS_TO_COUNTRY_MIN) continue;
      // Few texts are half chance, so the others of the carrier are counted with them.
      const share = (figures.delivered + TEXTS_TO_COUNTRY_MIN * all) / (figures.ended + TEXTS_TO_COUNTRY_MIN);
      quality_ppm_by_country.set(country, Math.round(share * 1_000_000));
    }
    return { quality_ppm: Math.round(all * 1_000_000), quality_ppm_by_country };
  }

  /** What was known when it was last saved; to be told before anything is counted. */
  learn({ carrier_id, country, faded_at, ended, delivered }: TextQuality): void {
    const { all, by_country } = this.#carrier(carrier_id, faded_at.getTime());
    by_country.set(country, { faded_at_ms: faded_at.getTime(), ended, delivered, is_saved: true });
    fade(all, faded_at.getTime());
    all.ended += ended;
    all.delivered += delivered;
  }

  /** What has changed since it was last asked. What cannot be saved is to be given back by `unsaved`. */
  toSave(): TextQuality[] {
    const qualities: TextQuality[] = [];
    for (const [carrier_id, { by_country }] of this.#carriers) {
      for (const [country, figures] of by_country) {
        if (figures.is_saved) continue;
        figures.is_saved = true;
        const { faded_at_ms, ended, delivered } = figures;
        qualities.push({ carrier_id, country, faded_at: new Date(faded_at_ms), ended, delivered });
      }
    }
    return qualities;
  }

  unsaved(qualities: readonly TextQuality[]): void {
    for (const { carrier_id, country } of qualities) {
      const figures = this.#carriers.get(carrier_id)?.by_country.get(country);
      if (figures !== undefined) figures.is_saved = false;
    }
  }

  #carrier(carrier_id: number, now_ms: number): Carrier {
    const known = this.#carriers.get(carrier_id);
    if (known !== undefined) return known;
    const made: Carrier = { all: { faded_at_ms: now_ms, ended: 0, delivered: 0 }, by_country: new Map() };
    this.#carriers.set(carrier_id, made);
    return made;
  }
}

function countryOf({ by_country }: Carrier, country: string, now_ms: number): Figures & { is_saved: boolean } {
  const known = by_country.get(country);
  if (known !== undefined) return known;
  const made = { faded_at_ms: now_ms, ended: 0, delivered: 0, is_saved: true };
  by_country.set(country, made);
  return made;
}

function count(figures: Figures, is_delivered: boolean, now_ms: number): void {
  fade(figures, now_ms);
  figures.ended = figures.ended * KEPT + 1;
  figures.delivered = figures.delivered * KEPT + (is_delivered ? 1 : 0);
}

/** A clock that was set back fades nothing. */
function fade(figures: Figures, now_ms: number): void {
  const kept = 0.5 ** (Math.max(0, now_ms - figures.faded_at_ms) / HALF_LIFE_MS);
  figures.faded_at_ms = Math.max(figures.faded_at_ms, now_ms);
  figures.ended *= kept;
  figures.delivered *= kept;
}

function shareOf(figures: Figures, now_ms: number): number {
  fade(figures, now_ms);
  return figures.ended < TEXTS_MIN ? 1 : figures.delivered / figures.ended;
}
