import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCarrier } from '../../deploy/world/people.ts';
import { putTextDeck } from '../../deploy/world/tariffs.ts';
import { leaseName } from '../../domain/lease/lease_keeper.ts';
import { brokenInvariants } from '../../domain/ledger/invariants.ts';
import { seedLegalDocuments } from '../legal/seed_legal_documents.ts';
import { termsInForce } from '../legal/terms_in_force.ts';
import { makeAdmin, makeApiKey, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';
import { listCalls } from './call_rows.ts';
import { listMessages } from './message_rows.ts';

interface Page<T> {
  items: T[];
  next_cursor: string | null;
}
interface Call {
  call_id: string;
  leg_id: string;
  result: string;
}

const CALLS = 5_000;

let world: PortalWorld;
let user: TestUser;
let here: PortalClient;
let there: PortalClient;
let busy: TestUser;

const snapshot = {
  tariff: {
    rate: {
      ...{
        rate_micros_per_minute: '60000',
        connect_fee_micros: '0',
        minimum_seconds: 0,
        initial_increment_seconds: 60,
      },
      ...{ subsequent_increment_seconds: 6, grace_seconds: 0, free_seconds: 0 },
    },
    ...{ tax_ppm: 0, pack: null },
  },
  source: { deck_id: 1, deck: 'retail', version: 3, prefix: '44', destination: 'United Kingdom', currency: 'EUR' },
};

/** Records of calls, one a minute back from now; every tenth is busy, and the others were answered. */
async function pastCalls({ account_id, wallet_id }: TestUser, count: number, callee: string): Promise<void> {
  await world.pool.query(
    `insert into cdr (leg_id, call_id, started_at, account_id, wallet_id, direction, dialled, caller, callee, destination, answered_at, ended_at,
                      duration_ms, duration_source, seconds_charged, seconds_billed, net_micros, tax_micros, currency, result, cause, blame,
                      pdd_ms, trunk_id, attempts, snapshot)
     select gen_random_uuid(), gen_random_uuid(), $3::timestamptz - n * interval '1 minute', $1, $2, 'outbound', $4, '+4930123', $4, 'United Kingdom',
            case when n % 10 > 0 then now() end, now(), case when n % 10 > 0 then 61500 else 0 end, 'record',
            case when n % 10 > 0 then 62 else 0 end, case when n % 10 > 0 then 66 else 0 end, 0, 0, 'EUR',
            case when n % 10 > 0 then 'answered' else 'busy' end, 16, 'nobody', 900, 'trunk-alpha',
            jsonb_build_array(jsonb_build_object('attempt', 1, 'trunk_id', 'trunk-alpha', 'started_at_ms', 1000, 'ringing_at_ms', 1900,
                                                 'blame', case when n % 10 = 0 then 'callee' end)), $5
       from generate_series(1, $6::integer) n`,
    [account_id, wallet_id.toString(), world.now(), callee, JSON.stringify(snapshot), count],
  );
}

async function pastMessages({ account_id }: TestUser, count: number): Promise<void> {
  await world.pool.query(
    `insert into message (id, account_id, direction, accepted_at, sender, recipient, body, encoding, segments, source)
     select (substr(uuid_v7_floor(now() - n * interval '1 minute')::text, 1, 14) || '7' || substr(gen_random_uuid()::text, 16))::uuid,
            $1, case when n % 5 = 0 then 'mo' else 'mt' end, now() - n * interval '1 minute', '+4930123', '+447700900123', 'Hello', 'gsm7', 1, 'http'
       from generate_series(1, $2::integer) n`,
    [account_id, count],
  );
  await world.pool.query(
    `insert into message_event (message_id, at, kind, state) select id, accepted_at, 'final', 'delivered' from message
      where account_id = $1 and direction = 'mt'`,
    [account_id],
  );
}

beforeAll(async () => {
  world = await PortalWorld.begin();
  await makeCarrier(world.pool, { carrier: 'alpha', trunk: 'trunk-alpha', address: '127.0.0.5', port: 5060 });
  user = await makeUser(world, { balance_micros: 10_000n, tax_ppm: 190_000 });
  busy = await makeUser(world);
  [here, there] = [await user.signIn(), await busy.signIn()];
  await pastCalls(user, 7, '+447700900123');
  await pastCalls(busy, CALLS, '+33123456789');
  await pastMessages(user, 7);
  await pastMessages(busy, CALLS);
  await world.pool.query('analyze cdr, message');
});

afterAll(async () => {
  expect(await brokenInvariants(world.pool)).toEqual([]);
  await world.end();
});

/** Every page there is, by a small limit. */
async function everything<T>(client: PortalClient, path: string): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const reply: { body: Page<T> } = await client.get<Page<T>>(`${path}${cursor === '' ? '' : `&cursor=${cursor}`}`);
    items.push(...reply.body.items);
    cursor = reply.body.next_cursor;
  }
  return items;
}

