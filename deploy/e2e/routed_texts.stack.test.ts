import { afterAll, beforeAll, expect, it } from 'vitest';
import { buyerOf, UNIT } from '../../portal-api/numbers/testing/buying.ts';
import { needDocumentsIn } from '../../portal-api/numbers/testing/documents.ts';
import { putInStock } from '../../portal-api/numbers/testing/stock.ts';
import type { PortalClient } from '../../portal-api/testing/portal_client.ts';
import { PortalWorld } from '../../portal-api/testing/portal_world.ts';
import { CustomerServer } from '../../sms-gateway/webhooks/testing/customer_server.ts';
import { freshDatabase } from '../testing/database.ts';
import type { FreshDatabase } from '../testing/database.ts';
import { freshRedis } from '../testing/redis.ts';
import { TextWorld } from '../world/text_world.ts';
import { booksAreRight, eventually } from '../world/verdict.ts';

const NUMBER = '+4950800100';
const PERSON = '447700900201';
/** How soon the running gateway has to go by another choice, and whoever is to hear of it to have heard. */
const SOON_MS = 10_000;

let database: FreshDatabase;
let texts: TextWorld;
let portal: PortalWorld;
let client: PortalClient;
const servers: CustomerServer[] = [];

beforeAll(async () => {
  database = await freshDatabase();
  const redis = await freshRedis();
  texts = await TextWorld.begin({
    ...{ database_url: database.url, redis_url: redis.url, carriers: ['alpha'] },
    settings: { WEBHOOKS_TO_PRIVATE_ADDRESSES: 'yes' },
  });
  portal = await PortalWorld.begin({}, { database_url: database.url, redis_url: redis.url });
  await needDocumentsIn(portal.pool, []);
  await putInStock(portal.pool, [NUMBER]);
}, 60_000);

afterAll(async () => {
  await booksAreRight(texts.pool);
  await portal.end();
  await texts.end();
  for (const server of servers) await server.close();
  await database.drop();
});

/** A server of the customer's, by the id of its webhook, and the texts that it was told of. */
async function server(): Promise<{ webhook_id: string; heard: () => string[] }> {
  const made = await new CustomerServer().listen();
  servers.push(made);
  const { body } = await client.post<{ webhook_id: string }>('/v1/webhooks', { url: made.url() });
  const textOf = (one: string): string => (JSON.parse(one) as { data: { text: string } }).data.text;
  return { webhook_id: body.webhook_id, heard: () => made.hits.map((hit) => textOf(hit.body)) };
}

async function choose(webhook_ids: readonly string[] | null): Promise<void> {
  const path = `/v1/numbers/${NUMBER}/text-routing`;
  const { headers } = await client.get(path);
  const version = Number(headers.get('etag')?.replaceAll('"', ''));
  expect(await client.ask('PUT', path, { body: { webhook_ids }, version })).toMatchObject({ status: 200 });
}

const arrives = (text: string): Promise<unknown> =>
  texts.carrier('alpha').carrier.sendMo({ from: PERSON, to: NUMBER, text });

it('a text that arrives is told to those servers that the holder has chosen in the portal by then, and to no others', async () => {
  ({ client } = await buyerOf(portal, NUMBER, { balance_micros: 20n * UNIT }));
  const [shop, support] = [await server(), await server()];
  const hears = (who: typeof shop, text: string): Promise<true> =>
    eventually(`the text “${text}”`, SOON_MS, () => (who.heard().includes(text) ? true : null));
  await arrives('for both');
  await Promise.all([hears(shop, 'for both'), hears(support, 'for both')]);
  await choose([shop.webhook_id]);
  await arrives('for the shop');
  await hears(shop, 'for the shop');
  await choose([]);
  await arrives('for nobody');
  await choose([support.webhook_id]);
  await arrives('for support');
  await hears(support, 'for support');
  await choose(null);
  await arrives('for both again');
  await Promise.all([hears(shop, 'for both again'), hears(support, 'for both again')]);
  await eventually('all that was to be told', SOON_MS, async () => {
    const { rows } = await texts.pool.query('select from customer_delivery');
    return rows.length === 0 ? true : null;
  });
  expect(shop.heard()).toEqual(['for both', 'for the shop', 'for both again']);
  expect(support.heard()).toEqual(['for both', 'for support', 'for both again']);
  const { rows } = await texts.pool.query<{ body: string }>(
    `select body from message where direction = 'mo' order by id`,
  );
  expect(rows.map(({ body }) => body)).toContain('for nobody');
});
