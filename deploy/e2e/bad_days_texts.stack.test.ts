import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { createClient } from 'redis';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { PRIORITIES } from '../../domain/texts/message.ts';
import type { MessageClass } from '../../domain/texts/message.ts';
import type { SubmitFact } from '../smsc/fact.ts';
import { factsOf } from '../smsc/read_log.ts';
import { payloadOf } from '../smsc/submitted_text.ts';
import { OwnServers } from '../world/own_servers.ts';
import { killed, signals } from '../world/processes.ts';
import { TextClient } from '../world/text_client.ts';
import { TextWorld } from '../world/text_world.ts';
import type { Texter } from '../world/text_world.ts';
import { booksAreRight, eventually, walletOf } from '../world/verdict.ts';

const PERSON = '+447700900123';
const BALANCE_MICROS = 1_000_000_000n;
const PRICE_MICROS = 40_000n;

let servers: OwnServers;
let world: TextWorld;
let is_valkey_frozen = false;

beforeAll(async () => {
  servers = await OwnServers.begin(inject('programs'));
  world = await TextWorld.begin({
    database_url: servers.postgres.url,
    redis_url: servers.valkey.url,
    // Less than what waits at once, so that lanes have to be refilled from the database.
    settings: { LANE_TEXTS_MAX: '1000', TEXTS_PER_SECOND_MAX: '100000' },
  });
}, 120_000);

// A server that stays frozen would hold up every end.
afterEach(() => thawAll());

afterAll(async () => {
  await world.end();
  await servers.end();
});

function thawAll(): void {
  servers.thawPostgres();
  if (is_valkey_frozen) signals.thaw(servers.valkey.pid);
  is_valkey_frozen = false;
}

const alpha = () => world.carrier('alpha');

interface Asked {
  text: string;
  asked_at_ms: number;
  answered_at_ms: number;
  status: number;
  id: string;
}

/** Some programs of one customer that send a text after the other until they are told to end. */
class LightLoad {
  readonly texter: Texter;
  readonly asked: Asked[] = [];
  readonly #client: TextClient;
  readonly #senders: Promise<void>[];
  #is_over = false;

  private constructor(texter: Texter) {
    this.texter = texter;
    this.#client = new TextClient(world.gateway.url, texter.api_key);
    this.#senders = [1, 2, 3].map(() => this.#sendOneByOne());
  }

  static async begin(): Promise<LightLoad> {
    return new LightLoad(await world.texter({ balance_micros: BALANCE_MICROS }));
  }

  get accepted(): readonly Asked[] {
    return this.asked.filter(({ status }) => status === 202);
  }

  /** Resolves when so many were accepted that were asked for from now on. */
  async accepts(count: number): Promise<void> {
    const since_ms = Date.now();
    await eventually(`${count} more accepted texts`, 30_000, () =>
      this.accepted.filter(({ asked_at_ms }) => asked_at_ms >= since_ms).length >= count ? true : null,
    );
  }

  async end(): Promise<void> {
    this.#is_over = true;
    await Promise.all(this.#senders);
  }

  async #sendOneByOne(): Promise<void> {
    while (!this.#is_over) {
      const text = `No ${randomUUID()}`;
      const asked_at_ms = Date.now();
      const { status, id } = await this.#client.send({ from: this.texter.number, to: PERSON, text });
      this.asked.push({ text, asked_at_ms, answered_at_ms: Date.now(), status, id });
      await wait(20);
    }
  }
}

interface Stored {
  id: string;
  body: string;
  state: string;
}

async function storedOf({ account_id }: Texter): Promise<Stored[]> {
  const { rows } = await world.pool.query<Stored>(
    `select m.id, m.body, s.state from message m join message_state s on s.message_id = m.id where m.account_id = $1`,
    [account_id],
  );
  return rows;
}

/** What the carrier took from that number, in its order. */
async function takenFrom({ number }: Texter): Promise<SubmitFact[]> {
  const submits = await factsOf(alpha().log_file, 'submit');
  return submits.filter(({ from, status }) => from === number.slice(1) && status === 0);
}

const textsOf = (submits: readonly SubmitFact[]): string[] => submits.map((submit) => payloadOf(submit).text);

/** All that is stored is delivered, paid and was sent once, and all that was accepted is stored. */
async function nothingIsLost(texter: Texter, accepted_ids: readonly string[]): Promise<Stored[]> {
  const undelivered = async (): Promise<Stored[]> =>
    (await storedOf(texter)).filter(({ state }) => state !== 'delivered');
  await expect.poll(undelivered, { timeout: 30_000 }).toEqual([]);
  const stored = await storedOf(texter);
  const stored_ids = new Set(stored.map(({ id }) => id));
  expect(accepted_ids.filter((id) => !stored_ids.has(id))).toEqual([]);
  expect(textsOf(await takenFrom(texter)).toSorted()).toEqual(stored.map(({ body }) => body).toSorted());
  const { balance_micros } = await walletOf(world.pool, texter.wallet_id);
  expect(balance_micros).toBe(BALANCE_MICROS - BigInt(stored.length) * PRICE_MICROS);
  await booksAreRight(world.pool);
  return stored;
}

