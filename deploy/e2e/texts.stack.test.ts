import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase } from '../testing/database.ts';
import type { FreshDatabase } from '../testing/database.ts';
import { freshRedis } from '../testing/redis.ts';
import { TextClient } from '../world/text_client.ts';
import { TextWorld } from '../world/text_world.ts';
import { booksAreRight, eventually } from '../world/verdict.ts';

let database: FreshDatabase;
let world: TextWorld;

beforeAll(async () => {
  database = await freshDatabase();
  const redis = await freshRedis();
  world = await TextWorld.begin({ database_url: database.url, redis_url: redis.url });
}, 60_000);

afterAll(async () => {
  await booksAreRight(world.pool);
  await world.end();
  await database.drop();
});

async function stateOf(id: string): Promise<string | undefined> {
  const { rows } = await world.pool.query<{ state: string }>('select state from message_state where message_id = $1', [
    id,
  ]);
  return rows[0]?.state;
}

describe('a text', () => {
  it('is charged, sent, and known to have arrived', async () => {
    const texter = await world.texter({ balance_micros: 1_000_000n });
    const client = new TextClient(world.gateway.url, texter.api_key);
    const reply = await client.send({ from: texter.number, to: '+447700900123', text: 'Hello' });
    expect(reply).toMatchObject({ status: 202, segments: 1, price: { net_micros: '40000' } });
    await eventually('its receipt', 5_000, async () => ((await stateOf(reply.id)) === 'delivered' ? true : null));
  });
});
