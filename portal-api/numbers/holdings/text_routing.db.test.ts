import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { takeLease } from '../../../domain/lease/lease.ts';
import { receiveMessages } from '../../../domain/texts/arrivals.ts';
import { MessageIds } from '../../../domain/texts/message_id.ts';
import type { GatewayLease } from '../../../domain/texts/queue.ts';
import { makeCarrier } from '../../../deploy/world/people.ts';
import { makeAdmin, makeApiKey, makeMember, makeUser } from '../../testing/people.ts';
import type { TestUser } from '../../testing/people.ts';
import type { PortalClient, Reply } from '../../testing/portal_client.ts';
import { PortalWorld } from '../../testing/portal_world.ts';
import { buyerOf, problem, UNIT } from '../testing/buying.ts';
import { needDocumentsIn } from '../testing/documents.ts';
import { putInStock } from '../testing/stock.ts';

interface TextRouting {
  webhook_ids: string[] | null;
}

const ids = new MessageIds(Date.now);

let world: PortalWorld;
let lease: GatewayLease;
let carrier_id: number;
let last = 0;

beforeAll(async () => {
  world = await PortalWorld.begin();
  await needDocumentsIn(world.pool, []);
  carrier_id = await makeCarrier(world.pool, { carrier: 'alpha', trunk: 'trunk-alpha', address: '127.0.0.5', port: 1 });
  const { epoch } = await takeLease(world.pool, 'sms', randomUUID(), new Date());
  lease = { gateway_id: 'sms', epoch };
});

afterAll(() => world.end());

interface Bought {
  user: TestUser;
  client: PortalClient;
  number: string;
}

async function bought(): Promise<Bought> {
  last += 1;
  const number = `+4950600${String(last).padStart(3, '0')}`;
  await putInStock(world.pool, [number]);
  return { ...(await buyerOf(world, number, { balance_micros: 20n * UNIT })), number };
}

async function webhook(client: PortalClient, kinds = ['receipt', 'text']): Promise<string> {
  const url = `https://${randomUUID()}.example.org/`;
  return (await client.post<{ webhook_id: string }>('/v1/webhooks', { url, kinds })).body.webhook_id;
}

const pathOf = (number: string): string => `/v1/numbers/${number}/text-routing`;

async function choose(
  number: string,
  client: PortalClient,
  webhook_ids: readonly string[] | null,
): Promise<Reply<TextRouting & { detail?: string }>> {
  const { headers } = await client.get<TextRouting>(pathOf(number));
  const version = Number(headers.get('etag')?.replaceAll('"', ''));
  return client.ask('PUT', pathOf(number), { body: { webhook_ids }, version });
}

/** The endpoints that are to be told of a text that comes now, as the gateway reads it. */
async function toldOf(number: string): Promise<string[]> {
  const arrival = {
    ...{ id: ids.next(), carrier_id, sender: '+447700900999', recipient: number, body: 'Your code is 123456' },
    ...({ encoding: 'gsm7', segments: 1, keyword: null, concatenation: null } as const),
  };
  await receiveMessages(world.pool, lease, new Date(), [arrival]);
  const { rows } = await world.pool.query<{ target: string }>(
    'select target from customer_delivery where message_id = $1 order by target',
    [arrival.id],
  );
  return rows.map(({ target }) => target);
}

