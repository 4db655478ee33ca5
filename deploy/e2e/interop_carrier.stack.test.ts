import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { explainText } from '../../sms-gateway/explain/explain_text.ts';
import { STATUS } from '../../sms-gateway/smpp/status.ts';
import { freshDatabase } from '../testing/database.ts';
import type { FreshDatabase } from '../testing/database.ts';
import { NpmCarrier, putTogether } from '../testing/npm_carrier.ts';
import type { NpmCarrierOptions, TakenPart } from '../testing/npm_carrier.ts';
import { freshRedis } from '../testing/redis.ts';
import { makeCarrier } from '../world/people.ts';
import { putTextDeck } from '../world/tariffs.ts';
import { TextClient } from '../world/text_client.ts';
import { TextWorld } from '../world/text_world.ts';
import type { Texter } from '../world/text_world.ts';
import { makeBind } from '../world/texts.ts';
import { booksAreRight, eventually, walletOf } from '../world/verdict.ts';

const MONEY_MICROS = 10_000_000n;
const NAME = 'Acme & Co';

/** Recipients of each carrier: the only one whose deck has the prefix. */
const UK = '+447700900';
const FRANCE = '+3363998';

let database: FreshDatabase;
let world: TextWorld;
let texter: Texter;
let client: TextClient;
/** Writes ids in decimal and tells receipts in words, on a transceiver. */
let plain: NpmCarrier;
/** Writes ids in hex and tells receipts in TLVs with decimal ones, on a transmitter and a receiver. */
let odd: NpmCarrier;

beforeAll(async () => {
  database = await freshDatabase();
  const redis = await freshRedis();
  world = await TextWorld.begin({ database_url: database.url, redis_url: redis.url, carriers: [] });
  texter = await world.texter({ balance_micros: MONEY_MICROS });
  client = new TextClient(world.gateway.url, texter.api_key);
  await world.pool.query('insert into text_sender (account_id, sender) values ($1, $2)', [texter.account_id, NAME]);
  plain = await carrier({
    ...{ name: 'plain', host: 20, prefix: '44', kinds: ['transceiver'], receipt_id_form: 'same' },
    npm: { ids: { response: 'decimal', receipt: 'decimal' }, receipts: 'text', first_number: 4_711_000 },
  });
  odd = await carrier({
    ...{ name: 'odd', host: 21, prefix: '33', kinds: ['transmitter', 'receiver'], receipt_id_form: 'hex_then_decimal' },
    npm: { ids: { response: 'hex', receipt: 'decimal' }, receipts: 'tlv', first_number: 0xbeef00 },
  });
}, 60_000);

afterEach(() => {
  for (const one of [plain, odd]) one.ending = { kind: 'receipt', stat: 'DELIVRD', err: '000' };
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
  for (const one of [plain, odd]) await one.leave('without_a_word');
  await database.drop();
  expect(contradictions).toEqual([]);
  for (const one of [plain, odd]) {
    expect(one.errors).toEqual([]);
    expect(new Set(one.acknowledged)).toEqual(new Set([STATUS.ESME_ROK]));
  }
});

interface CarrierWishes {
  name: string;
  /** The last octet of its address. */
  host: number;
  prefix: string;
  kinds: readonly ('transceiver' | 'transmitter' | 'receiver')[];
  receipt_id_form: string;
  npm: Pick<NpmCarrierOptions, 'ids' | 'receipts' | 'first_number'>;
}

/** A carrier to which the gateway is bound by each of those binds. */
async function carrier({ name, host, prefix, kinds, receipt_id_form, npm }: CarrierWishes): Promise<NpmCarrier> {
  const [address, port] = [`${world.network}.${host}`, 2775];
  const login = { system_id: 'letsdial', password: 'secret' };
  const one = new NpmCarrier({ address, port, ...login, ...npm });
  await one.listen();
  const carrier_id = await makeCarrier(world.pool, { carrier: name, trunk: `trunk-${name}`, address, port: 5060 });
  const rows = [{ prefix, destination: name, rate_micros_per_segment: 20_000n }];
  await putTextDeck(world.pool, { name: `buy-texts-${name}`, currency: 'EUR', carrier_id, rows });
  for (const kind of kinds) {
    const more = { kind, receipt_id_form };
    await makeBind(world.pool, { id: `${name}-${kind}`, carrier_id, host: address, port, ...login, more });
  }
  await eventually(`the binds of ${name}`, 10_000, () => (one.binds === kinds.length ? true : null));
  return one;
}

