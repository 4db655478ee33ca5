import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { behaviourSchema } from './settings.ts';
import type { Behaviour, ProviderSettings } from './settings.ts';
import { eventOf, sendEvent } from './webhook.ts';
import type { ProviderEvent } from './webhook.ts';

interface SuppliedOrder {
  number: string;
  /** What it was told of the holder; nothing once it was asked to forget it. */
  fields: Record<string, string>;
  state: 'working' | 'supplied' | 'refused' | 'released';
  reason: string | null;
  reachable: boolean | null;
}

/** Another holder of a number, by the id that its customer gave the change. */
interface HolderChange {
  order_id: string;
  fields: Record<string, string>;
  state: 'working' | 'accepted' | 'refused';
  reason: string | null;
}

interface Answer {
  status: number;
  body: unknown;
}

const BODY_OCTETS_MAX = 100_000;
const RETRIES = [200, 1_000, 5_000];
const changeSchema = z.strictObject({
  number: z.string(),
  change_id: z.uuid(),
  fields: z.record(z.string(), z.string()),
});
const orderSchema = z.strictObject({ number: z.string(), fields: z.record(z.string(), z.string()) });

/** A provider of numbers that is simulated: it takes its time, refuses, loses answers, and tells things twice, late and out of order. */
export class SimulatedNumberProvider {
  readonly orders = new Map<string, SuppliedOrder>();
  readonly changes = new Map<string, HolderChange>();
  /** Every event with what became of each sending of it. */
  readonly told: { event: ProviderEvent; result: string }[] = [];
  readonly #settings: ProviderSettings;
  readonly #now: () => Date;
  readonly #server: Server;
  readonly #waiting = new Set<NodeJS.Timeout>();
  behaviour: Behaviour;
  /** Where it tells what became of orders. */
  webhook: ProviderSettings['webhook'];