describe('who hears of the texts of a number', () => {
  it('are all webhooks of its holder, those that were chosen, or none, from the next text on', async () => {
    const [{ user, client, number }, other] = [await bought(), await bought()];
    const [one, two, deaf] = [await webhook(client), await webhook(client), await webhook(client, ['receipt'])];
    const theirs = await webhook(other.client);
    expect(await client.get(pathOf(number))).toMatchObject({ status: 200, body: { webhook_ids: null } });
    expect(await toldOf(number)).toEqual([one, two].sort());
    expect(await choose(number, client, [two, two])).toMatchObject({ status: 200, body: { webhook_ids: [two] } });
    expect(await toldOf(number)).toEqual([two]);
    // One that wants no texts hears of none, though it was chosen.
    await choose(number, client, [one, deaf]);
    expect(await toldOf(number)).toEqual([one]);
    const none = await choose(number, client, []);
    expect(none).toMatchObject({ status: 200, body: { webhook_ids: [] } });
    expect(await toldOf(number)).toEqual([]);
    expect(await toldOf(other.number)).toEqual([theirs]);
    await choose(number, client, null);
    const three = await webhook(client);
    expect(await toldOf(number)).toEqual([one, two, three].sort());
    const { rows } = await world.pool.query<{ detail: unknown }>(
      `select detail from audit_log where account_id = $1 and action = 'number.route_texts' order by seq`,
      [user.account_id],
    );
    expect(rows.map(({ detail }) => detail)).toEqual([
      { before: 'all', after: [two] },
      { before: [two], after: [one, deaf].sort() },
      { before: [one, deaf].sort(), after: [] },
      { before: [], after: 'all' },
    ]);
  });

  it('are no others where the last one that was chosen is deleted', async () => {
    const { client, number } = await bought();
    const [one, two] = [await webhook(client), await webhook(client)];
    await choose(number, client, [one, two]);
    await client.ask('DELETE', `/v1/webhooks/${two}`);
    expect(await client.get(pathOf(number))).toMatchObject({ body: { webhook_ids: [one] } });
    await client.ask('DELETE', `/v1/webhooks/${one}`);
    await webhook(client);
    expect(await client.get(pathOf(number))).toMatchObject({ body: { webhook_ids: [] } });
    expect(await toldOf(number)).toEqual([]);
  });

  it('is not somebody else’s webhook, which is told apart from none in no way', async () => {
    const [mine, eve] = [await bought(), await bought()];
    const [own, theirs] = [await webhook(mine.client), await webhook(eve.client)];
    const foreign = await choose(mine.number, mine.client, [own, theirs]);
    expect(foreign).toMatchObject({ status: 409, ...problem('conflict') });
    const absent = await choose(mine.number, mine.client, [own, randomUUID()]);
    expect({ status: absent.status, detail: absent.body.detail }).toEqual({
      ...{ status: foreign.status, detail: foreign.body.detail },
    });
    expect(await toldOf(mine.number)).toEqual([own]);
    // Were one written all the same, it would hear nothing.
    await world.pool.query('update did set texts_to_chosen = true where number = $1', [mine.number]);
    await world.pool.query('insert into number_webhook values ($1, $2)', [mine.number, theirs]);
    expect(await toldOf(mine.number)).toEqual([]);
  });

  it('is forgotten when the number is handed over, cancelled or taken away', async () => {
    const given = await bought();
    const next = await makeUser(world);
    const theirs = await next.signIn();
    const [kept, hers] = [await webhook(given.client), await webhook(theirs)];
    await choose(given.number, given.client, [kept]);
    const offered = await given.client.post<{ code: string }>(`/v1/numbers/${given.number}/transfer`);
    const accept = { code: offered.body.code, consent: true };
    expect(await theirs.post('/v1/number-transfers/accept', accept)).toMatchObject({ status: 201 });
    expect(await theirs.get(pathOf(given.number))).toMatchObject({ body: { webhook_ids: null } });
    expect(await toldOf(given.number)).toEqual([hers]);
    expect(await given.client.get(pathOf(given.number))).toMatchObject({ status: 404 });

    const [cancelled, taken] = [await bought(), await bought()];
    for (const { client, number } of [cancelled, taken]) await choose(number, client, [await webhook(client)]);
    expect(await cancelled.client.post(`/v1/numbers/${cancelled.number}/cancellation`, { when: 'now' })).toMatchObject({
      status: 201,
    });
    const admin = await (await makeAdmin(world, ['operations'])).signIn();
    const release = await admin.post(`/v1/admin/numbers/${taken.number}/release`, { reason: 'a test' });
    expect(release).toMatchObject({ status: 204 });
    const { rows } = await world.pool.query(
      `select d.number from did d left join number_webhook w on w.number = d.number
        where d.number = any($1) and (d.texts_to_chosen or w.endpoint_id is not null)`,
      [[given.number, cancelled.number, taken.number]],
    );
    expect(rows).toEqual([]);
  });

  it('is chosen by the owner, or a program with the right to; others of the account see it', async () => {
    const { user, client, number } = await bought();
    const one = await webhook(client);
    const billing = await (await makeMember(world, user.account_id, 'billing')).signIn();
    expect(await billing.get(pathOf(number))).toMatchObject({ status: 200 });
    expect(await choose(number, billing, [])).toMatchObject(problem('not_permitted'));
    const program = world.client();
    program.api_key = await makeApiKey(world, user.account_id, ['numbers:read']);
    expect(await choose(number, program, [])).toMatchObject(problem('not_permitted'));
    program.api_key = await makeApiKey(world, user.account_id, ['numbers:read', 'numbers:write']);
    expect(await choose(number, program, [one])).toMatchObject({ status: 200 });
    const eve = await (await makeUser(world)).signIn();
    expect(await eve.get(pathOf(number))).toMatchObject({ status: 404 });
    const stolen = await eve.ask('PUT', pathOf(number), { body: { webhook_ids: null }, version: 1 });
    expect(stolen).toMatchObject({ status: 404 });
    expect(await toldOf(number)).toEqual([one]);
  });

  it('is chosen by whoever has seen what it is now', async () => {
    const { client, number } = await bought();
    const one = await webhook(client);
    await choose(number, client, [one]);
    const late = await client.ask('PUT', pathOf(number), { body: { webhook_ids: [] }, version: 1 });
    expect(late).toMatchObject({ status: 412, ...problem('version_conflict') });
    const unread = await client.ask('PUT', pathOf(number), { body: { webhook_ids: [] } });
    expect(unread).toMatchObject({ status: 428 });
    expect(await toldOf(number)).toEqual([one]);
  });
});
