import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inTransaction } from '../../domain/db/transaction.ts';
import { makeAdmin, makeUser } from '../testing/people.ts';
import { PortalWorld } from '../testing/portal_world.ts';
import { meterOf } from './call_meter.ts';
import type { LiveHold } from './call_meter.ts';
import { tellCustomer } from './tell_customer.ts';

let world: PortalWorld;

beforeAll(async () => {
  world = await PortalWorld.begin();
});

afterAll(() => world.end());

const rate = {
  ...{ rate_micros_per_minute: '60000', connect_fee_micros: '5000', minimum_seconds: 0, grace_seconds: 0 },
  ...{ initial_increment_seconds: 1, subsequent_increment_seconds: 1, free_seconds: 0 },
};

const hold = (wishes: Partial<LiveHold>): LiveHold => ({
  ...{
    account_id: randomUUID(),
    call_id: randomUUID(),
    answered_at: null,
    answered_attempt: null,
    pack_seconds_held: 0,
    currency: 'EUR',
  },
  ...{ held_micros: 50_000n, balance_micros: 1_000_000n, wallet_held_micros: 80_000n },
  snapshot: {
    ...{ direction: 'outbound', caller: '+4930100', callee: '+33123456789', destination: 'France' },
    tariff: { rate, tax_ppm: 190_000 },
  },
  ...wishes,
});

it('meters a call by the price that it is settled by, and never beyond what is held', () => {
  const answered_at = new Date('2026-01-01T12:00:00.000Z');
  const after = (ms: number) => meterOf(hold({ answered_at }), new Date(answered_at.getTime() + ms));
  expect(meterOf(hold({}), answered_at)).toMatchObject({ elapsed_seconds: 0, spent_micros: 0n, left_micros: 970_000n });
  expect(after(1)).toMatchObject({ elapsed_seconds: 1, spent_micros: 7_140n, left_micros: 962_860n });
  expect(after(20_000)).toMatchObject({ elapsed_seconds: 20, spent_micros: 29_750n });
  expect(after(3_600_000)).toMatchObject({ elapsed_seconds: 3_600, spent_micros: 50_000n });
});

it('meters a forwarded call by both prices, and one that a phone answered by the number’s own', () => {
  const answered_at = new Date('2026-01-01T12:00:00.000Z');
  const at = (ms: number, answered_attempt: number | null, kind: string) => {
    const forwarded = {
      to: '+442071838750',
      rate: { ...rate, rate_micros_per_minute: '120000', connect_fee_micros: '0' },
    };
    const snapshot = {
      ...{ direction: 'inbound', caller: '+33155550100', callee: '+4930100', destination: '+4930100' },
      ...{ tariff: { rate, tax_ppm: 0, forwarded }, target: { kind } },
    };
    const wishes = { answered_at, answered_attempt, snapshot, pack_seconds_held: 2 };
    return meterOf(hold(wishes), new Date(answered_at.getTime() + ms));
  };
  // 5,000 and a thousand a second; and two thousand a second on the way on, of which a pack pays two.
  const both = { spent_micros: 10_000n, rate_micros_per_minute: 180_000n };
  expect(at(3_000, 1, 'routes')).toMatchObject(both);
  expect(at(3_000, 2, 'devices')).toMatchObject(both);
  expect(at(3_000, 1, 'devices')).toMatchObject({ spent_micros: 8_000n, rate_micros_per_minute: 60_000n });
});

/** Reads events of a stream until one is as wanted. */
async function heard(stream: Response, is_wanted: (text: string) => boolean): Promise<string> {
  let text = '';
  for await (const chunk of stream.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (is_wanted(text)) return text;
  }
  throw new Error(`The stream ended before: ${text}`);
}

it('tells a customer what changed when it is committed, and nobody of another', async () => {
  const [ada, eve, admin] = [await makeUser(world), await makeUser(world), await makeAdmin(world, ['operations'])];
  const streams = await Promise.all([
    (await ada.signIn()).stream('/v1/events'),
    (await eve.signIn()).stream('/v1/events'),
    (await admin.signIn()).stream('/v1/admin/events'),
  ]);
  const [hers, others, all] = streams;
  expect(streams.map(({ status }) => status)).toEqual([200, 200, 200]);
  await inTransaction(world.pool, (tx) =>
    tellCustomer(tx, ada.account_id, { type: 'order', id: 'one', state: 'active' }),
  );
  await inTransaction(world.pool, (tx) => tellCustomer(tx, eve.account_id, { type: 'order', id: 'two' }));
  const is_told = (text: string): boolean => text.includes('event: order');
  expect(await heard(hers, is_told)).toContain('data: {"id":"one","state":"active"}');
  const told_eve = await heard(others, is_told);
  expect(told_eve).toContain('data: {"id":"two"}');
  expect(told_eve).not.toContain('one');
  expect(await heard(all, (text) => text.includes('two'))).toContain(`"account_id":"${ada.account_id}"`);
});