interface Sent {
  id: string;
  segments: number;
}

async function send(to: string, text: string, from: string = texter.number): Promise<Sent> {
  const reply = await client.send({ from, to, text });
  expect(reply).toMatchObject({ status: 202 });
  return reply;
}

async function ends(id: string, state: string): Promise<void> {
  await eventually(`the text to be ${state}`, 15_000, async () => {
    const { rows } = await world.pool.query<{ state: string }>(
      'select state from message_state where message_id = $1',
      [id],
    );
    return rows[0]?.state === state ? true : null;
  });
}

interface Event {
  kind: string;
  part_no: number;
  carrier_message_id: string | null;
  state: string | null;
}

/** In an order of its own: carriers' answers to the parts may come in any. */
async function eventsOf(id: string): Promise<Event[]> {
  const { rows } = await world.pool.query<Event>(
    `select kind, part_no, carrier_message_id, state from message_event where message_id = $1
     order by array_position(array['submitted', 'receipt', 'refused', 'final', 'refunded'], kind), part_no`,
    [id],
  );
  return rows;
}

/** What a text has behind it that a carrier took under those ids and that arrived. */
const delivered = (ids: readonly string[]): object[] => [
  ...ids.map((carrier_message_id, n) => ({ kind: 'submitted', part_no: n + 1, carrier_message_id })),
  ...ids.map((_, n) => ({ kind: 'receipt', part_no: n + 1, state: 'delivered' })),
  { kind: 'final', part_no: 0, state: 'delivered' },
];

const byPart = (parts: readonly TakenPart[]): TakenPart[] =>
  parts.toSorted((one, other) => (one.segment?.part ?? 0) - (other.segment?.part ?? 0));

const takenFor = (by: NpmCarrier, to: string): TakenPart[] =>
  byPart(by.taken.filter((part) => part.to === to.slice(1)));

const balance = async (): Promise<bigint> => (await walletOf(world.pool, texter.wallet_id)).balance_micros;

