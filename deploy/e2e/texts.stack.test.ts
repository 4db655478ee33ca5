import { randomUUID } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { explainText } from '../../sms-gateway/explain/explain_text.ts';
import { verifyWebhook, type WebhookHeaders } from '../../sms-gateway/webhooks/signature.ts';
import { factsOf } from '../smsc/read_log.ts';
import { payloadOf, wholeTexts } from '../smsc/submitted_text.ts';
import { freshDatabase } from '../testing/database.ts';
import type { FreshDatabase } from '../testing/database.ts';
import { freshRedis } from '../testing/redis.ts';
import { TextClient } from '../world/text_client.ts';
import { TextWorld } from '../world/text_world.ts';
import type { Texter } from '../world/text_world.ts';
import { booksAreRight, eventually } from '../world/verdict.ts';

const PERSON = '+447700900123';
const MONEY_MICROS = 10_000_000n;

let database: FreshDatabase;
let world: TextWorld;
let texter: Texter;
let client: TextClient;

beforeAll(async () => {
  database = await freshDatabase();
  const redis = await freshRedis();
  world = await TextWorld.begin({
    database_url: database.url,
    redis_url: redis.url,
    carriers: ['alpha', 'beta'],
    bind: { more: { receipt_id_form: 'any' } },
    settings: { RESPONSE_TIMEOUT_MS: '1500', UNROUTED_RETRY_MS: '3000', WEBHOOKS_TO_PRIVATE_ADDRESSES: 'yes' },
  });
  texter = await world.texter({ balance_micros: MONEY_MICROS });
  client = new TextClient(world.gateway.url, texter.api_key);
}, 60_000);

afterEach(async () => {
  for (const { carrier } of world.carriers.values()) await carrier.behaviour({});
});

afterAll(async () => {
  await booksAreRight(world.pool);
  const { rows } = await world.pool.query<{ id: string }>('select id from message');
  const contradictions: string[] = [];
  for (const { id } of rows) {
    const told = await explainText(world.pool, id, false);
    if (told.kind !== 'told') throw new Error(`The text ${id} has no story.`);
    contradictions.push(...told.story.contradictions.map((one) => `${id}: ${one}`));
  }
  await world.end();
  await database.drop();
  expect(contradictions).toEqual([]);
});

const alpha = () => world.carrier('alpha').carrier;
const beta = () => world.carrier('beta').carrier;

function inState(id: string, state: string, within_ms = 10_000): Promise<true> {
  return eventually(`the text to be ${state}`, within_ms, async () => {
    const { rows } = await world.pool.query<{ state: string }>(
      'select state from message_state where message_id = $1',
      [id],
    );
    return rows[0]?.state === state ? true : null;
  });
}

/** Whether it comes to wait till later; not, where it comes to an end. */
async function waitsForAnotherTime(id: string): Promise<boolean> {
  return eventually('the text to wait, or to be delivered', 8_000, async () => {
    const { rows } = await world.pool.query<{ waits: boolean; is_delivered: boolean }>(
      `select coalesce(q.state = 'w' and q.due_at > now() + interval '1 second', false) as waits, s.state = 'delivered' as is_delivered
         from message_state s left join message_queue q on q.message_id = s.message_id where s.message_id = $1`,
      [id],
    );
    const { waits = false, is_delivered = false } = rows[0] ?? {};
    return waits ? 'waits' : is_delivered ? 'delivered' : null;
  }).then((verdict) => verdict === 'waits');
}

async function balance(): Promise<bigint> {
  const { rows } = await world.pool.query<{ balance_micros: string }>(
    'select balance_micros from wallet where id = $1',
    [texter.wallet_id.toString()],
  );
  return BigInt(rows[0]?.balance_micros ?? '-1');
}

/** What that carrier took of texts that hold the tag. */
async function taken(carrier: string, tag: string): Promise<string[]> {
  const submits = await factsOf(world.carrier(carrier).log_file, 'submit');
  return wholeTexts(submits.filter(({ status }) => status === 0))
    .map(({ text }) => text)
    .filter((text) => text.includes(tag));
}

const tagged = (text: string): { tag: string; text: string } => {
  const tag = randomUUID().slice(0, 8);
  return { tag, text: `${text} ${tag}` };
};

