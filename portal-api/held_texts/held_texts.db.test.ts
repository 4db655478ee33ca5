import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { putTextDeck } from '../../deploy/world/tariffs.ts';
import { takeLease } from '../../domain/lease/lease.ts';
import { brokenInvariants } from '../../domain/ledger/invariants.ts';
import { claimMessages } from '../../domain/texts/queue.ts';
import type { GatewayLease } from '../../domain/texts/queue.ts';
import { recordScreenings } from '../../domain/texts/screening/unscreened_texts.ts';
import { makeAdmin, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';

const BALANCE_MICROS = 100_000n;

interface Held {
  message_id: string;
  text_masked: string;
}

let world: PortalWorld;
let user: TestUser;
let here: PortalClient;
let operations: { user_id: string; client: PortalClient };
let lease: GatewayLease;

beforeAll(async () => {
  world = await PortalWorld.begin();
  await putTextDeck(world.pool, {
    ...{ name: 'retail-texts', currency: 'EUR', carrier_id: null },
    rows: [{ prefix: '44', destination: 'United Kingdom', rate_micros_per_segment: 1_000n }],
  });
  user = await makeUser(world, { balance_micros: BALANCE_MICROS, tax_ppm: 190_000 });
  here = await user.signIn();
  await world.pool.query(`insert into did (number, account_id, state) values ('+493099', $1, 'active')`, [
    user.account_id,
  ]);
  const admin = await makeAdmin(world, ['operations']);
  operations = { user_id: admin.user_id, client: await admin.signIn() };
  lease = { gateway_id: 'sms', epoch: (await takeLease(world.pool, 'sms', randomUUID(), world.now())).epoch };
});

afterAll(async () => {
  expect(await brokenInvariants(world.pool)).toEqual([]);
  await world.end();
});

async function send(text: string): Promise<string> {
  const sent = await here.post<{ message_id: string }>('/v1/messages', {
    ...{ sender: '+493099', recipient: '+447700900123', text },
  });
  expect(sent.status).toBe(202);
  return sent.body.message_id;
}

/** Reads events of a stream until they are as wanted. */
async function heard(stream: Response, is_wanted: (text: string) => boolean): Promise<string> {
  let text = '';
  for await (const chunk of stream.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (is_wanted(text)) return text;
  }
  throw new Error(`The stream ended before: ${text}`);
}

/** A gateway's word on it. */
async function screened(message_id: string, verdict: 'hold' | 'refuse', words: string): Promise<void> {
  const text = { message_id, verdict, words, due_at: null };
  expect(await recordScreenings(world.pool, lease, world.now(), [text])).toBe(1);
}

async function held(text: string): Promise<string> {
  const id = await send(text);
  await screened(id, 'hold', 'rule 7 (word “casino”, GB): gambling needs a licence');
  return id;
}

const read = (id: string) =>
  here.get<{ state: string; error: string | null; events: unknown[] }>(`/v1/messages/${id}`).then(({ body }) => body);

async function balance(): Promise<bigint> {
  const { rows } = await world.pool.query<{ balance: string }>(
    'select balance_micros as balance from wallet where id = $1',
    [user.wallet_id.toString()],
  );
  return BigInt(rows[0]?.balance ?? '-1');
}

async function audited(action: string): Promise<unknown[]> {
  const { rows } = await world.pool.query<Record<string, unknown>>(
    'select actor_id, account_id, subject, detail, purpose from audit_log where action = $1',
    [action],
  );
  return rows;
}

describe('a text of the portal’s', () => {
  it('waits for the gateway, and tells its customer why it was refused, here and live, and gives its price back', async () => {
    const stream = await here.stream('/v1/events');
    const before = await balance();
    const id = await send('see bit.ly/x');
    expect(await read(id)).toMatchObject({ state: 'queued', error: null });
    expect(await claimMessages(world.pool, lease, null, world.now(), 100)).toEqual([]);
    expect(await balance()).toBe(before - 1_190n);
    await screened(id, 'refuse', 'The rules of the destination forbid what the text contains. (no shortened links)');
    const words = 'The rules of the destination forbid what the text contains. (no shortened links)';
    expect(await read(id)).toMatchObject({ state: 'rejected', error: words });
    expect(await balance()).toBe(before);
    const told = await heard(stream, (all) => all.includes('rejected'));
    expect(told).toMatch(new RegExp(`"id":"${id}".*"state":"rejected".*no shortened links`, 'u'));
  });
});

describe('held texts', () => {
  it('are listed with their words and without their codes, and by account', async () => {
    const [one, other] = [await held('Casino code 123456'), await held('Call me at ann@example.org, casino')];
    const path = '/v1/admin/held-messages?purpose=queue&limit=1';
    const first = await operations.client.get<{ items: Held[]; next_cursor: string }>(path);
    expect(first.body.items).toMatchObject([
      {
        ...{ message_id: one, account_id: user.account_id, state: 'held', text_masked: 'Casino code ••••••' },
        ...{ sender_masked: '•••', recipient_masked: '+4477•••23', net_micros: '1000' },
        reason: 'rule 7 (word “casino”, GB): gambling needs a licence',
      },
    ]);
    const rest = await operations.client.get<{ items: Held[] }>(`${path}&cursor=${first.body.next_cursor}`);
    expect(rest.body.items).toMatchObject([{ message_id: other, text_masked: 'Call me at •••@•••, casino' }]);
    expect(await audited('held_messages.view')).toMatchObject([
      { actor_id: operations.user_id, purpose: 'queue' },
      { actor_id: operations.user_id, purpose: 'queue' },
    ]);
    const log = await here.get('/v1/access-log?limit=2');
    const seen = { action: 'held_messages.view', purpose: 'queue' };
    expect(log.body).toMatchObject({ items: [seen, seen] });
    const none = await operations.client.get(`${path}&account_id=${randomUUID()}`);
    expect(none.body).toMatchObject({ items: [] });
    const counts = await operations.client.get('/v1/admin/held-messages/accounts');
    expect(counts.body).toMatchObject({ items: [{ account_id: user.account_id, held: 2, in_doubt: 0 }] });
  });

  it('go on their way when an admin lets them go, once', async () => {
    const id = await held('The best casino');
    expect(await read(id)).toMatchObject({ state: 'held', error: null });
    const path = `/v1/admin/held-messages/${id}/release`;
    const support = await (await makeAdmin(world, ['support'])).signIn();
    expect(await support.post(path, { reason: 'licensed' })).toMatchObject({ status: 403 });
    expect(await operations.client.post(path, { reason: '' })).toMatchObject({ status: 422 });
    expect(await operations.client.post(path, { reason: 'licensed' })).toMatchObject({
      ...{ status: 200, body: { message_id: id, decision: 'released' } },
    });
    expect(await operations.client.post(path, { reason: 'licensed' })).toMatchObject({
      status: 409,
      body: { type: 'urn:letsdial:problem:too_late' },
    });
    const claimed = await claimMessages(world.pool, lease, null, world.now(), 100);
    expect(claimed.map(({ message_id }) => message_id)).toEqual([id]);
    expect(await audited('held_message.release')).toMatchObject([
      {
        ...{ actor_id: operations.user_id, account_id: user.account_id },
        ...{ subject: `message:${id}`, detail: { reason: 'licensed' } },
      },
    ]);
  });

  it('end with their price given back when an admin refuses them, and the customer reads why', async () => {
    const before = await balance();
    const id = await held('A casino');
    const path = `/v1/admin/held-messages/${id}/refuse`;
    expect(await operations.client.post(path, { reason: 'no licence was shown' })).toMatchObject({ status: 200 });
    expect(await read(id)).toMatchObject({ state: 'rejected', error: 'no licence was shown' });
    expect(await balance()).toBe(before);
    expect(await audited('held_message.refuse')).toMatchObject([{ subject: `message:${id}` }]);
    const missing = `/v1/admin/held-messages/${randomUUID()}/refuse`;
    expect(await operations.client.post(missing, { reason: 'no' })).toMatchObject({ status: 404 });
  });
});
