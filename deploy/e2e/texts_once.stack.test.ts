import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { decideStray } from '../../domain/texts/testing/decide_stray.ts';
import { factsOf } from '../smsc/read_log.ts';
import { payloadOf, wholeTexts } from '../smsc/submitted_text.ts';
import { freshDatabase } from '../testing/database.ts';
import type { FreshDatabase } from '../testing/database.ts';
import { freshRedis } from '../testing/redis.ts';
import { TextWorld } from '../world/text_world.ts';
import type { Texter } from '../world/text_world.ts';
import { booksAreRight, eventually } from '../world/verdict.ts';

const PERSON = '+447700900123';
const PRICE_MICROS = 40_000n;

let database: FreshDatabase;
let world: TextWorld;
let texter: Texter;

/** A carrier that takes a part each 100 ms, one after the other: what is in line for it waits in memory. */
beforeAll(async () => {
  database = await freshDatabase();
  const redis = await freshRedis();
  world = await TextWorld.begin({
    ...{ database_url: database.url, redis_url: redis.url },
    bind: { window_max: 1, texts_per_second_max: 10 },
    settings: { RESPONSE_TIMEOUT_MS: '1000' },
  });
  texter = await world.texter({ balance_micros: 100_000_000n });
}, 60_000);

afterEach(() => carrier().behaviour({}));

afterAll(async () => {
  await booksAreRight(world.pool);
  await world.end();
  await database.drop();
});

const carrier = () => world.carrier('alpha').carrier;

interface Answer {
  status: number;
  id?: string;
  messages?: { status: number; id?: string }[];
  price?: { net_micros: string };
}

async function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`${world.gateway.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${texter.api_key}`, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { ...((await response.json()) as Omit<Answer, 'status'>), status: response.status };
}

const wish = (text: string, more: object = {}): object => ({ from: texter.number, to: PERSON, text, ...more });
const send = (text: string, more: object = {}, headers: Record<string, string> = {}): Promise<Answer> =>
  ask('POST', '/v1/messages', wish(text, more), headers);

async function stateOf(id: string | undefined): Promise<string | undefined> {
  const { rows } = await world.pool.query<{ state: string }>('select state from message_state where message_id = $1', [
    id,
  ]);
  return rows[0]?.state;
}

const inState = (id: string | undefined, state: string): Promise<true> =>
  eventually(`the text to be ${state}`, 15_000, async () => ((await stateOf(id)) === state ? true : null));

async function balance(): Promise<bigint> {
  const { rows } = await world.pool.query<{ balance_micros: string }>(
    'select balance_micros from wallet where id = $1',
    [texter.wallet_id.toString()],
  );
  return BigInt(rows[0]?.balance_micros ?? '-1');
}

/** How often the carrier was sent something that holds this. */
async function submits(words: string): Promise<number> {
  const all = await factsOf(world.carrier('alpha').log_file, 'submit');
  return all.filter((submit) => payloadOf(submit).text.includes(words)).length;
}

const newTag = (): string => randomUUID().slice(0, 8);

describe('over a slow bind', () => {
  it('a long text arrives whole, each part once, and the next one after it', async () => {
    const tag = newTag();
    const body = `${tag} ${'a long text '.repeat(40)}`;
    const [long, next] = [await send(body), await send(`after ${tag}`)];
    await Promise.all([inState(long.id, 'delivered'), inState(next.id, 'delivered')]);
    const all = await factsOf(world.carrier('alpha').log_file, 'submit');
    const whole = wholeTexts(all.filter(({ status }) => status === 0)).map(({ text }) => text);
    expect(whole.filter((text) => text.includes(tag))).toEqual([body, `after ${tag}`]);
  });

  it('a text that waits in memory is taken back, and never sent', async () => {
    const before = await balance();
    const tag = newTag();
    // In one batch: sent one after another, the last might leave before it is asked back.
    const wishes = Array.from({ length: 8 }, (_, n) => wish(`${tag} ${n}`));
    const texts = (await ask('POST', '/v1/messages', { messages: wishes })).messages ?? [];
    const last = texts.at(-1);
    expect(await ask('DELETE', `/v1/messages/${last?.id ?? ''}`)).toMatchObject({ status: 200 });
    await inState(texts.at(-2)?.id, 'delivered');
    expect(await submits(`${tag} 7`)).toBe(0);
    expect(await balance()).toBe(before - 7n * PRICE_MICROS);
  });
});

describe('a carrier that answers too late', () => {
  it('is sent each text once more at most, and it is charged once', async () => {
    const before = await balance();
    const tag = newTag();
    await carrier().behaviour({ unanswered_per_mille: 1000, late_answer_ms: 1500 });
    const { id } = await send(`late ${tag}`);
    await inState(id, 'delivered');
    expect(await submits(tag)).toBeLessThanOrEqual(2);
    expect(await balance()).toBe(before - PRICE_MICROS);
  });

  it('or never is sent each text no more than three times, and then a person decides', async () => {
    const tag = newTag();
    await carrier().behaviour({ unanswered_per_mille: 1000, receipts: { lost_per_mille: 1000 } });
    const { id } = await send(`silence ${tag}`);
    await inState(id, 'in_doubt');
    expect(await submits(tag)).toBe(3);
  });
});

