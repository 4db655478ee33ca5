import { randomUUID } from 'node:crypto';
import type { TextWorld } from '../../world/text_world.ts';

/** Longer than any cut, so that a carrier has the time to bring a text again. */
const ACKNOWLEDGED_WITHIN_MS = 120_000;

/** People who answer: texts that come to a number, by each carrier in turns. */
export class Phones {
  readonly #world: TextWorld;
  readonly #to: string;
  /** What they wrote, and the gateway said it has. */
  readonly acknowledged: string[] = [];
  readonly failed: string[] = [];
  readonly #under_way = new Set<Promise<void>>();
  #count = 0;

  constructor(world: TextWorld, to: string) {
    this.#world = world;
    this.#to = to;
  }

  send(): void {
    const carriers = [...this.#world.carriers.values()];
    this.#count += 1;
    const { carrier } = carriers[this.#count % carriers.length] ?? {};
    if (carrier === undefined) throw new Error('There is no carrier.');
    const text = `An answer, ${randomUUID()}`;
    const from = `+447700${String(900_000 + (this.#count % 1_000))}`;
    const sending: Promise<void> = carrier
      .sendMo({ from, to: this.#to, text, wait_ms: ACKNOWLEDGED_WITHIN_MS })
      .then(({ parts }) => {
        if (parts.every(({ status }) => status === 0)) this.acknowledged.push(text);
        else this.failed.push(`A text to ${this.#to} was not taken: ${JSON.stringify(parts)}`);
      })
      .catch((error: unknown) => void this.failed.push(`A text to ${this.#to} could not be sent: ${String(error)}`))
      .finally(() => this.#under_way.delete(sending));
    this.#under_way.add(sending);
  }

  get waiting(): number {
    return this.#under_way.size;
  }
}
