import { createHmac, randomBytes } from 'node:crypto';
import type { Dispute, Payment } from './book.ts';

/** How unpleasantly events are told: none is lost, and nothing else is promised. */
export interface Telling {
  /** How often each is told. */
  times: number;
  /** The latest first, of those that wait. */
  backwards: boolean;
  delay_ms: number;
}

export interface Signed {
  body: string;
  signature: string;
}

/** Tells what happened to one address, again until it is taken. */
export class Webhooks {
  telling: Telling = { times: 1, backwards: false, delay_ms: 0 };
  /** Null: nobody is told, and what happened waits. */
  url: string | null = null;
  readonly #secret: string;
  readonly #now: () => Date;
  #waiting: string[] = [];
  #timer: NodeJS.Timeout | null = null;
  #telling_now: Promise<void> = Promise.resolve();

  constructor(secret: string, now: () => Date) {
    this.#secret = secret;
    this.#now = now;
  }

  sign(body: string, at = this.#now()): Signed {
    const t = Math.floor(at.getTime() / 1000);
    const mac = createHmac('sha256', this.#secret).update(`${t}.${body}`).digest('hex');
    return { body, signature: `t=${t},v1=${mac}` };
  }

  tellPayment(payment: Payment): void {
    this.#push({ type: 'payment', id: eventId(), payment: toldPayment(payment) });
  }

  tellDispute({ id, state, amount_cents, payment }: Dispute): void {
    const dispute = { id, state, amount_cents: amount_cents.toString() };
    this.#push({ type: 'dispute', id: eventId(), payment: toldPayment(payment), dispute });
  }

  tellFailedRefund(id: string, payment: Payment): void {
    this.#push({ type: 'refund', id: eventId(), payment: toldPayment(payment), refund: { id, state: 'failed' } });
  }

  /** Everything that waits is told now; resolves when it was taken, or told once and not taken. */
  flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#telling_now = this.#telling_now.then(() => this.#tellAll());
    return this.#telling_now;
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.url = null;
  }

  #push(event: unknown): void {
    this.#waiting.push(JSON.stringify(event));
    this.#later(this.telling.delay_ms);
  }

  #later(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      void this.flush();
    }, ms);
  }

  async #tellAll(): Promise<void> {
    const { times, backwards } = this.telling;
    const bodies = backwards ? this.#waiting.toReversed() : [...this.#waiting];
    this.#waiting = [];
    for (let time = 0; time < times; time += 1) {
      for (const body of bodies) {
        const taken = await this.#tell(body);
        if (!taken && time === times - 1) this.#waiting.push(body);
      }
    }
    if (this.#waiting.length > 0 && this.url !== null) this.#later(1_000);
  }

  async #tell(body: string): Promise<boolean> {
    if (this.url === null) return false;
    try {
      const response = await fetch(this.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'letsdial-signature': this.sign(body).signature },
        body,
        signal: AbortSignal.timeout(5_000),
      });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  }
}

const eventId = (): string => `evt_${randomBytes(9).toString('hex')}`;

/** A payment as the provider's API shows it. */
export function toldPayment({ id, reference, state, currency, checkout_url, failure, ...rest }: Payment): object {
  return {
    ...{ id, reference, state, currency, checkout_url, failure },
    amount_cents: rest.amount_cents.toString(),
    refunded_cents: rest.refunded_cents.toString(),
  };
}