it('tells what becomes of texts', async () => {
  const ada = await makeUser(world, { balance_micros: 1_000_000n });
  const stream = await (await ada.signIn()).stream('/v1/events');
  const { rows } = await world.pool.query<{ id: string }>(
    `insert into message (id, account_id, direction, sender, recipient, body, encoding, segments, class, on_doubt, source, accepted_at)
     select (lpad(to_hex(floor(extract(epoch from now()) * 1000)::bigint), 12, '0') || '70008000000000000001')::uuid, $1, 'mo',
            '+4930100', '+4930101', 'Hello', 'gsm7', 1, 'normal', 'hold', 'carrier', now() returning id`,
    [ada.account_id],
  );
  expect(await heard(stream, (text) => text.includes('event: message'))).toContain(`"id":"${rows[0]?.id ?? ''}"`);
});

async function beginCall({ wallet_id }: { wallet_id: bigint }, snapshot: unknown): Promise<string> {
  const id = randomUUID();
  await inTransaction(world.pool, async (tx) => {
    await tx.query(
      `insert into call_hold (leg_id, call_id, wallet_id, switch_id, channel_id, held_micros, seconds_granted, authorized_at,
                              answered_at, deadline_at, snapshot)
       values ($1, $1, $2, 'asterisk', 'c', 50000, 60, now(), now(), now() + interval '1 minute', $3)`,
      [id, wallet_id, JSON.stringify(snapshot)],
    );
    await tx.query('update wallet set open_calls = open_calls + 1, held_micros = held_micros + 50000 where id = $1', [
      wallet_id,
    ]);
  });
  return id;
}

it('meters each call once a second in the stream, whatever another one holds that cannot be read', async () => {
  await world.pool.query(`insert into switch_lease (switch_id) values ('asterisk') on conflict do nothing`);
  const rich = { balance_micros: 1_000_000n };
  const [ada, eve] = [await makeUser(world, rich), await makeUser(world, rich)];
  // Of the first in line, so that what is read after it shows whether it went on.
  const odd = await beginCall(ada, { direction: 'sideways' });
  const [hers, theirs] = [await beginCall(ada, hold({}).snapshot), await beginCall(eve, hold({}).snapshot)];
  const [ears, others] = [
    await (await ada.signIn()).stream('/v1/events'),
    await (await eve.signIn()).stream('/v1/events'),
  ];
  const twice = (text: string): boolean => text.split('event: call_meter').length > 2 && text.endsWith('\n\n');
  const [told, told_eve] = [await heard(ears, twice), await heard(others, twice)];
  const [, data = ''] = /event: call_meter\ndata: (.*)\n\n/u.exec(told) ?? [];
  expect(JSON.parse(data)).toMatchObject({
    ...{ call_id: hers, direction: 'outbound', party: '+33123456789', destination: 'France', currency: 'EUR' },
    ...{ rate_micros_per_minute: '60000', spent_micros: expect.stringMatching(/^\d+$/u) as unknown },
  });
  expect(told).not.toContain(odd);
  expect(told_eve).toContain(theirs);
  expect(told_eve).not.toContain(hers);
  const lines = world.logged.filter(({ call_id }) => call_id === odd);
  expect(lines).toMatchObject([{ msg: 'a call cannot be metered for who listens; the others are' }]);
});

it('is for ten windows of each person, however many others of the operator listen', async () => {
  const windows: Response[] = [];
  const admin = await (await makeAdmin(world, ['operations'])).signIn();
  for (let n = 0; n < 10; n += 1) windows.push(await admin.stream('/v1/admin/events'));
  windows.push(await (await (await makeAdmin(world, ['support'])).signIn()).stream('/v1/admin/events'));
  expect(windows.map(({ status }) => status)).toEqual(Array.from({ length: 11 }, () => 200));
  expect(await admin.get('/v1/admin/events')).toMatchObject({ status: 429 });
  for (const { body } of windows) await body?.cancel();
});

it('ends for whoever is signed out, by whichever way, and for nobody else', async () => {
  const ada = await makeUser(world);
  const [here, there, elsewhere] = [await ada.signIn(), await ada.signIn(), await ada.signIn()];
  const admin = await (await makeAdmin(world, ['operations'])).signIn();
  const streams = [
    await here.stream('/v1/events'),
    await there.stream('/v1/events'),
    await elsewhere.stream('/v1/events'),
  ];
  const watched = await admin.stream('/v1/admin/events');
  expect(await here.ask('DELETE', '/v1/session')).toMatchObject({ status: 204 });
  const { body } = await elsewhere.get<{ items: { session_id: string; is_this: boolean }[] }>('/v1/sessions');
  const other = body.items.find(({ is_this }) => !is_this)?.session_id ?? '';
  expect(await elsewhere.ask('DELETE', `/v1/sessions/${other}`)).toMatchObject({ status: 204 });
  expect(await admin.ask('DELETE', '/v1/session')).toMatchObject({ status: 204 });
  const [ends_here, ends_there, goes_on] = streams;
  for (const ended of [ends_here, ends_there, watched]) expect(await ended?.text()).toContain('connected');
  await inTransaction(world.pool, (tx) => tellCustomer(tx, ada.account_id, { type: 'order', id: 'still' }));
  if (goes_on === undefined) throw new Error('Nobody listens.');
  expect(await heard(goes_on, (text) => text.includes('event: order'))).toContain('still');
});
