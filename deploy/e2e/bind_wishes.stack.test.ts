import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { factsOf } from '../smsc/read_log.ts';
import { freshDatabase } from '../testing/database.ts';
import type { FreshDatabase } from '../testing/database.ts';
import { freshRedis } from '../testing/redis.ts';
import { TextClient } from '../world/text_client.ts';
import { TextWorld } from '../world/text_world.ts';
import type { Texter } from '../world/text_world.ts';
import { booksAreRight, eventually } from '../world/verdict.ts';

let database: FreshDatabase;
let world: TextWorld;
let texter: Texter;
let client: TextClient;

/** A British carrier that writes British numbers as they are dialled there, and wants ours with their plus. */
beforeAll(async () => {
  database = await freshDatabase();
  const redis = await freshRedis();
  world = await TextWorld.begin({
    ...{ database_url: database.url, redis_url: redis.url, carriers: ['alpha'] },
    bind: { more: { home_country: 'GB', plus_sign: true, number_npi: 8, recipient_ton: 0 } },
  });
  texter = await world.texter({ balance_micros: 10_000_000n });
  client = new TextClient(world.gateway.url, texter.api_key);
}, 60_000);

afterAll(async () => {
  await booksAreRight(world.pool);
  await world.end();
  await database.drop();
});

const alpha = () => world.carrier('alpha');

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

  it('is watched: how long it takes to answer, and what waits', async () => {
    const metrics = async (): Promise<string> => (await fetch(`${world.gateway.observe_url}/metrics`)).text();
    const answered = await eventually('all answers to be counted', 10_000, async () => {
      const lines = (await metrics()).split('\n');
      const figure = (name: string) =>
        Number(
          lines
            .find((line) => line.startsWith(name))
            ?.split(' ')
            .at(-1),
        );
      const all = figure('letsdial_bind_response_seconds_bucket{bind="alpha-1",carrier="alpha",le="+Inf"}');
      expect(figure('letsdial_bind_response_seconds_count')).toBe(all);
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
