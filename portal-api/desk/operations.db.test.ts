import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCarrier } from '../../deploy/world/people.ts';
import { putDeck } from '../../deploy/world/tariffs.ts';
import { makeAdmin, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient, Reply } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';

interface Deck {
  deck_id: number;
  state: string;
  deck_state: string;
  deck_version: number;
  version: number;
}
interface Refused {
  verdict: string;
  problem_count: number;
  problems: { line: number; column: string }[];
}

let world: PortalWorld;
let user: TestUser;
let finance: PortalClient;
let second: PortalClient;
let operations: PortalClient;
let carrier_id: number;

beforeAll(async () => {
  world = await PortalWorld.begin();
  carrier_id = await makeCarrier(world.pool, {
    ...{ carrier: 'alpha', trunk: 'trunk-alpha', address: '127.0.0.5', port: 5060 },
    auth: { username: 'us', secret: 'very-secret' },
  });
  await world.pool.query(
    `insert into carrier_bind (id, carrier_id, host, port, system_id, password) values ('alpha-1', $1, '127.0.0.5', 2775, 'us', 'hushhush')`,
    [carrier_id],
  );
  await putDeck(world.pool, {
    ...{ name: 'alpha', currency: 'EUR', carrier_id },
    rows: [
      { prefix: '44', destination: 'UK', rate_micros_per_minute: 5_000n },
      { prefix: '447', destination: 'UK mobile', rate_micros_per_minute: 20_000n },
    ],
  });
  await putDeck(world.pool, {
    ...{ name: 'retail', currency: 'EUR', carrier_id: null },
    rows: [
      { prefix: '44', destination: 'UK', rate_micros_per_minute: 10_000n },
      { prefix: '33', destination: 'France', rate_micros_per_minute: 10_000n },
    ],
  });
  user = await makeUser(world, { balance_micros: 1_000_000n });
  finance = await (await makeAdmin(world, ['finance'])).signIn();
  second = await (await makeAdmin(world, ['finance'])).signIn();
  operations = await (await makeAdmin(world, ['operations'])).signIn();
});

afterAll(() => world.end());

function upload<T = Deck>(csv: string, fields: Record<string, string> = {}, client = finance): Promise<Reply<T>> {
  const form = new FormData();
  const told = { name: 'retail', service: 'calls', side: 'sell', currency: 'EUR', ...fields };
  for (const [name, value] of Object.entries(told)) form.append(name, value);
  form.append('file', new Blob([csv]), 'rates.csv');
  return client.ask<T>('POST', '/v1/admin/rate-decks', { form });
}

const approve = (client: PortalClient, deck: Deck, body: Record<string, unknown> = {}): Promise<Reply<Deck>> =>
  client.post<Deck>(`/v1/admin/rate-decks/${deck.deck_id}/approval`, body, { version: deck.version });

const HEADER = 'prefix,destination,rate_per_minute';
const GOOD = `${HEADER}\n44,UK,0.012\n447,UK mobile,0.03\n49,Germany,0.02\n`;

