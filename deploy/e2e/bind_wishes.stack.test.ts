import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inTransaction } from '../../domain/db/transaction.ts';
import { factsOf } from '../smsc/read_log.ts';
import { freshDatabase } from '../testing/database.ts';
import type { FreshDatabase } from '../testing/database.ts';
import { freshRedis } from '../testing/redis.ts';
import { putTextDeck } from '../world/tariffs.ts';
import { TextClient } from '../world/text_client.ts';
import { defaultTextBuy, TextWorld } from '../world/text_world.ts';
import type { Texter } from '../world/text_world.ts';
import { booksAreRight, eventually } from '../world/verdict.ts';

let database: FreshDatabase;
let world: TextWorld;
let texter: Texter;
let client: TextClient;

/** Taken to another network, whose numbers begin otherwise. */
const PORTED = '+447700900155';
const NEW_NETWORK = '+447911';
/** What is left of a pace that was made slower twice. */
const SLOWED = 0.65;

/** British carriers that write British numbers as they are dialled there, and want ours with their plus; beta is dear. */
beforeAll(async () => {
  database = await freshDatabase();
  const pool = new pg.Pool({ connectionString: database.url });
  await pool.query('insert into ported_number (number, routing_number) values ($1, $2)', [PORTED, NEW_NETWORK]);
  await pool.end();
  const redis = await freshRedis();
  world = await TextWorld.begin({
    ...{ database_url: database.url, redis_url: redis.url, carriers: ['alpha', 'beta'] },
    bind: { more: { home_country: 'GB', plus_sign: true, number_npi: 8, recipient_ton: 0 } },
    settings: { PORTABILITY_WAIT_MS: '5000' },
  });
  texter = await world.texter({ balance_micros: 10_000_000n });
  client = new TextClient(world.gateway.url, texter.api_key);
  // While one of them is not bound yet, texts go to the other.
  await eventually('both carriers to be bound', 10_000, async () => {
    const binds = (await (await fetch(`${world.gateway.observe_url}/binds`)).json()) as { is_bound: boolean }[];
    return binds.length === 2 && binds.every(({ is_bound }) => is_bound) ? true : null;
  });
}, 60_000);

afterAll(async () => {
  await booksAreRight(world.pool);
  await world.end();
  await database.drop();
});

const alpha = () => world.carrier('alpha');

const metrics = async (): Promise<string> => (await fetch(`${world.gateway.observe_url}/metrics`)).text();

/** What the first line of the metrics says that begins so. */
async function figure(name: string): Promise<number> {
  const line = (await metrics()).split('\n').find((one) => one.startsWith(name));
  return Number(line?.split(' ').at(-1));
}