interface Outage {
  name: string;
  lasts_ms: number;
  begin: () => Promise<void>;
  end: () => Promise<void>;
  /** Nobody can be answered before it is over, or everybody is refused at once. */
  refuses: boolean;
}

/** Connections stay open, and nobody answers on them: for longer than the database itself waits for whoever has the lease. */
function frozen(): Outage {
  return {
    name: 'is frozen',
    lasts_ms: 6_000,
    begin: () => servers.freezePostgres(),
    end: () => {
      servers.thawPostgres();
      return Promise.resolve();
    },
    refuses: false,
  };
}

/** Connections end, and new ones are refused. */
function stopped(): Outage {
  return {
    name: 'is stopped and started ten seconds later',
    lasts_ms: 10_000,
    begin: () => servers.postgres.stop(),
    end: () => servers.startPostgres(),
    refuses: true,
  };
}

/** What a carrier does in an outage tells nothing of it unless it does something. */
async function carrierGoesOn(from_ms: number, to_ms: number): Promise<void> {
  for (const kind of ['receipt', 'answered'] as const) {
    const facts = await factsOf(alpha().log_file, kind);
    expect(facts.filter(({ at }) => at >= from_ms && at < to_ms).length).toBeGreaterThan(0);
  }
}

/** A receipt that was acknowledged before the outage was over had been stored before it began. */
async function acknowledgedWasStored(texter: Texter, began_at_ms: number, over_at_ms: number): Promise<void> {
  const { rows } = await world.pool.query<{ id: string; ended_at_ms: string }>(
    `select s.carrier_message_id as id, extract(epoch from f.at) * 1000 as ended_at_ms
       from message m
       join message_event s on s.message_id = m.id and s.kind = 'submitted'
       join message_event f on f.message_id = m.id and f.kind = 'final' where m.account_id = $1`,
    [texter.account_id],
  );
  const acknowledged = new Map(
    (await factsOf(alpha().log_file, 'receipt_ack'))
      .filter(({ status, at }) => status === 0 && at < over_at_ms)
      .map(({ id, at }) => [id, at]),
  );
  const too_early = rows.filter(({ id, ended_at_ms }) => acknowledged.has(id) && Number(ended_at_ms) > began_at_ms);
  expect(
    too_early.map(({ id, ended_at_ms }) => ({ id, ended_at_ms, acknowledged_at_ms: acknowledged.get(id) })),
  ).toEqual([]);
}

describe.each([stopped(), frozen()])('Postgres that $name', (outage) => {
  it('costs no text that was accepted and no receipt that was acknowledged, and texts go on afterwards', async () => {
    await alpha().carrier.behaviour({
      answer_delay_ms: { min: 0, max: 4_000 },
      receipts: { delay_ms: { min: 0, max: 4_000 } },
    });
    const load = await LightLoad.begin();
    await load.accepts(60);
    await outage.begin();
    const began_at_ms = Date.now();
    await wait(outage.lasts_ms);
    const over_at_ms = Date.now();
    await alpha().carrier.behaviour({});
    await outage.end();
    await load.accepts(30);
    await load.end();

    const stored = await nothingIsLost(
      load.texter,
      load.accepted.map(({ id }) => id),
    );
    expect(load.asked.filter(({ status }) => status !== 202 && status !== 503)).toEqual([]);
    const meanwhile = load.asked.filter(
      ({ asked_at_ms, answered_at_ms }) => asked_at_ms >= began_at_ms && answered_at_ms < over_at_ms,
    );
    expect(meanwhile.filter(({ status }) => status !== 503)).toEqual([]);
    expect(meanwhile.length > 0).toBe(outage.refuses);
    const bodies = new Set(stored.map(({ body }) => body));
    expect(meanwhile.filter(({ text }) => bodies.has(text))).toEqual([]);
    await carrierGoesOn(began_at_ms, over_at_ms);
    await acknowledgedWasStored(load.texter, began_at_ms, over_at_ms);
  }, 90_000);
});

it('Redis that is flushed, frozen, killed and started again is noticed by no text', async () => {
  const load = await LightLoad.begin();
  await load.accepts(20);
  const redis = createClient({ url: servers.valkey.url });
  await redis.connect();
  await redis.flushAll();
  redis.destroy();
  await load.accepts(20);
  is_valkey_frozen = signals.freeze(servers.valkey.pid);
  await load.accepts(20);
  thawAll();
  await killed(servers.valkey);
  await load.accepts(20);
  await servers.startValkey();
  await load.accepts(20);
  await load.end();
  expect(load.asked.filter(({ status }) => status !== 202)).toEqual([]);
  await nothingIsLost(
    load.texter,
    load.asked.map(({ id }) => id),
  );
}, 60_000);