describe('a rate deck', () => {
  it('with wrong lines becomes nothing, and every one of them is told', async () => {
    const bad = Array.from({ length: 300 }, (_, n) => `0${n},Nowhere,x`).join('\n');
    const reply = await upload<Refused>(`${HEADER}\n44,UK,0.01\n${bad}\n`);
    expect(reply).toMatchObject({ status: 200, body: { verdict: 'refused', problem_count: 600 } });
    expect(reply.body.problems).toHaveLength(600);
    expect(new Set(reply.body.problems.map(({ line }) => line)).size).toBe(300);
    expect(await upload('', { name: 'Two Words' })).toMatchObject({ status: 422 });
    expect(await upload(GOOD, { side: 'buy' })).toMatchObject({ status: 422 });
    const support = await (await makeAdmin(world, ['support'])).signIn();
    expect(await upload(GOOD, {}, support)).toMatchObject({ status: 403 });
  });

  it('is compared, approved by another admin, in force, and rolled back', async () => {
    const { status, body: deck } = await upload(GOOD);
    expect({ status, ...deck }).toMatchObject({ status: 201, state: 'draft', deck_state: 'draft', deck_version: 2 });
    const path = `/v1/admin/rate-decks/${deck.deck_id}`;
    const diff = await finance.get(`${path}/diff?limit=10`);
    expect(diff.body).toMatchObject({
      ...{ added: 2, removed: 1, changed: 1, compared_with: { deck_version: 1 } },
      items: [
        { kind: 'removed', prefix: '33', before_micros: '10000', after_micros: null },
        { kind: 'changed', prefix: '44', before_micros: '10000', after_micros: '12000', change_percent: '20.00' },
        { kind: 'added', prefix: '447' },
        { kind: 'added', prefix: '49' },
      ],
    });
    const first = await finance.get<{ next_cursor: string }>(`${path}/diff?limit=2`);
    const rest = await finance.get(`${path}/diff?limit=2&cursor=${first.body.next_cursor}`);
    expect(rest.body).toMatchObject({ items: [{ prefix: '447' }, { prefix: '49' }], next_cursor: null });
    expect(await finance.get(`${path}/margins`)).toMatchObject({ body: { alarms: [] } });
    expect(await approve(finance, deck)).toMatchObject({
      status: 409,
      body: { type: 'urn:letsdial:problem:second_approval_required' },
    });
    expect(await approve(operations, deck)).toMatchObject({ status: 403 });
    await expect(
      world.pool.query(
        `update deck_change set state = 'approved', approved_by = uploaded_by, approved_at = now(), valid_from = now() where deck_id = $1`,
        [deck.deck_id],
      ),
    ).rejects.toThrow(/deck_change_second_admin/);
    expect(await approve(second, deck)).toMatchObject({
      status: 200,
      body: { state: 'in_force', deck_state: 'active', margin_alarms: 0 },
    });
    expect(await approve(second, { ...deck, version: 3 })).toMatchObject({ status: 409 });
    expect(await upload<Refused>(GOOD)).toMatchObject({ status: 200, body: { verdict: 'unchanged' } });
    const back = await second.post<Deck>(`${path}/rollback`);
    expect(back).toMatchObject({ status: 200, body: { deck_version: 1, deck_state: 'active' } });
    expect(await second.post(`${path}/rollback`)).toMatchObject({ status: 409 });
    const { rows } = await world.pool.query<{ action: string }>(
      'select action from audit_log where subject = $1 order by seq',
      [`rate_deck:${deck.deck_id}`],
    );
    expect(rows.map(({ action }) => action)).toEqual(['rate_deck.upload', 'rate_deck.approve', 'rate_deck.roll_back']);
  });

  it('that sells below cost is approved only by who means it, and comes into force when its time comes', async () => {
    // The prefix that only the carrier tells apart costs more than what it is sold for.
    const { body: deck } = await upload(`${HEADER}\n44,UK,0.012\n`);
    const margins = await finance.get(`/v1/admin/rate-decks/${deck.deck_id}/margins`);
    expect(margins.body).toEqual({
      alarms: [
        {
          ...{ sell_deck: 'retail', prefix: '447', destination: 'UK' },
          losses: [
            [6, '1200', '2000', '800'],
            [30, '6000', '10000', '4000'],
            [60, '12000', '20000', '8000'],
            [180, '36000', '60000', '24000'],
            [600, '120000', '200000', '80000'],
          ].map(([seconds, sell_micros, buy_micros, loss_micros]) => ({
            ...{ seconds, carrier: 'alpha', sell_micros, buy_micros, loss_micros },
          })),
        },
      ],
    });
    const valid_from = new Date(world.now().getTime() + 60_000).toISOString();
    expect(await approve(second, deck, { valid_from })).toMatchObject({ status: 409 });
    const approved = await approve(second, deck, { valid_from, accept_margin_alarms: true });
    expect(approved).toMatchObject({ status: 200, body: { state: 'approved', deck_state: 'draft', margin_alarms: 1 } });
    world.advance(61_000);
    await world.pool.query(`select graphile_worker.add_job('put_decks_in_force', '{}')`);
    const stateOf = async (): Promise<unknown> => {
      const { body } = await finance.get<Deck>(`/v1/admin/rate-decks/${deck.deck_id}`);
      return body.deck_state;
    };
    await expect.poll(stateOf).toBe('active');
    const list = await finance.get<{ items: Deck[] }>('/v1/admin/rate-decks?side=sell&service=calls');
    expect(list.body.items.map(({ deck_version }) => deck_version)).toEqual([3, 2, 1]);
  });

  it('of texts is another kind of file; one that is withdrawn stays a draft for ever', async () => {
    const csv = 'prefix,destination,rate_per_segment\n44,UK,0.05\n';
    const { body: deck } = await upload(csv, { name: 'retail-texts', service: 'texts' });
    const path = `/v1/admin/rate-decks/${deck.deck_id}`;
    expect(await finance.get(`${path}/diff`)).toMatchObject({ body: { added: 1, compared_with: null } });
    const gone = await finance.post<Deck>(`${path}/withdrawal`, undefined, { version: deck.version });
    expect(gone).toMatchObject({ status: 200, body: { state: 'withdrawn', deck_state: 'draft' } });
    expect(await approve(second, { ...deck, version: 2 })).toMatchObject({ status: 409 });
  });
});