describe('the calls', () => {
  it('are listed page by page, each once, the newest first, and only one’s own', async () => {
    const calls = await everything<Call>(here, '/v1/calls?limit=3');
    expect(new Set(calls.map(({ leg_id }) => leg_id)).size).toBe(7);
    const [first] = calls;
    expect(await there.get(`/v1/calls/${first?.call_id ?? ''}`)).toMatchObject({ status: 404 });
    expect(await here.get(`/v1/calls/${first?.call_id ?? ''}`)).toMatchObject({ status: 200 });
  });

  it('are found by a filter, however rare', async () => {
    const rare = await everything<Call>(there, '/v1/calls?limit=100&result=busy');
    expect(rare).toHaveLength(CALLS / 10);
    expect(await everything<Call>(there, '/v1/calls?limit=100&result=no_answer')).toEqual([]);
    const until = new Date(world.now().getTime() - 10.5 * 60_000).toISOString();
    const from = new Date(world.now().getTime() - 20.5 * 60_000).toISOString();
    expect(await everything<Call>(there, `/v1/calls?limit=100&from=${from}&until=${until}`)).toHaveLength(10);
  });

  it('explain their price by the rate row, to the second', async () => {
    const [call] = await everything<Call>(here, '/v1/calls?limit=100&result=answered');
    const { body } = await here.get<{ legs: unknown[] }>(`/v1/calls/${call?.call_id ?? ''}`);
    expect(body.legs).toMatchObject([
      {
        seconds_charged: 62,
        explanation: {
          rate_row: { deck: 'retail', version: 3, prefix: '44' },
          rate: { rate_micros_per_minute: '60000', initial_increment_seconds: 60 },
          lines: [
            { key: 'spoken', seconds: 62 },
            { key: 'increment', seconds: 4 },
            { key: 'per_minute', seconds: 66, micros: '66000' },
          ],
        },
      },
    ]);
  });

  it('explain a call that was forwarded by both prices, and one that a phone answered by the number’s own', async () => {
    const holder = await makeUser(world);
    const forwarded = { to: '+447700900123', rate: snapshot.tariff.rate, source: snapshot.source };
    const rate = { ...snapshot.tariff.rate, rate_micros_per_minute: '6000', initial_increment_seconds: 30 };
    const plan = { source: null, tariff: { ...snapshot.tariff, rate, forwarded } };
    const legs = await Promise.all(
      [1, null].map(async (carrier_id) => {
        const { rows } = await world.pool.query<{ call_id: string }>(
          `insert into cdr (leg_id, call_id, started_at, account_id, wallet_id, direction, dialled, caller, callee, answered_at, ended_at, duration_ms,
                            duration_source, seconds_charged, seconds_billed, net_micros, tax_micros, currency, result, cause, blame, carrier_id, snapshot)
           values (gen_random_uuid(), gen_random_uuid(), $1, $2, $3, 'inbound', '+4930123', '+33155550100', '+4930123', $1, $1, 30000,
                   'record', 30, 60, 0, 0, 'EUR', 'answered', 16, 'nobody', $4, $5) returning call_id`,
          [world.now(), holder.account_id, holder.wallet_id.toString(), carrier_id, JSON.stringify(plan)],
        );
        const client = await holder.signIn();
        return (await client.get<{ legs: unknown[] }>(`/v1/calls/${rows[0]?.call_id ?? ''}`)).body.legs[0];
      }),
    );
    const own = { key: 'per_minute', seconds: 30, micros: '3000' };
    expect(legs).toMatchObject([
      {
        explanation: {
          ...{ rate_row: null, forwarded: { to: '+447700900123', rate_row: { deck: 'retail', version: 3 } } },
          lines: [
            { key: 'spoken', part: 'own' },
            { ...own, part: 'own' },
            { key: 'spoken', part: 'way_on' },
            { key: 'increment', part: 'way_on', seconds: 30 },
            { key: 'per_minute', part: 'way_on', micros: '60000' },
          ],
        },
      },
      { explanation: { forwarded: null, lines: [{ key: 'spoken' }, { ...own, part: null }] } },
    ]);
  });

  it('are for programs with the scope for it', async () => {
    const program = world.client();
    program.api_key = await makeApiKey(world, user.account_id, ['texts']);
    expect(await program.get('/v1/calls')).toMatchObject({ status: 403 });
    program.api_key = await makeApiKey(world, user.account_id, ['calls:read']);
    expect(await program.get<Page<Call>>('/v1/calls')).toMatchObject({ status: 200 });
    const admin = await (await makeAdmin(world, ['owner'])).signIn();
    expect(await admin.get('/v1/calls')).toMatchObject({ status: 403 });
    expect(await here.get('/v1/calls?cursor=bm9uZQ')).toMatchObject({ status: 422 });
  });
});