describe('a text by way of the npm package’s server', () => {
  it('arrives as it was written, with the extension of the GSM alphabet, and a receipt in words ends it', async () => {
    const [to, text] = [`${UK}501`, 'Grüße für 5 € [~{|}^\\] @ £ Ø Δ_Ω ¿ñà?'];
    const before = await balance();
    const { id } = await send(to, text);
    await ends(id, 'delivered');
    const taken = takenFor(plain, to);
    expect(taken).toMatchObject([{ text, from: texter.number.slice(1), from_ton: 1, data_coding: 0, segment: null }]);
    expect(taken[0]?.registered_delivery).toBe(1);
    expect(await eventsOf(id)).toMatchObject(delivered(taken.map(({ message_id }) => message_id)));
    expect(await balance()).toBe(before - 40_000n);
  });

  it.each([
    ['in Unicode', 'Zażółć gęślą jaźń 😀, 你好! '.repeat(12)],
    ['in the GSM alphabet', 'A price of 5 € in {brackets}, and [more]. '.repeat(9)],
  ])('is whole where it is long, %s, and ends once', async (_, text) => {
    const to = `${UK}502`;
    plain.taken.splice(0);
    const before = await balance();
    const { id, segments } = await send(to, text);
    expect(segments).toBeGreaterThan(2);
    await ends(id, 'delivered');
    const taken = takenFor(plain, to);
    expect(taken).toHaveLength(segments);
    expect(putTogether(taken)).toEqual([text]);
    expect(await eventsOf(id)).toMatchObject(delivered(taken.map(({ message_id }) => message_id)));
    expect(await balance()).toBe(before - BigInt(segments) * 40_000n);
  });

  it('may bear a name as its sender, and faces', async () => {
    const [to, text] = [`${UK}503`, 'Your parcel is here 📦👋🏽'];
    const { id } = await send(to, text, NAME);
    await ends(id, 'delivered');
    expect(takenFor(plain, to)).toMatchObject([{ text, from: NAME, from_ton: 5, data_coding: 8 }]);
  });

  it('is found again by a receipt in TLVs that writes in decimal what the answer wrote in hex', async () => {
    const [to, text] = [`${FRANCE}1504`, 'Ça va ? 😀 '.repeat(20)];
    const { id, segments } = await send(to, text);
    await ends(id, 'delivered');
    const taken = takenFor(odd, to);
    expect(taken).toHaveLength(segments);
    expect(putTogether(taken)).toEqual([text]);
    for (const { message_id } of taken) expect(message_id).toMatch(/^beef[0-9a-f]{2}$/u);
    expect(await eventsOf(id)).toMatchObject(delivered(taken.map(({ message_id }) => message_id)));
  });

  it.each([
    ['in words', `${UK}505`, 40_000n, () => plain],
    ['in TLVs', `${FRANCE}1505`, 50_000n, () => odd],
  ] as const)('that did not reach the phone is told so, %s, and stays paid', async (_, to, price_micros, by) => {
    by().ending = { kind: 'receipt', stat: 'UNDELIV', err: '011' };
    const before = await balance();
    const { id } = await send(to, 'Are you there?');
    await ends(id, 'undeliverable');
    expect(await balance()).toBe(before - price_micros);
  });

  it('that is refused comes back with its price', async () => {
    plain.ending = { kind: 'refused', status: STATUS.ESME_RINVDSTADR };
    const before = await balance();
    const { id } = await send(`${UK}506`, 'To nobody');
    await ends(id, 'rejected');
    expect((await eventsOf(id)).map(({ kind }) => kind)).toEqual(['refused', 'final', 'refunded']);
    expect(await balance()).toBe(before);
  });
});

describe('a text that the npm package’s server brings', () => {
  const arrived = async (sender: string) => {
    const { rows } = await world.pool.query<{ account_id: string; recipient: string; body: string }>(
      'select account_id, recipient, body from message where sender = $1 order by id',
      [sender],
    );
    return rows;
  };

  it.each([
    ['in the GSM alphabet', '447700900601', 0, ['Grüße für 5 € [~{|}^\\] @ Ø Δ_Ω']],
    ['in UCS-2', '447700900602', 8, ['Привет, 你好 👋🏽']],
    ['in parts', '447700900603', 8, ['Длинный '.repeat(8), 'ответ '.repeat(10), 'из трёх частей 👋🏽']],
    ['in parts of the GSM alphabet', '447700900604', 0, ['5 € '.repeat(30), 'and {no} more']],
  ] as const)('is stored as it was written before it is acknowledged, %s', async (_, from, data_coding, parts) => {
    const to = texter.number.slice(1);
    const statuses = await plain.bring({ from, to, parts, data_coding });
    expect(statuses).toEqual(parts.map(() => 0));
    expect(await arrived(`+${from}`)).toEqual([
      { account_id: texter.account_id, recipient: texter.number, body: parts.join('') },
    ]);
  });

  it('comes by the receiver where there is one', async () => {
    const [from, to] = ['33639981605', texter.number.slice(1)];
    expect(await odd.bring({ from, to, parts: ['Bonjour'], data_coding: 0 })).toEqual([0]);
    expect(await arrived(`+${from}`)).toMatchObject([{ body: 'Bonjour' }]);
  });
});

describe('the npm package’s server', () => {
  it.each(['unbind', 'without_a_word'] as const)('goes (%s), comes back, and has the text that waited', async (how) => {
    const [to, text] = [`${UK}507`, `Waiting for you: ${how}`];
    await plain.leave(how);
    plain.taken.splice(0);
    const { id } = await send(to, text);
    await plain.listen();
    await ends(id, 'delivered');
    expect(putTogether(takenFor(plain, to))).toEqual([text]);
    expect(plain.binds).toBe(1);
  });
});
