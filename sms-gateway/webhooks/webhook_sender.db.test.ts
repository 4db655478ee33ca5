import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Customer } from '../../deploy/world/people.ts';
import { replayDeadLetters } from '../../domain/texts/dead_letters.ts';
import { takeDueDeliveries } from './due_deliveries.ts';
import { RETRY_DELAYS_MS } from './retry_schedule.ts';
import { verifyWebhook } from './signature.ts';
import { CustomerServer, silence, status } from './testing/customer_server.ts';
import { SenderAtWork, WebhookWorld } from './testing/webhook_world.ts';
import type { WebhookSenderOptions } from './webhook_sender.ts';

const start = new Date('2026-01-15T12:00:00Z');
const start_ms = start.getTime();
const after = (ms: number): Date => new Date(start_ms + ms);

let world: WebhookWorld;
let customer: CustomerServer;
const at_work: SenderAtWork[] = [];

beforeAll(async () => {
  world = await WebhookWorld.make();
});

afterAll(() => world.books.end());

beforeEach(async () => {
  customer = await new CustomerServer().listen();
});

afterEach(async () => {
  for (const one of at_work.splice(0)) await one.stop();
  await customer.close();
  await world.forgetDeliveries();
});

function sender(wishes: Partial<WebhookSenderOptions> = {}, allow_private = true): SenderAtWork {
  const one = new SenderAtWork(world.books, start_ms, wishes, allow_private);
  at_work.push(one);
  return one;
}

/** A customer with an endpoint on that path, and that many receipts it is to hear of. */
async function waiting(receipts: number, path = '/hook') {
  const one = await world.customer();
  const endpoint = await world.endpoint(one, customer.url(path));
  const texts = [];
  for (let n = 0; n < receipts; n += 1) texts.push(await world.delivered(one, start, { client_ref: `${path}-${n}` }));
  return { customer: one, endpoint, texts };
}

/** How many of what the customer could not be told are told again. */
async function replay({ account_id }: Customer, at: Date): Promise<number> {
  const wishes = { account_id, since: null, message_id: null, rows_max: 100 };
  return (await replayDeadLetters(world.books.pool, wishes, at)).replayed;
}

const refsOn = (path: string): unknown[] =>
  customer.hitsOn(path).map(({ body }) => (JSON.parse(body) as { data: { client_ref: unknown } }).data.client_ref);

describe('a webhook', () => {
  it('tells of a receipt, once, signed for its endpoint', async () => {
    const { endpoint, texts, customer: who } = await waiting(1);
    const work = sender();
    await work.wakeUntil('delivered', 1);
    await work.later(3_600_000).stop();
    expect(customer.hits).toHaveLength(1);
    const [hit] = customer.hits;
    expect(hit?.headers).toMatchObject({ 'content-type': 'application/json' });
    expect(verifyWebhook([endpoint.secret], hit?.signed ?? never(), hit?.body ?? '', start_ms / 1000)).toBe('valid');
    expect(JSON.parse(hit?.body ?? '')).toEqual({
      type: 'message.receipt',
      timestamp: start.toISOString(),
      data: {
        ...{ id: texts[0]?.id, client_ref: '/hook-0', state: 'delivered', error: null, segments: 1 },
        ...{ price: { amount_micros: '1000', currency: 'EUR' }, sender: who.number, recipient: '+447700900123' },
      },
    });
    expect(await world.deliveries(endpoint)).toEqual([]);
  });

  it('tells of a text that came', async () => {
    const { customer: who } = await waiting(0);
    const arrival = await world.arrived(who, start, { body: 'STOP ✋', encoding: 'ucs2', keyword: 'stop' });
    const work = sender();
    await work.wakeUntil('delivered', 1);
    expect(JSON.parse(customer.hits[0]?.body ?? '')).toEqual({
      type: 'message.received',
      timestamp: start.toISOString(),
      data: {
        ...{ id: arrival.id, sender: '+447700900999', recipient: who.number, text: 'STOP ✋', encoding: 'ucs2' },
        ...{ segments: 1, keyword: 'stop', received_at: start.toISOString() },
      },
    });
  });

  it('is found by looking now and then, too', async () => {
    const work = sender();
    work.sender.start();
    await waiting(1);
    while (work.count('delivered') === 0) {
      // Not while it is told: the clock is what the customer's answer is waited for by, too.
      if (work.sender.under_way === 0) work.clock.advance(1000);
      await new Promise(setImmediate);
    }
    expect(customer.hits).toHaveLength(1);
  });

  it('begins in the order of what happened', async () => {
    await waiting(9);
    const work = sender({ under_way_max_per_endpoint: 1 });
    await work.wakeUntil('delivered', 9);
    expect(refsOn('/hook')).toEqual(Array.from({ length: 9 }, (_, n) => `/hook-${n}`));
  });
});