describe('a carrier that was away while thousands of texts came for it', () => {
  const TEXTS = 3_000;
  const PER_SECOND = 1_000;
  /** What a gateway looks at of what waits for a carrier that is away, and may have in its hands when that comes back. */
  const IN_HAND_MAX = 200;
  /** As in sms-gateway/carriers/pace.ts. */
  const BURST = PER_SECOND * 0.05;
  const CLASSES: readonly MessageClass[] = ['bulk', 'normal', 'code'];
  const classOf = (text: string): MessageClass => CLASSES.find((one) => text.startsWith(one)) ?? 'normal';

  /** Login codes to numbers that are neighbours would be taken to be pumped. */
  const somebody = (): string => `+4477${String(randomInt(100_000_000)).padStart(8, '0')}`;

  async function put(texter: Texter, texts: number, classes: readonly MessageClass[]): Promise<string[]> {
    const client = new TextClient(world.gateway.url, texter.api_key);
    const ids: string[] = [];
    for (let from = 0; from < texts; from += 500) {
      const replies = await client.sendAll(
        Array.from({ length: 500 }, (_, n) => {
          const urgency = classes[n % classes.length] ?? 'normal';
          return { from: texter.number, to: somebody(), text: `${urgency} ${from + n}`, class: urgency };
        }),
      );
      expect(replies.filter(({ status }) => status !== 202)).toEqual([]);
      ids.push(...replies.map(({ id }) => id));
    }
    return ids;
  }

  /** A row that changes is bound by anew, at once. */
  async function changeBind(column: 'texts_per_second_max' | 'window_max', value: number): Promise<void> {
    const since_ms = Date.now();
    const { carrier_id, log_file } = alpha();
    await world.pool.query(`update carrier_bind set ${column} = $1 where carrier_id = $2`, [value, carrier_id]);
    await eventually('the bind', 20_000, async () => {
      const binds = await factsOf(log_file, 'bind');
      return binds.some(({ at, status }) => status === 0 && at >= since_ms) ? true : null;
    });
  }

  /** How many went before a more urgent one. */
  function outOfTurn(submits: readonly SubmitFact[]): number {
    let most_urgent_after = Infinity;
    let count = 0;
    for (const submit of submits.toReversed()) {
      const priority = PRIORITIES[classOf(payloadOf(submit).text)];
      if (priority > most_urgent_after) count += 1;
      most_urgent_after = Math.min(most_urgent_after, priority);
    }
    return count;
  }

  it('is sent them all within its limit, the urgent ones before the others', async () => {
    await changeBind('texts_per_second_max', PER_SECOND);
    await alpha().carrier.listen(false);
    const texter = await world.texter({ balance_micros: BALANCE_MICROS });
    const ids = await put(texter, TEXTS, CLASSES);
    const came_at_ms = Date.now();
    await alpha().carrier.listen(true);
    await changeBind('window_max', 150);
    const stored = await nothingIsLost(texter, ids);
    expect(stored).toHaveLength(TEXTS);

    const submits = await takenFrom(texter);
    expect(outOfTurn(submits)).toBeLessThanOrEqual(IN_HAND_MAX);
    const binds = (await factsOf(alpha().log_file, 'bind')).filter(
      ({ at, status }) => status === 0 && at >= came_at_ms,
    );
    // The gateway may have come back by itself a moment before it was told to: each bind begins with a burst.
    const burst = BURST * binds.length;
    const bound_at_ms = binds[0]?.at ?? Infinity;
    const over_limit = submits.filter(
      ({ at }, n) => n + 1 > Math.ceil(burst + ((at - bound_at_ms) / 1000) * PER_SECOND),
    );
    expect(over_limit).toEqual([]);
    // That of any second, too; a second more for a carrier that comes late to its reading.
    const crowded = submits.filter(
      ({ at }, n) => at - (submits[n - Math.ceil(2 * PER_SECOND + BURST)]?.at ?? 0) < 1_000,
    );
    expect(crowded).toEqual([]);
  }, 60_000);

  it('sends a login code that comes meanwhile before all that it has not begun to send', async () => {
    const SLOWLY = 200;
    await changeBind('texts_per_second_max', SLOWLY);
    const texter = await world.texter({ balance_micros: BALANCE_MICROS });
    // More than the lane holds, so that the code finds others waiting in the database.
    const ids = await put(texter, 2_000, ['bulk']);
    const client = new TextClient(world.gateway.url, texter.api_key);
    const code = await client.send({ from: texter.number, to: somebody(), text: 'code 1234', class: 'code' });
    expect(code.status).toBe(202);
    const before = (await takenFrom(texter)).length;
    const place = await eventually('the code at the carrier', 20_000, async () => {
      const at = (await takenFrom(texter)).findIndex((submit) => classOf(payloadOf(submit).text) === 'code');
      return at < 0 ? null : at;
    });
    // A second's worth, where it would be two and a half for the lane to run half empty.
    expect(place - before).toBeLessThan(1.5 * SLOWLY);
    await changeBind('texts_per_second_max', 10_000);
    expect(await nothingIsLost(texter, [...ids, code.id])).toHaveLength(2_001);
  }, 60_000);
});