describe('the lists', () => {
  it('are read by their indexes, page by page', async () => {
    const plans: string[] = [];
    const recording = {
      query: async ({ text, values }: { text: string; values: unknown[] }) => {
        const { rows } = await world.pool.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values);
        plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
        return { rows: [] };
      },
    };
    const after: [string, string] = [`${Date.now() - 3_600_000}000`, randomUUID()];
    for (const { account_id } of [user, busy]) {
      const asked = { account_id, direction: null, limit: 25 } as const;
      await listCalls(recording as never, { ...asked, result: null, from: null, until: null, after });
      await listMessages(recording as never, { ...asked, peer: null, after: 'ffffffff-0000-7000-8000-000000000000' });
    }
    expect(plans[0]).toMatch(/cdr_default_account_id_started_at_idx/);
    expect(plans[1]).toMatch(/message_default_account_id_id_idx/);
    for (const plan of plans) expect(plan).not.toMatch(/Seq Scan on (cdr|message_default|message_event|message_queue)/);
  });
});

describe('the texts', () => {
  it('are listed page by page, with what became of each', async () => {
    const texts = await everything<{ message_id: string; state: string }>(here, '/v1/messages?limit=3');
    expect(texts).toHaveLength(7);
    expect(texts.map(({ state }) => state).toSorted()).toEqual(
      ['received', ...Array<string>(6).fill('delivered')].toSorted(),
    );
    expect(await everything(there, '/v1/messages?limit=100&direction=mo')).toHaveLength(CALLS / 5);
    expect(await everything(there, '/v1/messages?limit=100&peer=%2B4930123')).toHaveLength(CALLS / 5);
    const id = texts[0]?.message_id ?? '';
    expect(await there.get(`/v1/messages/${id}`)).toMatchObject({ status: 404 });
    expect(await here.get(`/v1/messages/${id}`)).toMatchObject({ status: 200, body: { text: 'Hello' } });
  });

  it('are sent once, charged by the deck, and refused with a reason', async () => {
    const text = { sender: '+493099', recipient: '+447700900123', text: 'Hello' };
    expect(await here.post('/v1/messages', text)).toMatchObject({
      status: 409,
      body: { type: 'urn:letsdial:problem:not_available' },
    });
    await putTextDeck(world.pool, {
      ...{ name: 'retail-texts', currency: 'EUR', carrier_id: null },
      rows: [
        { prefix: '44', destination: 'United Kingdom', rate_micros_per_segment: 900n },
        { prefix: '4477', destination: 'United Kingdom mobile', rate_micros_per_segment: 1_000n },
      ],
    });
    expect(await here.post('/v1/messages', text)).toMatchObject({ status: 422 });
    await world.pool.query(`insert into did (number, account_id, state) values ('+493099', $1, 'active')`, [
      user.account_id,
    ]);
    const idempotency_key = randomUUID();
    const [one, two] = [
      await here.post<{ message_id: string }>('/v1/messages', text, { idempotency_key }),
      await here.post<{ message_id: string }>('/v1/messages', text, { idempotency_key }),
    ];
    expect(one).toMatchObject({ status: 202, body: { net_micros: '1000', tax_micros: '190', segments: 1 } });
    expect(two.body).toEqual(one.body);
    const told = await here.get(`/v1/messages/${one.body.message_id}`);
    expect(told).toMatchObject({
      body: { state: 'queued', rate_row: { deck: 'retail-texts', prefix: '4477', rate_micros_per_segment: '1000' } },
    });
    const { rows } = await world.pool.query('select balance_micros from wallet where id = $1', [
      user.wallet_id.toString(),
    ]);
    expect(rows).toEqual([{ balance_micros: '8810' }]);
    expect(await here.post('/v1/messages', { ...text, text: 'x'.repeat(1_600) })).toMatchObject({ status: 422 });
    const long = await here.post('/v1/messages', { ...text, text: 'x'.repeat(1_500) });
    expect(long).toMatchObject({ status: 409, body: { type: 'urn:letsdial:problem:no_money' } });
    await world.pool.query(`update call_limit set blocked_prefixes = '{447}' where account_id = $1`, [user.account_id]);
    expect(await here.post('/v1/messages', text)).toMatchObject({ status: 409 });
    await world.pool.query(`update call_limit set blocked_prefixes = '{}' where account_id = $1`, [user.account_id]);
  });

  it('are not sent where a restriction or unread terms stand in the way', async () => {
    const text = { sender: '+493099', recipient: '+447700900124', text: 'Hello' };
    const restriction_id = randomUUID();
    await world.pool.query(
      `insert into restriction (id, account_id, scope, reason, starts_at) values ($1, $2, 'sms', 'test', $3)`,
      [restriction_id, user.account_id, world.now()],
    );
    expect(await here.post('/v1/messages', text)).toMatchObject({ body: { type: 'urn:letsdial:problem:restricted' } });
    await world.pool.query('delete from restriction where id = $1', [restriction_id]);
    await seedLegalDocuments(world.pool, world.now());
    const unread = await here.post('/v1/messages', text);
    expect(unread).toMatchObject({ status: 409, body: { type: 'urn:letsdial:problem:terms_required' } });
    const document_ids = (await termsInForce(world.pool, world.now())).map(({ id }) => id);
    await here.post('/v1/legal/acceptances', { document_ids });
    expect(await here.post('/v1/messages', text)).toMatchObject({ status: 202 });
  });
});