describe('a secret that was replaced', () => {
  const replaced = `whsec_${'b'.repeat(40)}`;

  it.each([
    ['signs beside the new one for a while', 1, 'valid'],
    ['signs nothing any more after that', -1, 'forged'],
  ] as const)('%s', async (_, seconds_left, verdict) => {
    const { endpoint } = await waiting(1);
    await world.books.pool.query('update webhook_endpoint set secret = $2 where id = $1', [endpoint.id, replaced]);
    await world.books.pool.query('update webhook_endpoint set old_secret_until = $2 where id = $1', [
      endpoint.id,
      after(seconds_left * 1000),
    ]);
    const work = sender();
    await work.wakeUntil('delivered', 1);
    await work.stop();
    const [hit] = customer.hits;
    const verified = (secret: string) =>
      verifyWebhook([secret], hit?.signed ?? never(), hit?.body ?? '', start_ms / 1000);
    expect([verified(replaced), verified(endpoint.secret)]).toEqual(['valid', verdict]);
  });
});

describe('a delivery that fails', () => {
  it('comes again with the same id and body, newly signed, and then no more', async () => {
    const { endpoint } = await waiting(1);
    customer.answers.set('/hook', [status(500)]);
    const work = sender();
    await work.wakeUntil('failed', 1);
    expect(await world.deliveries(endpoint)).toEqual([
      { attempts: 1, due_at: after(5000), dead_at: null, last_error: 'The server answered 500.' },
    ]);
    await work.later(4999).wakeUntil('taken', 1);
    await work.later(1).wakeUntil('delivered', 1);
    const [first, second] = customer.hits;
    expect(second?.body).toBe(first?.body);
    expect(second?.signed['webhook-id']).toBe(first?.signed['webhook-id']);
    expect(second?.signed['webhook-timestamp']).toBe((start_ms / 1000 + 5).toString());
    expect(verifyWebhook([endpoint.secret], second?.signed ?? never(), second?.body ?? '', start_ms / 1000)).toBe(
      'valid',
    );
    expect([customer.hits.length, await world.deliveries(endpoint)]).toEqual([2, []]);
  });

  it('holds up no later one', async () => {
    const { endpoint } = await waiting(3);
    customer.answers.set('/hook', [status(500)]);
    const work = sender({ under_way_max_per_endpoint: 1 });
    await work.wakeUntil('delivered', 2);
    expect(refsOn('/hook')).toEqual(['/hook-0', '/hook-1', '/hook-2']);
    expect(await world.deliveries(endpoint)).toMatchObject([{ attempts: 1 }]);
  });

  it('by silence comes again', async () => {
    const { endpoint } = await waiting(1);
    customer.answers.set('/hook', [silence]);
    const work = sender();
    work.sender.wake();
    await customer.untilHits(1);
    work.clock.advance(10_000);
    await work.until(() => work.count('failed') === 1);
    expect(work.events).toContainEqual(expect.objectContaining({ type: 'failed', reason: 'timeout', failures: 1 }));
    await work.later(5000).wakeUntil('delivered', 1);
    expect(await world.deliveries(endpoint)).toEqual([]);
  });

  it('by a redirect is not chased', async () => {
    const elsewhere = await new CustomerServer().listen();
    await waiting(1);
    customer.otherwise = status(302, { location: elsewhere.url() });
    const work = sender();
    await work.wakeUntil('failed', 1);
    expect(work.events).toContainEqual(expect.objectContaining({ type: 'failed', reason: 'redirect' }));
    await work.stop();
    expect(elsewhere.hits).toEqual([]);
    await elsewhere.close();
  });

  it('waits as long as the server asks, and so do the others of that endpoint, but nobody else', async () => {
    const { endpoint } = await waiting(2, '/busy');
    customer.answers.set('/busy', [status(429, { 'retry-after': '90' })]);
    const work = sender({ under_way_max_per_endpoint: 1 });
    await work.wakeUntil('failed', 1);
    const { endpoint: idle } = await waiting(1, '/idle');
    await work.later(89_999).wakeUntil('delivered', 1);
    expect(await world.deliveries(idle)).toEqual([]);
    expect(customer.hitsOn('/busy')).toHaveLength(1);
    expect(await world.deliveries(endpoint)).toMatchObject([
      { attempts: 1, due_at: after(90_000) },
      { attempts: 0, due_at: start },
    ]);
    await work.later(1).wakeUntil('delivered', 3);
    expect(await world.deliveries(endpoint)).toEqual([]);
  });

  it('ten times is dead, and lives again when somebody asks', async () => {
    const { endpoint, customer: who } = await waiting(1);
    customer.otherwise = status(500);
    const work = sender();
    for (const [n, delay_ms] of RETRY_DELAYS_MS.entries()) {
      await work.wakeUntil('failed', n + 1);
      work.later(delay_ms);
    }
    await work.wakeUntil('dead', 1);
    expect(await world.deliveries(endpoint)).toMatchObject([
      { attempts: 10, dead_at: new Date(work.at_ms), last_error: 'The server answered 500.' },
    ]);
    await work.later(86_400_000).stop();
    expect(customer.hits).toHaveLength(10);

    customer.otherwise = status(200);
    expect(await replay(who, new Date(work.at_ms))).toBe(1);
    expect(await replay(who, new Date(work.at_ms))).toBe(0);
    const next = sender().later(work.at_ms - start_ms);
    await next.wakeUntil('delivered', 1);
    expect(new Set(customer.hits.map(({ signed }) => signed['webhook-id'])).size).toBe(1);
    expect(await world.deliveries(endpoint)).toEqual([]);
  });

  it('is sent nowhere near our own network', async () => {
    const { endpoint } = await waiting(1);
    const work = sender({}, false);
    await work.wakeUntil('failed', 1);
    expect(work.events).toContainEqual(expect.objectContaining({ type: 'failed', reason: 'refused_address' }));
    expect([customer.hits.length, customer.connections]).toEqual([0, 0]);
    expect(await world.deliveries(endpoint)).toMatchObject([
      { attempts: 1, last_error: '127.0.0.1 is not an address of the internet.' },
    ]);
  });
});