describe('carriers', () => {
  it('are told without their secrets, and edited at the version that was seen', async () => {
    const { body } = await finance.get<{ items: { trunks: unknown[]; binds: unknown[] }[] }>('/v1/admin/carriers');
    expect(JSON.stringify(body)).not.toMatch(/very-secret|hushhush/);
    expect(body.items).toMatchObject([{ trunks: [{ has_secret: true }], binds: [{ bind_id: 'alpha-1' }] }]);
    const trunk = '/v1/admin/trunks/trunk-alpha';
    const credentials = { username: 'we', secret: 'another-secret' };
    const edit = { body: { max_channels: 5, credentials }, version: 1 };
    expect(await finance.ask('PATCH', trunk, edit)).toMatchObject({ status: 403 });
    expect(await operations.ask('PATCH', trunk, edit)).toMatchObject({ status: 200, body: { version: 2 } });
    expect(await operations.ask('PATCH', trunk, edit)).toMatchObject({ status: 412 });
    expect(await operations.ask('PATCH', trunk, { body: {}, version: 2 })).toMatchObject({ status: 422 });
    const bind = { body: { texts_per_second_max: 7, password: 'new' }, version: 1 };
    expect(await operations.ask('PATCH', '/v1/admin/carrier-binds/alpha-1', bind)).toMatchObject({ status: 200 });
    const off = { body: { enabled: false }, version: 1 };
    expect(await operations.ask('PATCH', `/v1/admin/carriers/${carrier_id}`, off)).toMatchObject({ status: 200 });
    expect(await operations.ask('PATCH', '/v1/admin/carriers/99999', off)).toMatchObject({ status: 404 });
    const { rows } = await world.pool.query<{ trunk: string; log: string }>(
      `select (select to_jsonb(t)::text from trunk t) as trunk, (select string_agg(detail::text, ' ') from audit_log) as log`,
    );
    expect(rows[0]?.trunk).toContain('another-secret');
    expect(rows[0]?.log).not.toContain('another-secret');
  });
});

describe('what is live', () => {
  it('is listed masked, and a call is hung up by a command that the controller hears', async () => {
    await world.pool.query(`insert into switch_lease (switch_id, epoch) values ('asterisk', 1)`);
    const leg_id = randomUUID();
    const call_id = randomUUID();
    await world.pool.query(
      `insert into call_hold (leg_id, call_id, wallet_id, switch_id, channel_id, held_micros, seconds_granted, authorized_at, deadline_at, snapshot)
       values ($1, $2, $3, 'asterisk', 'c', 0, 60, now(), now() + interval '1 minute', $4)`,
      [
        ...[leg_id, call_id, user.wallet_id.toString()],
        JSON.stringify({ direction: 'outbound', device: 'dev-1', dialled: '+447700900123', destination: 'UK' }),
      ],
    );
    const heard: string[] = [];
    const listener = await world.pool.connect();
    listener.on('notification', ({ payload }) => heard.push(payload ?? ''));
    await listener.query('listen call_command');
    try {
      expect(await operations.get('/v1/admin/live-calls')).toMatchObject({ status: 422 });
      const { body } = await operations.get('/v1/admin/live-calls?purpose=watching');
      expect(body).toMatchObject({
        items: [{ leg_id, account_id: user.account_id, device: 'dev-1', dialled_masked: '+4477•••23' }],
      });
      const path = `/v1/admin/live-calls/${leg_id}/hang-up`;
      expect(await finance.post(path, { reason: 'fraud' })).toMatchObject({ status: 403 });
      const asked = await operations.post<{ command_id: string }>(path, { reason: 'fraud' });
      expect(asked).toMatchObject({ status: 202, body: { call_id, done_at: null } });
      await expect.poll(() => heard).toEqual(['asterisk']);
      expect(await operations.get(`/v1/admin/call-commands/${asked.body.command_id}`)).toMatchObject({ status: 200 });
      const gone = `/v1/admin/live-calls/${randomUUID()}/hang-up`;
      expect(await operations.post(gone, { reason: 'fraud' })).toMatchObject({ status: 409 });
    } finally {
      listener.release(true);
    }
  });

  it('among texts tells all but what they say', async () => {
    await world.pool.query(
      `insert into message (id, account_id, direction, accepted_at, sender, recipient, body, encoding, segments, source)
       values ($1, $2, 'mt', now(), '+493012345', '+447700900123', 'a secret', 'gsm7', 1, 'http')`,
      ['01900000-0000-7000-8000-000000000001', user.account_id],
    );
    const { body } = await operations.get('/v1/admin/live-messages?purpose=watching');
    expect(body).toMatchObject({ items: [{ recipient_masked: '+4477•••23', state: 'submitted' }] });
    expect(JSON.stringify(body)).not.toContain('a secret');
  });
});
