import { randomUUID } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseCurrency } from '../../domain/money/currency.ts';
import { importTextDeck } from '../../domain/texts/prices/import_text_deck.ts';
import { explainText } from '../../sms-gateway/explain/explain_text.ts';
import { verifyWebhook, type WebhookHeaders } from '../../sms-gateway/webhooks/signature.ts';
import { CustomerServer, status } from '../../sms-gateway/webhooks/testing/customer_server.ts';
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

  it('is replaced while it waits, and the first one is sent to nobody', async () => {
    const [first, second] = [tagged('First'), tagged('Second')];
    const before = await balance();
    const send_at = new Date(Date.now() + 3_600_000).toISOString();
    const { id } = await client.send({ from: texter.number, to: PERSON, text: first.text, send_at });
    const now = new Date(Date.now() + 500).toISOString();
    expect(await client.replace(id, { text: second.text, send_at: now })).toBe(200);
    await inState(id, 'delivered');
    expect([...(await taken('alpha', second.tag)), ...(await taken('beta', second.tag))]).toEqual([second.text]);
    expect([...(await taken('alpha', first.tag)), ...(await taken('beta', first.tag))]).toEqual([]);
    expect(before - (await balance())).toBe(40_000n);
    expect(await client.replace(id, { text: first.text })).toBe(409);
  });

  it('costs what the last file of prices says that had no bad line', async () => {
    const currency = parseCurrency('EUR');
    if (currency === null) throw new Error('EUR should be a currency.');
    const other = await world.texter({ balance_micros: MONEY_MICROS });
    await world.pool.query(`update account set text_deck = 'imported-texts' where id = $1`, [other.account_id]);
    const asked = new TextClient(world.gateway.url, other.api_key);
    const priced = async (rates: string): Promise<string> => {
      const file = Buffer.from(`prefix,destination,rate_per_segment\n${rates}`);
      const deck = { name: 'imported-texts', side: 'sell', carrier_id: null, currency, imported_by: 'test' } as const;
      return (await importTextDeck(world.pool, deck, Readable.from([file]))).kind;
    };
    const sold = (wanted: string | null): Promise<true> =>
      eventually(`a text for ${wanted ?? 'nothing'}`, 5_000, async () => {
        const { status, id } = await asked.send({ from: other.number, to: PERSON, text: 'How much?' });
        if (status !== 202) return wanted === null ? true : null;
        const { rows } = await world.pool.query<{ price: string }>(
          `select format('%s by version %s', net_micros, version) as price
             from message join rate_deck d on d.id = deck_id where message.id = $1`,
          [id],
        );
        return rows[0]?.price === wanted ? true : null;
      });
    await sold(null);
    expect(await priced('44,United Kingdom,0.050001\n')).toBe('imported');
    await sold('50001 by version 1');
    expect(await priced('44,United Kingdom,0.06\n4477,United Kingdom,free\n')).toBe('refused');
    await sold('50001 by version 1');
    expect(await priced('44,United Kingdom,0.06\n4477,United Kingdom,0.07\n')).toBe('imported');
    await sold('70000 by version 2');
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

  it('that its customer’s server refused to hear of is told when the customer asks for it', async () => {
    const server = await new CustomerServer().listen();
    server.otherwise = status(410);
    await world.pool.query('insert into webhook_endpoint (id, account_id, url, secret) values ($1, $2, $3, $4)', [
      ...[randomUUID(), texter.account_id, server.url()],
      `whsec_${Buffer.from(randomUUID()).toString('base64')}`,
    ]);
    const { id } = await client.send({ from: texter.number, to: PERSON, text: 'Not now' });
    const [letter] = await eventually('the dead letter', 10_000, async () => {
      const { dead_letters } = await client.deadLetters();
      return dead_letters.length > 0 ? dead_letters : null;
    });
    expect(letter).toMatchObject({
      ...{ kind: 'receipt', message_id: id, channel: 'webhook', last_error: 'The server answered 410 Gone.' },
    });
    expect(await client.replayDeadLetters()).toEqual({ replayed: 0, left: 1 });
    await world.pool.query('update webhook_endpoint set enabled = true where account_id = $1', [texter.account_id]);
    server.otherwise = status(200);
    expect(await client.replayDeadLetters({ message_id: id })).toEqual({ replayed: 1, left: 0 });
    await server.untilHits(2);
    expect(JSON.parse(server.hits[1]?.body ?? '')).toMatchObject({ data: { id, state: 'delivered' } });
    expect(await client.deadLetters()).toEqual({ dead_letters: [], next: null });
    await world.pool.query('delete from webhook_endpoint where account_id = $1', [texter.account_id]);
    await server.close();
  });

  it('is said to have been entered at the login by who sent it, and by nobody else', async () => {
    const { id } = await client.send({ from: texter.number, to: PERSON, text: 'Your code is 4711', class: 'code' });
    expect([await client.converted(id), await client.converted(id)]).toEqual([204, 204]);
    const stranger = await world.texter({ balance_micros: 0n });
    expect(await new TextClient(world.gateway.url, stranger.api_key).converted(id)).toBe(404);
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

describe('an operator', () => {
  /** The lines of the metrics that begin like that. */
  async function metrics(...names: string[]): Promise<Record<string, number>> {
    const text = await (await fetch(`${world.gateway.observe_url}/metrics`)).text();
    const lines = text.split('\n').filter((line) => names.some((name) => line.startsWith(name)));
    return Object.fromEntries(
      lines.map((line): [string, number] => {
        const at = line.lastIndexOf(' ');
        return [line.slice(0, at), Number(line.slice(at + 1))];
      }),
    );
  }

  /** By country, what SQL says of the same. */
  async function stored(sql: string): Promise<Record<string, number>> {
    const { rows } = await world.pool.query<{ line: string; value: string }>(
      `with country (like_prefix, country) as (values ('+447781%', 'GG'), ('+447700%', 'GB'), ('+49%', 'DE')),
            text as (select m.*, c.country from message m join country c on m.recipient like c.like_prefix where m.direction = 'mt')
       ${sql}`,
    );
    return Object.fromEntries(rows.map(({ line, value }) => [line, Number(value)]));
  }

  const without_noughts = (figures: Record<string, number>): Record<string, number> =>
    Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== 0));

  it('sees by country what carriers said to parts, and how texts ended and when', async () => {
    await alpha().behaviour({
      refuse: [{ status: 'ESME_RINVDSTADR', to_prefix: '447781' }],
      receipts: { outcomes: [{ stat: 'UNDELIV', to_prefix: '49151', per_mille: 1000 }] },
    });
    const from = texter.number;
    const ids: string[] = [];
    for (const [to, text] of [
      ['+447781123456', 'To Guernsey'],
      ['+4915112345678', 'x'.repeat(300)],
      ['+4917012345678', 'Hallo'],
    ] as const) {
      ids.push((await client.send({ from, to, text })).id);
    }
    for (const [n, state] of ['rejected', 'undeliverable', 'delivered'].entries()) await inState(ids[n] ?? '', state);
    await alpha().behaviour({ throttled_per_mille: 1000 });
    await inState((await client.send({ from, to: PERSON, text: 'By the other' })).id, 'delivered');

    const parts = await stored(`
      select format('letsdial_parts_%s_total{country="%s"}', case e.kind when 'submitted' then 'accepted' else e.kind end, t.country) as line,
             count(*) as value
        from text t join message_event e on e.message_id = t.id and e.kind in ('submitted', 'refused', 'throttled', 'in_doubt')
       group by 1`);
    const seen = without_noughts(await metrics('letsdial_parts_'));
    const submitted = Object.entries(seen).filter(([line]) => line.includes('_submitted_'));
    expect(seen).toEqual({ ...parts, ...Object.fromEntries(submitted) });
    expect(Object.keys(seen).filter((line) => line.includes('throttled'))).toEqual([
      'letsdial_parts_throttled_total{country="GB"}',
    ]);
    const logs = await Promise.all(['alpha', 'beta'].map((name) => factsOf(world.carrier(name).log_file, 'submit')));
    const facts = logs.flat();
    const came = (prefix: string): number => facts.filter(({ to }) => to.startsWith(prefix)).length;
    expect(Object.fromEntries(submitted)).toEqual({
      'letsdial_parts_submitted_total{country="GB"}': came('447700'),
      'letsdial_parts_submitted_total{country="GG"}': came('447781'),
      'letsdial_parts_submitted_total{country="DE"}': came('49'),
    });
    expect([came('447781'), came('49')]).toEqual([1, 3]);
  });

  it('sees by country which texts were accepted and how they ended, and how long they took', async () => {
    const accepted = await stored(`
      select format('letsdial_texts_accepted_total{country="%s",source="%s"}', country, source) as line, count(*) as value
        from text group by 1`);
    expect(await metrics('letsdial_texts_accepted_total')).toEqual(accepted);
    const ended = await stored(`
      select format('letsdial_texts_ended_total{country="%s",state="%s"}', t.country, e.state) as line, count(*) as value
        from text t join message_event e on e.message_id = t.id and e.kind = 'final' group by 1`);
    expect(Object.keys(ended).length).toBeGreaterThan(5);
    await eventually('all ends to be counted', 10_000, async () => {
      const counted = await metrics('letsdial_texts_ended_total');
      return Object.entries(ended).every(([line, texts]) => counted[line] === texts) ? true : null;
    });
    expect(await metrics('letsdial_texts_ended_total')).toEqual(ended);
    const delivered = `from text t join message_event e on e.message_id = t.id and e.kind = 'final' and e.state = 'delivered' group by 1`;
    const counted = `select format('letsdial_texts_delivery_seconds_count{country="%s"}', t.country) as line, count(*) as value`;
    expect(await metrics('letsdial_texts_delivery_seconds_count')).toEqual(await stored(`${counted} ${delivered}`));
    const summed = `select format('letsdial_texts_delivery_seconds_sum{country="%s"}', t.country) as line,
                           sum(extract(epoch from e.at - coalesce(t.due_at, t.accepted_at))) as value`;
    const sums = await stored(`${summed} ${delivered}`);
    for (const [line, seconds] of Object.entries(await metrics('letsdial_texts_delivery_seconds_sum'))) {
      expect(seconds).toBeCloseTo(sums[line] ?? -1, 1);
    }
  });

  it('sees what customers are still to be told, and for how long it has been due', async () => {
    const [waiting, age] = ['deliveries', 'delivery_age_seconds'].map(
      (name) => `letsdial_texts_${name}{channel="smpp"}`,
    );
    const told = async (count: number, seconds_min: number): Promise<true | null> => {
      const seen = await metrics('letsdial_texts_deliver');
      return seen[waiting ?? ''] === count && (seen[age ?? ''] ?? -1) >= seconds_min ? true : null;
    };
    await eventually('nothing to be due', 15_000, () => told(0, 0));
    await world.pool.query(
      `insert into customer_delivery (account_id, kind, message_id, channel, target, due_at)
       values ($1, 'receipt', $2, 'smpp', 'nobody', now() - interval '1 hour')`,
      [texter.account_id, randomUUID()],
    );
    await eventually('one to be due', 15_000, () => told(1, 3_600));
    await world.pool.query(`delete from customer_delivery where target = 'nobody'`);
  }, 40_000);

  it('sees what was refused and why, and how long an answer took', async () => {
    const names = ['letsdial_texts_refused_total', 'letsdial_texts_accept_seconds_count'];
    const line = 'letsdial_texts_refused_total{source="http",code="destination_unknown"}';
    const before = await metrics(...names);
    await client.send({ from: texter.number, to: '+9999999999', text: 'To nowhere' });
    const after = await metrics(...names);
    expect(after[line]).toBe((before[line] ?? 0) + 1);
    expect(after['letsdial_texts_accept_seconds_count']).toBe((before['letsdial_texts_accept_seconds_count'] ?? 0) + 1);
  });

  it('sees how each bind stands, and no password', async () => {
    interface Bind {
      id: string;
      is_bound: boolean;
      since: string;
      parts: { submitted: number; accepted: number };
      last_error: { why: string; at: string } | null;
      next_attempt_at: string | null;
    }
    const page = async (): Promise<string> => (await fetch(`${world.gateway.observe_url}/binds`)).text();
    const bindOf = async (id: string): Promise<Bind | undefined> =>
      (JSON.parse(await page()) as Bind[]).find((one) => one.id === id);
    const before = await bindOf('alpha-1');
    expect(before).toMatchObject({
      ...{ carrier: 'alpha', kind: 'transceiver', host: `${world.network}.5`, port: 2775, tls: false },
      ...{ system_id: 'letsdial', is_bound: true, in_flight: 0, window_max: 200, texts_per_second_max: 100_000 },
      next_attempt_at: null,
    });
    expect(await page()).not.toContain('secret');
    await inState((await client.send({ from: texter.number, to: PERSON, text: 'One more' })).id, 'delivered');
    const after = await bindOf('alpha-1');
    expect([after?.parts.submitted, after?.parts.accepted]).toEqual([
      (before?.parts.submitted ?? 0) + 1,
      (before?.parts.accepted ?? 0) + 1,
    ]);
    const closed_at = new Date().toISOString();
    await alpha().listen(false);
    const away = await eventually('the bind to be away, and an attempt to have failed', 10_000, async () => {
      const bind = await bindOf('alpha-1');
      return bind?.last_error?.why.includes('ECONNREFUSED') === true ? bind : null;
    });
    expect(away).toMatchObject({ is_bound: false, next_attempt_at: expect.any(String) as string });
    expect([away.since, away.last_error?.at ?? '', away.next_attempt_at ?? ''].every((at) => at > closed_at)).toBe(
      true,
    );
    expect(await bindOf('beta-1')).toMatchObject({ is_bound: true });
    await alpha().listen(true);
    await eventually('the bind to be back', 30_000, async () =>
      (await bindOf('alpha-1'))?.is_bound === true ? true : null,
    );
  }, 45_000);
});