describe('an endpoint', () => {
  it('that is slow holds up no other', async () => {
    const { endpoint: slow } = await waiting(12, '/slow');
    customer.answers.set(
      '/slow',
      Array.from({ length: 12 }, () => silence),
    );
    const work = sender({ under_way_max: 6 });
    work.sender.wake();
    await customer.untilHits(4, '/slow');
    await waiting(5, '/quick');
    await work.wakeUntil('delivered', 5);
    expect(refsOn('/quick')).toHaveLength(5);
    expect([customer.hitsOn('/slow').length, work.sender.under_way]).toEqual([4, 4]);

    // One that has timed out is tried by one at a time.
    work.clock.advance(10_000);
    await work.until(() => work.count('failed') === 4);
    await customer.untilHits(5, '/slow');
    work.sender.wake();
    await waiting(1, '/quick-too');
    await work.wakeUntil('delivered', 6);
    expect([customer.hitsOn('/slow').length, work.sender.under_way]).toEqual([5, 1]);
    expect(await world.deliveries(slow)).toHaveLength(12);
  });

  it('that is gone is switched off, and what it was to be told is kept', async () => {
    const { endpoint, customer: who } = await waiting(6);
    customer.otherwise = status(410);
    const work = sender();
    await work.wakeUntil('endpoint_closed', 1);
    await work.later(86_400_000).stop();
    expect(customer.hits.length).toBeLessThanOrEqual(4);
    const letters = await world.deliveries(endpoint);
    expect(letters).toHaveLength(6);
    for (const letter of letters)
      expect(letter).toMatchObject({ last_error: 'The server answered 410 Gone.', dead_at: start });
    await world.delivered(who, start);
    expect(await world.deliveries(endpoint)).toHaveLength(6);

    expect(await replay(who, start)).toBe(0);
    await world.books.pool.query('update webhook_endpoint set enabled = true where id = $1', [endpoint.id]);
    customer.otherwise = status(200);
    expect(await replay(who, start)).toBe(6);
    const next = sender();
    await next.wakeUntil('delivered', 6);
    expect(await world.deliveries(endpoint)).toEqual([]);
  });

  it('that was switched off by its owner hears nothing more', async () => {
    const { endpoint } = await waiting(2);
    await world.books.pool.query('update webhook_endpoint set enabled = false where id = $1', [endpoint.id]);
    const work = sender();
    await work.wakeUntil('dead', 2);
    expect(work.events).toContainEqual(expect.objectContaining({ type: 'dead', reason: 'no_endpoint' }));
    expect(customer.hits).toEqual([]);
  });
});