describe('a carrier', () => {
  it('is told how long a text is worth delivering, and is written to as it wants', async () => {
    const sent = await client.send({
      ...{ from: texter.number, to: '+447700900123', text: 'Your code is 1234', class: 'code', valid_for_seconds: 300 },
    });
    expect(sent.status).toBe(202);
    const [submit] = await eventually('the text', 10_000, async () => {
      const facts = await factsOf(alpha().log_file, 'submit');
      return facts.length > 0 ? facts : null;
    });
    expect(submit).toMatchObject({ from: texter.number, to: '+447700900123' });
    // Some seconds may have passed since it was accepted.
    expect(submit?.vp).toMatch(/^000000000(?:500|4[0-5][0-9])000R$|^00000000050{5}R$/u);
  });

  it('is obeyed when it brings the STOP of a number that it writes as it is dialled at home', async () => {
    const wish = { from: texter.number, to: '+447700900201', text: 'News' };
    expect((await client.send(wish)).status).toBe(202);
    await alpha().carrier.sendMo({ from: '07700900201', from_ton: 2, to: texter.number, text: 'STOP' });
    await eventually('that it is obeyed', 10_000, async () => ((await client.send(wish)).status === 403 ? true : null));
    const { rows } = await world.pool.query('select recipient from opt_out where account_id = $1', [texter.account_id]);
    expect(rows).toEqual([{ recipient: '+447700900201' }]);
  });

  it('that says it is congested is sent less, and as much as before when it is over', async () => {
    const sendsUntil = (what: string, isSo: (pace: number) => boolean): Promise<number> =>
      eventually(what, 20_000, async () => {
        const { status } = await client.send({ from: texter.number, to: '+447700900123', text: what });
        expect(status).toBe(202);
        const pace = await figure('letsdial_bind_pace_per_second{bind="alpha-1"');
        return isSo(pace) ? pace : null;
      });
    const full = await figure('letsdial_bind_pace_per_second{bind="alpha-1"');
    await alpha().carrier.behaviour({ congestion_state: 100 });
    await sendsUntil('less', (pace) => pace <= full * SLOWED);
    await alpha().carrier.behaviour({});
    await sendsUntil('as before', (pace) => pace === full);
  });

  it('is watched: how long it takes to answer, and what waits', async () => {
    const answered = await eventually('all answers to be counted', 10_000, async () => {
      const all = await figure('letsdial_bind_response_seconds_bucket{bind="alpha-1",carrier="alpha",le="+Inf"}');
      if ((await figure('letsdial_bind_response_seconds_count{bind="alpha-1"')) !== all) return null;
      return all === (await factsOf(alpha().log_file, 'submit')).length ? all : null;
    });
    expect(answered).toBeGreaterThan(1);
    await eventually('the count of what waits', 20_000, async () => {
      return (await metrics()).includes('letsdial_texts_backlog{what="parked"} 0') ? true : null;
    });
    expect(await (await fetch(`${world.gateway.observe_url}/healthz`)).json()).toEqual({
      ...{ healthy: true, database: true, lease: true, carriers: true },
    });
  });
});

describe('a number that was taken to another network', () => {
  it('goes by the carrier that is cheapest for that network, and to the number that it is', async () => {
    const loads = await timesLoaded();
    const carrier_id = world.carrier('beta').carrier_id;
    const rows = [{ prefix: NEW_NETWORK.slice(1), destination: 'UK, new network', rate_micros_per_segment: 5_000n }];
    // In one transaction: else a load of what is only drafted yet would be taken for that of the new prices.
    await inTransaction(world.pool, (tx) =>
      putTextDeck(tx, {
        ...{ name: 'buy-texts-beta', currency: 'EUR', carrier_id },
        rows: [...defaultTextBuy, ...rows],
      }),
    );
    await eventually('the new prices in force', 10_000, async () => ((await timesLoaded()) > loads ? true : null));
    for (const to of [PORTED, '+447700900156']) {
      const sent = await client.send({ from: texter.number, to, text: 'Hello' });
      expect(sent.status).toBe(202);
    }
    const recipientsBy = async (name: string): Promise<unknown[]> =>
      (await factsOf(world.carrier(name).log_file, 'submit')).map(({ to }) => to);
    await expect.poll(() => recipientsBy('beta')).toEqual([PORTED]);
    await expect.poll(() => recipientsBy('alpha')).toContain('+447700900156');
    expect(await recipientsBy('alpha')).not.toContain(PORTED);
  });

  it('is one that was looked up already as soon as it is known, and is back when that was an error', async () => {
    const number = '+447700900156';
    const recipientsBy = async (name: string): Promise<unknown[]> =>
      (await factsOf(world.carrier(name).log_file, 'submit')).map(({ to }) => to).filter((to) => to === number);
    const sentBy = async (name: string): Promise<void> => {
      const before = (await recipientsBy(name)).length;
      await eventually(`a text by ${name}`, 10_000, async () => {
        await client.send({ from: texter.number, to: number, text: 'Where are you?' });
        return (await recipientsBy(name)).length > before ? true : null;
      });
    };
    await sentBy('alpha');
    await world.pool.query('insert into ported_number (number, routing_number) values ($1, $2)', [number, NEW_NETWORK]);
    await sentBy('beta');
    await world.pool.query('delete from ported_number where number = $1', [number]);
    await sentBy('alpha');
  });
});

async function timesLoaded(): Promise<number> {
  const log = await readFile(join(world.home, 'log/sms-gateway.log'), 'utf8');
  return log.split('"msg":"prices of texts loaded"').length;
}