describe('a text', () => {
  it('is charged, sent, and known to have arrived', async () => {
    const before = await balance();
    const reply = await client.send({ from: texter.number, to: PERSON, text: 'Hello' });
    expect(reply).toMatchObject({ status: 202, segments: 1, price: { net_micros: '40000' } });
    await inState(reply.id, 'delivered');
    expect(await balance()).toBe(before - 40_000n);
    expect(await client.view(reply.id)).toMatchObject({ state: 'delivered', from: texter.number, to: PERSON });
  });

  it('of several segments arrives as one and has one receipt, though those of its parts come early and twice', async () => {
    await alpha().behaviour({
      receipts: { early_per_mille: 1000, twice_per_mille: 1000, intermediate_per_mille: 500 },
      ids: { form: 'hex', receipt_form: 'decimal' },
    });
    const { tag, text } = tagged('Zażółć gęślą jaźń 😀 '.repeat(8));
    const reply = await client.send({ from: texter.number, to: PERSON, text });
    expect(reply.segments).toBeGreaterThan(2);
    await inState(reply.id, 'delivered');
    expect(await taken('alpha', tag)).toEqual([text]);
    const { rows } = await world.pool.query<{ kind: string; count: string }>(
      `select kind, count(*) from message_event where message_id = $1 and (kind = 'final' or state = 'delivered') group by kind`,
      [reply.id],
    );
    expect(new Map(rows.map(({ kind, count }) => [kind, Number(count)]))).toEqual(
      new Map([
        ['final', 1],
        ['receipt', reply.segments],
      ]),
    );
  });

  it('goes to the next carrier where the first does not want it, and comes back with its price where none does', async () => {
    await alpha().behaviour({ refuse: [{ status: 'ESME_RSYSERR' }] });
    const over_beta = tagged('Over the second carrier');
    const reply = await client.send({ from: texter.number, to: PERSON, text: over_beta.text });
    await inState(reply.id, 'delivered');
    expect([await taken('alpha', over_beta.tag), await taken('beta', over_beta.tag)]).toEqual([[], [over_beta.text]]);

    await beta().behaviour({ refuse: [{ status: 'ESME_RINVDSTADR' }] });
    const before = await balance();
    const refused = await client.send({ from: texter.number, to: PERSON, text: 'To nobody' });
    await inState(refused.id, 'rejected');
    expect(await balance()).toBe(before);
  });

  it('that no carrier takes for the moment waits until one does, and keeps its charge', async () => {
    for (const { carrier } of world.carriers.values())
      await carrier.behaviour({ refuse: [{ status: 'ESME_RSYSERR' }] });
    const before = await balance();
    const { tag, text } = tagged('Not now');
    const reply = await client.send({ from: texter.number, to: PERSON, text });
    await eventually('both carriers to have refused it', 10_000, async () => {
      const { rows } = await world.pool.query<{ refusals: string }>(
        `select count(*) as refusals from message_event where message_id = $1 and kind = 'refused'`,
        [reply.id],
      );
      return rows[0]?.refusals === '2' ? true : null;
    });
    await inState(reply.id, 'queued');
    for (const { carrier } of world.carriers.values()) await carrier.behaviour({});
    await inState(reply.id, 'delivered', 20_000);
    expect([...(await taken('alpha', tag)), ...(await taken('beta', tag))]).toEqual([text]);
    expect(await balance()).toBe(before - 40_000n);
  });

  it('of which a carrier says nothing is sent again and flagged, or held, as its sender wished', async () => {
    await alpha().behaviour({ unanswered_per_mille: 1000 });
    const [again, held] = [tagged('Again'), tagged('Held')];
    const wish = { from: texter.number, to: PERSON };
    const resent = await client.send({ ...wish, text: again.text, on_doubt: 'resend' });
    const kept = await client.send({ ...wish, text: held.text, on_doubt: 'hold' });
    await inState(kept.id, 'in_doubt');
    await alpha().behaviour({});
    await inState(resent.id, 'delivered');
    const times = [...(await taken('alpha', again.tag)), ...(await taken('beta', again.tag))].length;
    expect(times).toBeGreaterThan(1);
    const { rows } = await world.pool.query<{ message_id: string }>(
      `select distinct message_id from message_event where kind = 'in_doubt' and message_id = any($1)`,
      [[resent.id, kept.id]],
    );
    expect(rows).toHaveLength(2);
    expect([...(await taken('alpha', held.tag)), ...(await taken('beta', held.tag))]).toEqual([held.text]);
  });

  it('waits while all carriers are away, and goes by whichever comes back first, the urgent one before the others', async () => {
    await alpha().listen(false);
    await beta().listen(false);
    const { tag } = tagged('');
    const ids: string[] = [];
    for (const urgency of ['bulk', 'normal', 'code']) {
      const wish = { from: texter.number, to: PERSON, text: `${urgency} ${tag}`, class: urgency };
      const reply = await client.send(wish);
      expect(reply.status).toBe(202);
      ids.push(reply.id);
    }
    // The one they do not wait for comes back, once the gateway has seen that nobody takes them.
    const awaited = await eventually('the texts to have been looked at', 10_000, async () => {
      const { rows } = await world.pool.query<{ carrier_id: number; unseen: boolean }>(
        `select carrier_id, looked_at is null or state <> 'w' as unseen from message_queue where message_id = any($1)`,
        [ids],
      );
      return rows.some(({ unseen }) => unseen) ? null : rows[0]?.carrier_id;
    });
    const name = awaited === world.carrier('alpha').carrier_id ? 'beta' : 'alpha';
    await world.carrier(name).carrier.listen(true);
    for (const id of ids) await inState(id, 'delivered', 20_000);
    expect(await taken(name, tag)).toEqual(['code', 'normal', 'bulk'].map((urgency) => `${urgency} ${tag}`));
    await alpha().listen(true);
    await beta().listen(true);
  }, 45_000);

  it('that no bind carries is looked at now and then only, and goes when one does', async () => {
    const set = (allowed: boolean) => world.pool.query('update carrier_bind set alphanumeric_sender = $1', [allowed]);
    await world.pool.query('insert into text_sender (account_id, sender) values ($1, $2)', [texter.account_id, 'ACME']);
    await set(false);
    // One that is sent before the gateway has heard of the change goes at once.
    const { id, tag, text } = await eventually('a text to wait for another time', 10_000, async () => {
      const wish = tagged('By name');
      const reply = await client.send({ from: 'ACME', to: PERSON, text: wish.text });
      expect(reply.status).toBe(202);
      return (await waitsForAnotherTime(reply.id)) ? { id: reply.id, ...wish } : null;
    });
    await set(true);
    await inState(id, 'delivered', 20_000);
    expect([...(await taken('alpha', tag)), ...(await taken('beta', tag))]).toEqual([text]);
  });

  it('is made once by a repeated key, taken back while it waits, and refused in words', async () => {
    const wish = { from: texter.number, to: PERSON, text: 'Once' };
    const key = { 'idempotency-key': randomUUID() };
    const [first, second] = [await client.send(wish, key), await client.send(wish, key)];
    expect(second.id).toBe(first.id);
    expect((await client.send({ ...wish, text: 'Other' }, key)).status).toBe(409);

    const before = await balance();
    const send_at = new Date(Date.now() + 3_600_000).toISOString();
    const later = await client.send({ ...wish, text: 'Later', send_at });
    expect(await client.view(later.id)).toMatchObject({ state: 'scheduled' });
    expect([await client.cancel(later.id), await client.cancel(later.id)]).toEqual([200, 409]);
    expect(await balance()).toBe(before);

    const replies = await client.sendAll([
      { ...wish, to: 'nonsense' },
      { ...wish, to: '+9999999999' },
      { ...wish, from: '+4915112345678' },
      { ...wish, text: 'x'.repeat(5_000) },
      wish,
    ]);
    expect(replies.map(({ status, type }) => [status, status === 202 ? '' : type.split(':').at(-1)])).toEqual([
      [422, 'invalid_recipient'],
      [422, 'destination_unknown'],
      [403, 'sender_not_yours'],
      [422, 'text_too_long'],
      [202, ''],
    ]);
  });

  it('is told to the customer’s server, signed', async () => {
    const secret = `whsec_${Buffer.from(randomUUID()).toString('base64')}`;
    const heard: { headers: WebhookHeaders; body: string }[] = [];
    const server = http.createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        heard.push({ headers: request.headers as unknown as WebhookHeaders, body });
        response.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, `${world.network}.9`, resolve));
    const { port } = server.address() as AddressInfo;
    await world.pool.query('insert into webhook_endpoint (id, account_id, url, secret) values ($1, $2, $3, $4)', [
      randomUUID(),
      texter.account_id,
      `http://${world.network}.9:${port}/`,
      secret,
    ]);
    const reply = await client.send({ from: texter.number, to: PERSON, text: 'Tell me' });
    const told = await eventually(
      'the webhook',
      10_000,
      () => heard.find(({ body }) => body.includes(reply.id)) ?? null,
    );
    expect(verifyWebhook([secret], told.headers, told.body, Math.floor(Date.now() / 1000))).toBe('valid');
    expect(JSON.parse(told.body)).toMatchObject({
      type: 'message.receipt',
      data: { id: reply.id, state: 'delivered' },
    });
    await world.pool.query('delete from webhook_endpoint where account_id = $1', [texter.account_id]);
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('a text that comes', () => {
  it('is whole though its parts come in no order, and is nobody’s where nobody holds the number', async () => {
    const text = 'A long answer, 你好. '.repeat(12);
    const sent = await alpha().sendMo({
      from: '+447700900200',
      to: texter.number,
      text,
      parts: 'udh16',
      order: 'shuffled',
    });
    expect(sent.parts.every(({ status }) => status === 0)).toBe(true);
    await alpha().sendMo({ from: '+447700900200', to: '+4999999999', text: 'Who are you?' });
    const { rows } = await world.pool.query<{ account_id: string | null; body: string }>(
      `select account_id, body from message where sender = '+447700900200' order by id`,
    );
    expect(rows).toEqual([
      { account_id: texter.account_id, body: text },
      { account_id: null, body: 'Who are you?' },
    ]);
  });

  it('and says STOP is obeyed at once, answered once, and START takes it back', async () => {
    const from = '+447700900201';
    const wish = { from: texter.number, to: from, text: 'An offer' };
    for (const word of ['stop', 'Stop!']) await alpha().sendMo({ from, to: texter.number, text: word });
    expect((await client.send(wish)).status).toBe(403);
    const answers = await eventually('the answer', 10_000, async () => {
      const submits = await factsOf(world.carrier('alpha').log_file, 'submit');
      const found = submits.filter(({ to }) => to === from.slice(1)).map((submit) => payloadOf(submit).text);
      return found.length > 0 ? found : null;
    });
    expect(answers).toHaveLength(1);
    expect(answers[0]).toContain('START');
    await alpha().sendMo({ from, to: texter.number, text: 'start' });
    expect((await client.send(wish)).status).toBe(202);
  });
});