describe('a sender', () => {
  it('that dies after it has taken a delivery leaves it to the next one', async () => {
    const { endpoint } = await waiting(1);
    const taken = await takeDueDeliveries(world.books.pool, {
      ...{ now: start, taken_until: after(60_000), rows_max: 10, rows_max_per_endpoint: 4, rooms: new Map() },
    });
    expect(taken).toHaveLength(1);
    const next = sender().later(59_999);
    await waiting(1, '/other');
    await next.wakeUntil('delivered', 1);
    expect(customer.hits.map(({ path }) => path)).toEqual(['/other']);
    await next.later(1).wakeUntil('delivered', 2);
    expect(await world.deliveries(endpoint)).toEqual([]);
    expect(customer.hits).toHaveLength(2);
  });

  it('that was too slow does not meddle with what another one has taken', async () => {
    const { endpoint } = await waiting(1);
    customer.answers.set('/hook', [silence, silence]);
    const [slow, next] = [sender(), sender().later(60_000)];
    slow.sender.wake();
    await customer.untilHits(1);
    next.sender.wake();
    await customer.untilHits(2);
    slow.clock.advance(10_000);
    await slow.until(() => slow.count('failed') === 1);
    expect(await world.deliveries(endpoint)).toMatchObject([{ attempts: 0, due_at: after(120_000) }]);
  });

  it('shares the work with another one, and neither does it twice', async () => {
    await waiting(30);
    const two = [sender(), sender()];
    for (const one of two) one.sender.wake();
    const delivered = (): number => two.reduce((sum, one) => sum + one.count('delivered'), 0);
    while (delivered() < 30) await new Promise(setImmediate);
    expect(new Set(refsOn('/hook')).size).toBe(30);
    expect(customer.hits).toHaveLength(30);
  });

  it('writes what came of a delivery when the database is back', async () => {
    const { endpoint } = await waiting(2);
    customer.answers.set('/hook', [status(200), status(500)]);
    let is_away = false;
    const db = {
      query: (query: never) =>
        is_away ? Promise.reject(new Error('connect ECONNREFUSED')) : world.books.pool.query(query),
    };
    const work = sender({ db, under_way_max_per_endpoint: 2 });
    customer.otherwise = silence;
    is_away = true;
    await work.wakeUntil('outage', 1);
    is_away = false;
    work.sender.wake();
    await work.until(() => work.count('taken') === 2);
    is_away = true;
    await work.until(() => work.count('outage') >= 3);
    expect([work.told.includes('delivered'), work.sender.under_way]).toEqual([false, 2]);
    is_away = false;
    while (work.count('delivered') + work.count('failed') < 2) {
      work.clock.advance(1000);
      await new Promise(setImmediate);
    }
    expect(await world.deliveries(endpoint)).toMatchObject([{ attempts: 1 }]);
    expect(customer.hits).toHaveLength(2);
  });

  it('that is stopped ends what is under way, and takes nothing more', async () => {
    const { endpoint } = await waiting(5);
    let answer = (): void => undefined;
    customer.answers.set('/hook', [(response) => (answer = () => void response.writeHead(200).end())]);
    const work = sender({ under_way_max_per_endpoint: 1 });
    work.sender.wake();
    await customer.untilHits(1);
    const stopped = work.sender.stop();
    work.sender.wake();
    answer();
    await stopped;
    expect([customer.hits.length, work.told]).toEqual([1, ['delivered']]);
    expect(await world.deliveries(endpoint)).toHaveLength(4);
  });
});

function never(): never {
  throw new Error('The server was not asked.');
}
