import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { takeLease } from '../../domain/lease/lease.ts';
import { receiveMessages } from '../../domain/texts/arrivals.ts';
import { MessageIds } from '../../domain/texts/message_id.ts';
import { makeAdmin, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';

const SENDER = '+447700900777';
const HOUR_MS = 3_600_000;

type Item = Record<string, unknown>;
interface Page {
  items: Item[];
  next_cursor: string | null;
}

let world: PortalWorld;
let operations: { user_id: string; client: PortalClient };
let lease: { gateway_id: string; epoch: number };
let ids: MessageIds;

beforeAll(async () => {
  world = await PortalWorld.begin();
  const admin = await makeAdmin(world, ['operations']);
  operations = { user_id: admin.user_id, client: await admin.signIn() };
  lease = { gateway_id: 'sms', epoch: (await takeLease(world.pool, 'sms', randomUUID(), world.now())).epoch };
  ids = new MessageIds(() => world.now().getTime());
});

afterAll(() => world.end());

let last_number = 493_055_000;
const aNumber = (): string => `+${(last_number += 1)}`;

/** A text that a carrier brought, stored as the gateway does. */
async function arrive(recipient: string, body: string, keyword: 'stop' | 'start' | null = null): Promise<string> {
  const id = ids.next();
  const whole = { segments: 1, encoding: 'gsm7' as const, concatenation: null };
  await receiveMessages(world.pool, lease, world.now(), [
    { id, carrier_id: 1, sender: SENDER, recipient, body, keyword, ...whole },
  ]);
  return id;
}

const setNumber = (number: string, state: string, account_id: string | null) =>
  world.pool.query(
    `insert into did (number, account_id, state) values ($1, $2, $3)
     on conflict (number) do update set account_id = excluded.account_id, state = excluded.state`,
    [number, account_id, state],
  );

/** Held since then, and not paid: what comes meanwhile comes for nobody. */
async function suspend(number: string, user: TestUser, since: Date): Promise<void> {
  await setNumber(number, 'suspended', user.account_id);
  await world.pool.query(
    `insert into number_holding (id, number, account_id, wallet_id, state, state_since, held_from, currency, monthly_micros, anchor_day, paid_until)
     values ($1, $2, $3, $4, 'suspended', $5, $5, 'EUR', 0, 1, $5)`,
    [randomUUID(), number, user.account_id, user.wallet_id.toString(), since],
  );
}

const list = async (query: string): Promise<Page> => {
  const reply = await operations.client.get<Page>(`/v1/admin/unheld-messages?purpose=strays&${query}`);
  expect(reply.status).toBe(200);
  return reply.body;
};
const ask = (id: string, what: 'hand-on' | 'deal-with' | 'reveals', body: object) =>
  operations.client.post<Item>(`/v1/admin/unheld-messages/${id}/${what}`, body);
const received = async (here: PortalClient): Promise<Item[]> =>
  (await here.get<Page>('/v1/messages?direction=mo')).body.items;

async function audited(action: string, subject: string): Promise<unknown[]> {
  const { rows } = await world.pool.query<Item>(
    'select actor_id, account_id, purpose, detail from audit_log where action = $1 and subject = $2 order by seq',
    [action, subject],
  );
  return rows;
}

describe('texts for a number that nobody holds', () => {
  it('are listed without their words and with their sender masked, page by page', async () => {
    const number = aNumber();
    const [first, second] = [await arrive(number, 'secret one'), await arrive(number, 'secret two')];
    const query = `number=${encodeURIComponent(number)}&limit=1`;
    const page = await list(query);
    expect(page.items).toMatchObject([
      {
        ...{ message_id: second, number, sender_masked: '+4477•••77', state: 'waiting', is_erased: false },
        ...{ holder: null, arrived_while_held: false, decision: null },
      },
    ]);
    const rest = await list(`${query}&cursor=${page.next_cursor ?? ''}`);
    expect(rest).toMatchObject({ items: [{ message_id: first }], next_cursor: null });
    expect(JSON.stringify([page, rest])).not.toMatch(/secret|7700900777/u);
    const soon = new Date(world.now().getTime() + HOUR_MS).toISOString();
    expect((await list(`${query}&from=${soon}`)).items).toEqual([]);
    const views = await audited('unheld_messages.view', 'unheld_messages');
    expect(views.at(-1)).toMatchObject({ actor_id: operations.user_id, purpose: 'strays' });
    const support = await (await makeAdmin(world, ['support'])).signIn();
    expect(await support.get('/v1/admin/unheld-messages?purpose=x')).toMatchObject({ status: 403 });
  });

  it('are read by one person for five minutes, for a purpose that is on record', async () => {
    const id = await arrive(aNumber(), 'Your code is 123456');
    const granted = await ask(id, 'reveals', { purpose: 'who is it for' });
    expect(granted.status).toBe(201);
    const path = `/v1/admin/unheld-message-reveals/${String(granted.body['reveal_id'])}`;
    expect(await operations.client.get(path)).toMatchObject({
      body: { message_id: id, sender: SENDER, text: 'Your code is 123456' },
    });
    for (const action of ['unheld_message.reveal', 'unheld_message.view_revealed']) {
      expect(await audited(action, `message:${id}`)).toMatchObject([
        { actor_id: operations.user_id, purpose: 'who is it for' },
      ]);
    }
    const other = await (await makeAdmin(world, ['operations', 'owner'])).signIn();
    expect(await other.get(path)).toMatchObject({ status: 404 });
    // Nor is it found where what is revealed of customers is.
    const owner = await makeAdmin(world, ['owner']);
    const theirs = await owner.signIn();
    const again = await theirs.post<Item>(`/v1/admin/unheld-messages/${id}/reveals`, { purpose: 'mine' });
    expect(await theirs.get(`/v1/admin/reveals/${String(again.body['reveal_id'])}`)).toMatchObject({ status: 404 });
    world.advance(5 * 60_000 + 1);
    expect(await operations.client.get(path)).toMatchObject({ status: 404 });
    const user = await makeUser(world);
    const held = aNumber();
    await setNumber(held, 'active', user.account_id);
    expect(await ask(await arrive(held, 'a customer’s'), 'reveals', { purpose: 'x' })).toMatchObject({ status: 404 });
  });

  it('go to whom the number was suspended for, as soon as it is active, and only once', async () => {
    const user = await makeUser(world);
    const here = await user.signIn();
    const number = aNumber();
    await suspend(number, user, new Date(world.now().getTime() - HOUR_MS));
    await world.pool.query(
      `insert into webhook_endpoint (id, account_id, url, secret) values ($1, $2, 'http://127.0.0.1:1/', $3)`,
      [...[randomUUID(), user.account_id, `whsec_${'b'.repeat(40)}`]],
    );
    const id = await arrive(number, 'are you there?');
    expect(await received(here)).toEqual([]);
    expect(await ask(id, 'hand-on', {})).toMatchObject({
      status: 409,
      body: { type: expect.stringMatching(/conflict$/u) as unknown },
    });
    await setNumber(number, 'active', user.account_id);
    expect((await list(`number=${encodeURIComponent(number)}`)).items).toMatchObject([
      { arrived_while_held: true, holder: { account_id: user.account_id, number_state: 'active' } },
    ]);
    const replies = await Promise.all([ask(id, 'hand-on', {}), ask(id, 'hand-on', {})]);
    expect(replies.map(({ status }) => status).toSorted()).toEqual([200, 409]);
    const given = replies.find(({ status }) => status === 200)?.body;
    expect(given).toMatchObject({ account_id: user.account_id });
    expect(await ask(id, 'deal-with', { reason: 'too late' })).toMatchObject({ status: 409 });
    const texts = await received(here);
    expect(texts).toMatchObject([
      { message_id: given?.['given_as_message_id'], sender: SENDER, recipient: number, text: 'are you there?' },
    ]);
    const { rows } = await world.pool.query('select kind, channel from customer_delivery where message_id = $1', [
      texts[0]?.['message_id'],
    ]);
    expect(rows).toEqual([{ kind: 'text', channel: 'webhook' }]);
    expect((await list(`number=${encodeURIComponent(number)}`)).items).toEqual([]);
    expect((await list(`number=${encodeURIComponent(number)}&state=handed_on`)).items).toMatchObject([
      { message_id: id, decision: { account_id: user.account_id, decided_by: operations.user_id, reason: null } },
    ]);
    expect(await audited('unheld_message.hand_on', `message:${id}`)).toMatchObject([{ account_id: user.account_id }]);
  });

  it('that came before the number was theirs are given to nobody without a reason; STOP is obeyed', async () => {
    const user = await makeUser(world);
    const here = await user.signIn();
    const number = aNumber();
    const id = await arrive(number, 'STOP', 'stop');
    await setNumber(number, 'active', user.account_id);
    expect(await ask(id, 'hand-on', {})).toMatchObject({ status: 409 });
    expect(await received(here)).toEqual([]);
    expect(await ask(id, 'hand-on', { reason: 'they asked for it' })).toMatchObject({
      ...{ status: 200, body: { account_id: user.account_id } },
    });
    expect(await received(here)).toHaveLength(1);
    const stops = await world.pool.query('select recipient, sender from opt_out where account_id = $1', [
      user.account_id,
    ]);
    expect(stops.rows).toEqual([{ recipient: SENDER, sender: number }]);
    expect(await audited('unheld_message.hand_on', `message:${id}`)).toMatchObject([
      { detail: { reason: 'they asked for it' } },
    ]);
  });

  it('are dealt with for a reason, and what is erased or a customer’s is handed to nobody', async () => {
    const user = await makeUser(world);
    const number = aNumber();
    const [spam, erased] = [await arrive(number, 'buy now'), await arrive(number, 'long ago')];
    await world.pool.query('update message set body = null where id = $1', [erased]);
    await setNumber(number, 'active', user.account_id);
    expect(await ask(spam, 'deal-with', {})).toMatchObject({ status: 422 });
    expect(await ask(spam, 'deal-with', { reason: 'spam' })).toMatchObject({ status: 200 });
    expect(await ask(spam, 'hand-on', { reason: 'no, it is theirs' })).toMatchObject({ status: 409 });
    expect(await ask(erased, 'hand-on', { reason: 'theirs' })).toMatchObject({
      body: { type: expect.stringMatching(/not_available$/u) as unknown },
    });
    const theirs = await arrive(number, 'a text of theirs');
    for (const what of ['hand-on', 'deal-with'] as const) {
      expect(await ask(theirs, what, { reason: 'mine' })).toMatchObject({ status: 404 });
    }
    expect(await received(await user.signIn())).toMatchObject([{ text: 'a text of theirs' }]);
  });
});
