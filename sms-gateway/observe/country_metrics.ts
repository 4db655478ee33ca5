import { Counter, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import { parseE164 } from '../../domain/numbers/e164.ts';
import type { E164 } from '../../domain/numbers/e164.ts';
import type { EndedText } from '../../domain/texts/ended_texts.ts';
import type { FinalState, MessageSource } from '../../domain/texts/message.ts';
import { noParts } from '../lanes/part_counts.ts';
import type { PartCounts } from '../lanes/part_counts.ts';

/** What is counted of the texts to one country, in numbers that are counted up in place: parts are too many for labelled counters. */
export interface CountryCounts {
  readonly accepted: Map<MessageSource, number>;
  readonly parts: PartCounts;
  readonly ended: Map<FinalState, number>;
  readonly delivered: (seconds: number) => void;
}

const DELIVERY_BUCKETS = [0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 3600, 86_400];
const OTHER = 'other';

/** What becomes of texts, by the country of their recipients: ISO 3166-1, or `other` for numbers of no country. */
export class CountryMetrics {
  readonly #countries = new Map<string, CountryCounts>();
  readonly #countryOf: (number: E164) => string | null;
  readonly #delivery_seconds: Histogram<'country'>;

  constructor(registry: Registry, countryOf: (number: E164) => string | null) {
    this.#countryOf = countryOf;
    const registers = [registry];
    this.#delivery_seconds = new Histogram({
      name: 'letsdial_texts_delivery_seconds',
      help: 'Of texts that arrived: from when each was to go until its last receipt.',
      labelNames: ['country'],
      buckets: DELIVERY_BUCKETS,
      registers,
    });
    for (const what of Object.keys(noParts()) as (keyof PartCounts)[]) {
      this.#counter(registers, `parts_${what}`, `Parts: ${what.replace('_', ' ')}.`, [], (set, { parts }) =>
        set({}, parts[what]),
      );
    }
    this.#counter(
      registers,
      'texts_accepted',
      'Texts accepted, by where they came from.',
      ['source'],
      (set, counts) => {
        for (const [source, texts] of counts.accepted) set({ source }, texts);
      },
    );
    this.#counter(registers, 'texts_ended', 'Texts by how they ended.', ['state'], (set, counts) => {
      for (const [state, texts] of counts.ended) set({ state }, texts);
    });
  }

  /** The counts of the country that a number belongs to. */
  of(number: E164): CountryCounts {
    const country = this.#countryOf(number) ?? OTHER;
    const known = this.#countries.get(country);
    if (known !== undefined) return known;
    const delivery = this.#delivery_seconds.labels({ country });
    const made: CountryCounts = {
      ...{ accepted: new Map(), parts: noParts(), ended: new Map() },
      delivered: (seconds) => delivery.observe(seconds),
    };
    this.#countries.set(country, made);
    return made;
  }

  accepted(number: E164, source: MessageSource): void {
    countUp(this.of(number).accepted, source);
  }

  ended({ recipient, state, waited_ms }: EndedText): void {
    const number = parseE164(recipient);
    if (number === null) return;
    const counts = this.of(number);
    countUp(counts.ended, state);
    if (state === 'delivered') counts.delivered(waited_ms / 1000);
  }

  /** A counter that is set, when somebody asks, to what was counted of each country. */
  #counter(
    registers: Registry[],
    name: string,
    help: string,
    labels: readonly string[],
    read: (set: (labels: Readonly<Record<string, string>>, value: number) => void, counts: CountryCounts) => void,
  ): void {
    const countries = this.#countries;
    new Counter({
      name: `letsdial_${name}_total`,
      help,
      labelNames: ['country', ...labels],
      registers,
      collect() {
        this.reset();
        for (const [country, counts] of countries) {
          read((more, value) => this.inc({ country, ...more }, value), counts);
        }
      },
    });
  }
}

function countUp<K>(counts: Map<K, number>, kind: K): void {
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
}
