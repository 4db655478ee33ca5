import type { Behaviour, BehaviourInput } from './behaviour.ts';
import type { Counts } from './fact.ts';
import type { MoOrderInput, MoResult } from './mo_order.ts';
import type { SmscState } from './smsc.ts';

/** What a test tells a simulated carrier, over its control port. */
export class SimulatedCarrier {
  readonly #url: string;

  /** @param url of the control port: http://127.0.0.1:2776 */
  constructor(url: string) {
    this.#url = url;
  }

  /** From now on: exactly this, and for what is left out the perfect carrier. */
  behaviour(behaviour: BehaviourInput): Promise<Behaviour> {
    return this.#ask<Behaviour>('PUT', '/behaviour', behaviour);
  }

  /** A text from a phone; resolves when its parts are acknowledged, or `wait_ms` is over. */
  sendMo(order: MoOrderInput): Promise<MoResult> {
    return this.#ask<MoResult>('POST', '/mo', order);
  }

  /** Resets all connections; resolves with how many there were. */
  async disconnect(): Promise<number> {
    return (await this.#ask<{ disconnected: number }>('POST', '/disconnect', {})).disconnected;
  }

  /** Opens the SMPP port, or closes it and resets all connections. */
  async listen(on: boolean): Promise<void> {
    await this.#ask('POST', '/listen', { on });
  }

  /** On: it goes deaf, with its connections open. */
  async stopReading(on: boolean): Promise<void> {
    await this.#ask('POST', '/stop-reading', { on });
  }

  state(): Promise<SmscState> {
    return this.#ask<SmscState>('GET', '/state');
  }

  counts(): Promise<Counts> {
    return this.#ask<Counts>('GET', '/counts');
  }

  async #ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`The simulated carrier refused ${method} ${path} (${response.status}): ${text}`);
    return JSON.parse(text) as T;
  }
}
