import type { ReceiptState } from '../../domain/texts/message.ts';

/** A text counts half after this many others of the same carrier. */
const HALF_LIFE_TEXTS = 500;
const KEPT = 0.5 ** (1 / HALF_LIFE_TEXTS);
/** With fewer texts than this nothing can be said of a carrier, and it is taken to be good. */
const TEXTS_MIN = 50;

interface Figures {
  ended: number;
  delivered: number;
  count: number;
}

/** How many of the texts that a carrier took arrived, the latest counting most. */
export class Quality {
  readonly #carriers = new Map<number, Figures>();

  ended(carrier_id: number, state: ReceiptState): void {
    if (state === 'enroute' || state === 'accepted') return;
    const figures = this.#carriers.get(carrier_id) ?? { ended: 0, delivered: 0, count: 0 };
    figures.ended = figures.ended * KEPT + 1;
    figures.delivered = figures.delivered * KEPT + (state === 'delivered' ? 1 : 0);
    figures.count += 1;
    this.#carriers.set(carrier_id, figures);
  }

  /** In parts per million. It moves with every text; what of that changes routes is for who routes to say. */
  of(carrier_id: number): number {
    const figures = this.#carriers.get(carrier_id);
    if (figures === undefined || figures.count < TEXTS_MIN) return 1_000_000;
    return Math.round((figures.delivered / figures.ended) * 1_000_000);
  }
}