  constructor(settings: ProviderSettings, now: () => Date) {
    this.#settings = settings;
    this.#now = now;
    this.behaviour = settings.behaviour;
    this.webhook = settings.webhook;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  async start(): Promise<void> {
    const { address, port } = this.#settings;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, address, resolve);
    });
  }

  get url(): string {
    return `http://${this.#settings.address}:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const timer of this.#waiting) clearTimeout(timer);
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The whole of it: what is left out is as of a perfect one. */
  behave(behaviour: z.input<typeof behaviourSchema>): void {
    this.behaviour = behaviourSchema.parse(behaviour);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const is_control = request.url === '/behaviour';
    if (!is_control && this.behaviour.outage === 'silence') return;
    const { status, body } = await this.#answer(request).catch((error: unknown) => {
      if (error instanceof z.ZodError || error instanceof SyntaxError)
        return { status: 400, body: { error: 'not read' } };
      return { status: 500, body: { error: String(error) } };
    });
    if (!is_control && this.behaviour.answers_lost > 0) {
      this.behaviour.answers_lost -= 1;
      response.destroy();
      return;
    }
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body === undefined ? '' : `${JSON.stringify(body)}\n`);
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const [method, url] = [request.method ?? '', request.url ?? ''];
    const body = await bodyOf(request);
    if (url === '/behaviour' && method === 'PUT') {
      this.behave(behaviourSchema.parse(body));
      return { status: 200, body: this.behaviour };
    }
    if (url === '/behaviour') return { status: 200, body: this.behaviour };
    if (request.headers.authorization !== `Bearer ${this.#settings.key}`) return { status: 401, body: {} };
    if (this.behaviour.outage === 'errors') return { status: 503, body: {} };
    const [, order_id, holder] = /^\/orders\/([0-9a-f-]{36})(\/holder)?$/u.exec(url) ?? [];
    if (order_id === undefined) return { status: 404, body: {} };
    if (method === 'PUT' && holder !== undefined) return this.#change(order_id, changeSchema.parse(body));
    if (method === 'PUT') return this.#order(order_id, orderSchema.parse(body));
    const order = this.orders.get(order_id);
    if (order === undefined) return { status: 404, body: {} };
    if (method === 'DELETE') {
      this.orders.set(order_id, { ...order, state: 'released', fields: {} });
      return { status: 204, body: undefined };
    }
    return { status: 200, body: told(order) };
  }

  /** The same order twice is one order. */
  #order(order_id: string, { number, fields }: z.output<typeof orderSchema>): Answer {
    const before = this.orders.get(order_id);
    if (before !== undefined) return { status: 200, body: told(before) };
    const order: SuppliedOrder = { number, fields, state: 'working', reason: null, reachable: null };
    this.orders.set(order_id, order);
    const { provision_ms } = this.behaviour;
    if (provision_ms === 0) this.#supply(order_id);
    else this.#later(provision_ms, () => this.#supply(order_id));
    return { status: 202, body: told(this.orders.get(order_id) ?? order) };
  }

  /** The same change twice is one change. */
  #change(order_id: string, { change_id, fields }: z.output<typeof changeSchema>): Answer {
    const order = this.orders.get(order_id);
    if (order?.state !== 'supplied') return { status: 404, body: {} };
    const before = this.changes.get(change_id);
    if (before !== undefined) return { status: 200, body: toldChange(before) };
    const change: HolderChange = { order_id, fields, state: 'working', reason: null };
    this.changes.set(change_id, change);
    const { holder_ms } = this.behaviour;
    if (holder_ms === 0) this.#endChange(change_id);
    else this.#later(holder_ms, () => this.#endChange(change_id));
    return { status: 200, body: toldChange(this.changes.get(change_id) ?? change) };
  }

  /** What would take its time is decided now. */
  decideHolder(order_id: string): void {
    for (const [change_id, change] of this.changes) if (change.order_id === order_id) this.#endChange(change_id);
  }

  /** Of the holder before it keeps nothing, nor of one whom it refuses. */
  #endChange(change_id: string): void {
    const change = this.changes.get(change_id);
    const order = change === undefined ? undefined : this.orders.get(change.order_id);
    if (change?.state !== 'working' || order?.state !== 'supplied') return;
    if (this.behaviour.holders_refused.includes(order.number)) {
      this.changes.set(change_id, { ...change, fields: {}, state: 'refused', reason: 'holder_not_eligible' });
    } else {
      this.orders.set(change.order_id, { ...order, fields: change.fields });
      this.changes.set(change_id, { ...change, fields: {}, state: 'accepted' });
    }
    this.#tell(eventOf('order.holder', change.order_id));
  }

  #supply(order_id: string): void {
    const order = this.orders.get(order_id);
    if (order?.state !== 'working') return;
    if (this.behaviour.refused.includes(order.number)) {
      this.orders.set(order_id, { ...order, state: 'refused', reason: 'number_not_assignable' });
      this.#tell(eventOf('order.refused', order_id));
      return;
    }
    this.orders.set(order_id, { ...order, state: 'supplied' });
    this.#tell(eventOf('order.supplied', order_id));
    const { test_ms } = this.behaviour;
    if (test_ms === 0) this.#test(order_id);
    else this.#later(test_ms, () => this.#test(order_id));
  }

  #test(order_id: string): void {
    const order = this.orders.get(order_id);
    if (order?.state !== 'supplied') return;
    this.orders.set(order_id, { ...order, reachable: !this.behaviour.unreachable.includes(order.number) });
    this.#tell(eventOf('order.tested', order_id));
  }

  #tell(event: ProviderEvent): void {
    const { webhook_copies, webhook_delay_ms, shuffled } = this.behaviour;
    for (let copy = 0; copy < webhook_copies; copy += 1) {
      // What was told first waits longest.
      const behind_ms = shuffled && event.type === 'order.supplied' ? 300 : 0;
      this.#later(webhook_delay_ms + behind_ms, () => this.#send(event, 0));
    }
  }

  #send(event: ProviderEvent, tries: number): void {
    const { webhook } = this;
    if (webhook === null) return;
    void sendEvent(webhook, event, this.#now()).then((result) => {
      this.told.push({ event, result });
      const wait_ms = RETRIES[tries];
      if (result !== 'taken' && wait_ms !== undefined) this.#later(wait_ms, () => this.#send(event, tries + 1));
    });
  }

  #later(after_ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#waiting.delete(timer);
      work();
    }, after_ms);
    this.#waiting.add(timer);
  }
}

const toldChange = ({ state, reason }: HolderChange): object => ({ state, reason });

const told = ({ number, state, reason, reachable }: SuppliedOrder): object => ({ number, state, reason, reachable });

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let octets = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    octets += chunk.length;
    if (octets > BODY_OCTETS_MAX) throw new SyntaxError('it is too long');
    chunks.push(chunk);
  }
  return octets === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString()) as unknown);
}