describe('quality', () => {
  it('is told by country, and bad routes raise an alarm until they are good again', async () => {
    const operations = await (await makeAdmin(world, ['operations'])).signIn();
    const path = '/v1/admin/routes/trunk-alpha/threshold';
    const limits = { attempts_min: 10, asr_ppm_min: 950_000, acd_seconds_min: 30, pdd_ms_max: 2_000 };
    expect(await operations.ask('PUT', path, { body: limits, version: 3 })).toMatchObject({ status: 412 });
    expect(await operations.ask('PUT', path, { body: limits, version: 0 })).toMatchObject({ status: 200 });
    const rollUp = () =>
      world.pool.query(`select graphile_worker.add_job('roll_up_quality', $1)`, [
        JSON.stringify({ from: new Date(world.now().getTime() - 5 * 86_400_000).toISOString() }),
      ]);
    await rollUp();
    const figures = { calls: 7, answered: 7, asr_ppm: 1_000_000, acd_ms: 61_500, pdd_ms: 900 };
    const own = () => here.get<{ countries: unknown[] }>('/v1/quality').then(({ body }) => body.countries);
    await expect.poll(own).toEqual([{ country: 'GB', ...figures }]);
    const theirs = await there.get<{ countries: unknown[] }>('/v1/quality');
    expect(theirs.body.countries).toMatchObject([{ country: 'FR', calls: CALLS, answered: (CALLS * 9) / 10 }]);

    const open = async (): Promise<unknown> => {
      const { body } = await operations.get<{ routes: { open_alarms: string[] }[] }>('/v1/admin/routes/quality');
      return body.routes[0]?.open_alarms;
    };
    await expect.poll(open).toEqual(['asr']);
    // The same hours counted again are the same calls.
    await rollUp();
    const better = { ...limits, asr_ppm_min: 800_000 };
    expect(await operations.ask('PUT', path, { body: better, version: 1 })).toMatchObject({ status: 200 });
    await rollUp();
    await expect.poll(open).toEqual([]);
    expect(await own()).toEqual([{ country: 'GB', ...figures }]);
    const { body } = await operations.get<Page<{ figure: string; ended_at: string | null }>>('/v1/admin/route-alarms');
    expect(body.items).toMatchObject([{ figure: 'asr', ended_at: expect.any(String) as string }]);
    expect(await here.get('/v1/admin/routes/quality')).toMatchObject({ status: 403 });
  });

  it('of carriers with texts is told by country, as the gateway has seen it', async () => {
    const { rows } = await world.pool.query<{ id: number }>(
      `insert into carrier (code, name, currency) values ('texts-only', 'Texts', 'EUR') returning id`,
    );
    await world.pool.query(
      `insert into text_quality (carrier_id, country, faded_at, ended, delivered)
       values ($1, 'GB', '2026-01-15', 200.4, 150.3), ($1, 'NG', '2026-01-15', 600, 60), ($1, 'DE', '2026-01-15', 0.2, 0.1)`,
      [rows[0]?.id],
    );
    const operations = await (await makeAdmin(world, ['operations'])).signIn();
    const { status, body } = await operations.get<{ items: unknown[] }>('/v1/admin/texts/quality');
    const of = { carrier_id: rows[0]?.id, carrier: 'texts-only', as_of: '2026-01-15T00:00:00.000Z' };
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        items: [
          { ...of, country: 'NG', delivered_ppm: 100_000, texts: 600 },
          { ...of, country: 'GB', delivered_ppm: 750_000, texts: 200 },
        ],
      },
    });
    const kyc = await (await makeAdmin(world, ['kyc'])).signIn();
    expect(await kyc.get('/v1/admin/texts/quality')).toMatchObject({ status: 403 });
  });

  it('of the whole is told to anybody: calls are down where nobody drives the switch, or whoever does cannot reach it', async () => {
    const told = async (): Promise<unknown> => (await world.client().get('/v1/status')).body;
    const components = (calls: string) => ({
      components: [
        { component: 'portal', state: 'up' },
        { component: 'calls', state: calls },
        { component: 'texts', state: 'down' },
      ],
    });
    expect(await told()).toMatchObject(components('down'));
    const controller = new pg.Client({
      ...{ connectionString: world.database_url, application_name: leaseName('controller', false) },
    });
    await controller.connect();
    await controller.query(`select pg_advisory_lock(hashtext('switch_owner'), hashtext('a switch'))`);
    world.advance(6_000);
    expect(await told()).toMatchObject(components('down'));
    await controller.query(`set application_name = '${leaseName('controller', true)}'`);
    world.advance(6_000);
    expect(await told()).toMatchObject(components('up'));
    await controller.end();
    // The server has ended the session some moments later.
    await expect
      .poll(() => {
        world.advance(6_000);
        return told();
      })
      .toMatchObject(components('down'));
  });
});