describe('a request that is repeated', () => {
  it('is answered as it was, though it would be refused by now', async () => {
    const headers = { 'idempotency-key': newTag() };
    const first = await send('once', {}, headers);
    expect(first.status).toBe(202);
    const block = (prefixes: string[]) =>
      world.pool.query('update call_limit set blocked_prefixes = $2 where account_id = $1', [
        texter.account_id,
        prefixes,
      ]);
    await block(['44']);
    await eventually('new texts to be refused', 10_000, async () => ((await send('new')).status === 403 ? true : null));
    expect(await send('once', {}, headers)).toEqual(first);
    await block([]);
    await eventually('new texts to be taken', 10_000, async () => ((await send('new')).status === 202 ? true : null));
  });

  it('is one request also where it is a batch, and refused where its key is too long or nothing', async () => {
    const body = { messages: [wish('one'), wish('two')] };
    const headers = { 'idempotency-key': newTag() };
    const first = await ask('POST', '/v1/messages', body, headers);
    expect(first.messages?.map(({ status }) => status)).toEqual([202, 202]);
    const before = await balance();
    expect(await ask('POST', '/v1/messages', body, headers)).toEqual(first);
    expect(await balance()).toBe(before);
    for (const key of ['', 'k'.repeat(200)]) {
      expect((await ask('POST', '/v1/messages', body, { 'idempotency-key': key })).status).toBe(400);
    }
  });
});

it('a text that holds half a character is refused by itself, and not the batch that it came in', async () => {
  const body = { messages: [wish('whole'), wish('half \ud83d'), wish('nothing \0')] };
  const answer = await ask('POST', '/v1/messages', body);
  expect(answer.messages?.map(({ status }) => status)).toEqual([202, 400, 400]);
});

it('a text that waits for its time is not sent to who has said STOP since, and its price comes back', async () => {
  const before = await balance();
  const [to, tag] = ['+447700900301', newTag()];
  const scheduled = await send(`later ${tag}`, { to, send_at: new Date(Date.now() + 4_000).toISOString() });
  expect(scheduled.status).toBe(202);
  await carrier().sendMo({ from: to, to: texter.number, text: 'STOP' });
  await inState(scheduled.id, 'rejected');
  expect(await submits(tag)).toBe(0);
  expect(await balance()).toBe(before);
});

it('nor is one that waits in memory, where the STOP came while nobody had the number and the desk handed it on', async () => {
  const before = await balance();
  const [to, tag] = ['+447700900302', newTag()];
  await setNumber('suspended');
  await carrier().sendMo({ from: to, to: texter.number, text: 'STOP' });
  const stop = await eventually('the STOP for nobody', 10_000, () => strayFrom(to));
  await setNumber('active');
  // Some seconds of this carrier's time.
  const others = await Promise.all(Array.from({ length: 40 }, (_, n) => send(`${tag} ${n}`)));
  const last = await send(`last ${tag}`, { to });
  expect(last.status).toBe(202);
  expect(await decideStray(world.pool, stop, randomUUID())).toBe('done');
  await inState(last.id, 'rejected');
  for (const { id } of others) await inState(id, 'delivered');
  expect(await submits(`last ${tag}`)).toBe(0);
  expect(await balance()).toBe(before - 40n * PRICE_MICROS);
});

it('nor is one that the gateway before may have sent, and its price comes back', async () => {
  const before = await balance();
  const [to, tag] = ['+447700900303', newTag()];
  // Enough that they are still being sent when the next gateway has told the last of them by its recipient's STOP.
  const others = await Promise.all(Array.from({ length: 40 }, (_, n) => send(`${tag} ${n}`)));
  const last = await send(`last ${tag}`, { to });
  expect(last.status).toBe(202);
  world.gateway.kill();
  await world.startGateway();
  await eventually('the text to be in the hands of the next gateway', 15_000, async () => {
    const { rows } = await world.pool.query(
      `select 1 from message_queue where message_id = $1 and state = 'c' and attempt = 2 and sending`,
      [last.id],
    );
    return rows.length === 1 ? true : null;
  });
  await carrier().sendMo({ from: to, to: texter.number, text: 'STOP' });
  await inState(last.id, 'rejected');
  for (const { id } of others) await inState(id, 'delivered');
  expect(await submits(`last ${tag}`)).toBe(0);
  expect(await balance()).toBe(before - 40n * PRICE_MICROS);
}, 60_000);

async function setNumber(state: 'active' | 'suspended'): Promise<void> {
  await world.pool.query('update did set state = $2 where number = $1', [texter.number, state]);
}

/** The latest text from there that came for nobody. */
async function strayFrom(sender: string): Promise<string | null> {
  const { rows } = await world.pool.query<{ id: string }>(
    'select id from message where account_id is null and sender = $1 order by id desc limit 1',
    [sender],
  );
  return rows[0]?.id ?? null;
}
