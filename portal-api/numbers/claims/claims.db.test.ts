import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokenInvariants } from '../../../domain/ledger/invariants.ts';
import { MessageIds } from '../../../domain/texts/message_id.ts';
import type { AdminRole } from '../../identity/identity.ts';
import { makeAdmin, makeMember } from '../../testing/people.ts';
import type { TestUser } from '../../testing/people.ts';
import type { PortalClient, Reply } from '../../testing/portal_client.ts';
import { PortalWorld } from '../../testing/portal_world.ts';
import { balanceOf, buyerOf, carryOut, problem, UNIT } from '../testing/buying.ts';
import { brokenRules } from '../testing/broken_rules.ts';
import { needDocumentsIn } from '../testing/documents.ts';
import { putInStock } from '../testing/stock.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MONTH_AND_A_BIT_MS = 31.5 * DAY_MS;
/** Net 3 a month, and a fifth of tax on it. */
const MONTH_PAID = 3_600_000n;

let world: PortalWorld;
let support: PortalClient;
let finance: PortalClient;
let last = 0;

const admin = async (role: AdminRole): Promise<PortalClient> => (await makeAdmin(world, [role])).signIn();

beforeAll(async () => {
  world = await PortalWorld.begin({ SECOND_APPROVAL_ABOVE_UNITS: '10' });
  await needDocumentsIn(world.pool, []);
  [finance, support] = [await admin('finance'), await admin('support')];
});

afterAll(async () => {
  expect(await brokenInvariants(world.pool)).toEqual([]);
  expect(await brokenRules(world.pool)).toEqual([]);
  await world.end();
});

interface Claim {
  claim_id: string;
  state: string;
  answer: string | null;
  credit_days: number;
  credit_micros: string;
  version: number;
}

interface Seen extends Claim {
  seen: Record<string, number | boolean>;
  holding: { state: string };
  credit_days_max: number;
  credit_micros_max: string;
}

interface Bought {
  user: TestUser;
  client: PortalClient;
  number: string;
}

/** Everybody's sign-in is over by then, so they sign in anew after it. */
async function pass(ms: number, ...bought: Bought[]): Promise<void> {
  world.advance(ms);
  [finance, support] = [await admin('finance'), await admin('support')];
  for (const one of bought) one.client = await one.user.signIn();
}

async function bought(monthly_micros = 3n * UNIT): Promise<Bought> {
  last += 1;
  const number = `+4950800${String(last).padStart(3, '0')}`;
  await putInStock(world.pool, [number], { monthly_micros });
  const buyer = await buyerOf(world, number, { balance_micros: 200n * UNIT, tax_ppm: 200_000 });
  return { ...buyer, number };
}

const agoOf = (ms: number): string => new Date(world.now().getTime() - ms).toISOString();

const claim = ({ client, number }: Pick<Bought, 'client' | 'number'>, began_ms_ago = 0, more: object = {}) =>
  client.post<Claim>(`/v1/numbers/${number}/claims`, {
    ...{ kind: 'calls_in', began_at: agoOf(began_ms_ago), words: 'Nobody reaches me.\nThey hear that I do not exist.' },
    ...more,
  });

const seen = (claim_id: string) => support.get<Seen>(`/v1/admin/claims/${claim_id}?purpose=the+daily+round`);

const answer = 'A switch of the provider had forgotten the number.';
const decide = (
  claim_id: string,
  wish: object,
  who = finance,
  more: { version?: number; idempotency_key?: string } = {},
) => who.post<Claim>(`/v1/admin/claims/${claim_id}/decision`, { answer, ...wish }, { version: 1, ...more });

async function preview(claim_id: string, days: number): Promise<{ credit_days: number; credit_micros: string }> {
  const { body } = await finance.get<{ credit_days: number; credit_micros: string }>(
    `/v1/admin/claims/${claim_id}/credit-preview?days=${days}`,
  );
  return body;
}

/** As many days as there are, up to so many. */
async function accept(claim_id: string, days: number, who = finance): Promise<Reply<Claim>> {
  const { credit_days, credit_micros } = await preview(claim_id, days);
  return decide(claim_id, { decision: 'accept', credit_days, credit_micros }, who);
}

async function notices(user: TestUser): Promise<Record<string, string>[]> {
  const { rows } = await world.pool.query<{ facts: Record<string, string> }>(
    `select payload -> 'facts' as facts from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id
      where t.identifier = 'send_notice' and payload ->> 'template' = 'claim_answered' and payload ->> 'user_id' = $1`,
    [user.user_id],
  );
  return rows.map(({ facts }) => facts);
}

describe('a claim', () => {
  it('is accepted: the days are given back as what the number costs a day, and its holder is told', async () => {
    const here = await bought();
    await pass(2 * DAY_MS + HOUR_MS, here);
    const { user, number } = here;
    const before = await balanceOf(world, user);
    const made = await claim(here, 2 * DAY_MS + HOUR_MS);
    expect(made).toMatchObject({ status: 201, body: { state: 'open', credit_micros: '0', answer: null } });
    const { claim_id } = made.body;
    const looked = await seen(claim_id);
    expect(looked.body).toMatchObject({
      ...{ account_id: user.account_id, credit_days_max: 3, holding: { state: 'active' } },
    });
    const decided = await accept(claim_id, 3);
    expect(decided).toMatchObject({ status: 200, body: { state: 'accepted', credit_days: 3, version: 2 } });
    const credit = BigInt(decided.body.credit_micros);
    expect(credit).toBe(BigInt(looked.body.credit_micros_max));
    // Three days of a month of 28 to 31.
    expect(credit).toBeGreaterThanOrEqual((MONTH_PAID * 3n) / 31n - 2n);
    expect(credit).toBeLessThanOrEqual((MONTH_PAID * 3n) / 28n);
    expect(await balanceOf(world, user)).toBe(before + credit);
    const { rows } = await world.pool.query(
      `select content ->> 'what' as what, content ->> 'days' as days from ledger_tx where content ->> 'claim_id' = $1`,
      [claim_id],
    );
    expect(rows).toEqual([{ what: `days without ${number}`, days: '3' }]);
    const own = await here.client.get<{ items: Claim[] }>('/v1/claims?state=accepted');
    expect(own.body.items).toMatchObject([{ claim_id, credit_micros: credit.toString() }]);
    await expect.poll(() => notices(user)).toMatchObject([{ number, outcome: 'accepted' }]);
    expect(await decide(claim_id, { decision: 'decline' }, finance, { version: 2 })).toMatchObject(problem('too_late'));
  });

  it('gives back no day twice, no day before the number was theirs, and nothing of the setup', async () => {
    const here = await bought();
    await pass(5 * DAY_MS, here);
    const before = await balanceOf(world, here.user);
    // He says that it was so for long before he had it.
    const first = await claim(here, 60 * DAY_MS, { ended_at: agoOf(2 * DAY_MS) });
    expect((await seen(first.body.claim_id)).body.credit_days_max).toBeLessThanOrEqual(4);
    const three = await accept(first.body.claim_id, 366);
    expect(three.body.credit_days).toBeGreaterThanOrEqual(3);
    const again = await claim(here, 60 * DAY_MS, { ended_at: agoOf(2 * DAY_MS) });
    expect((await seen(again.body.claim_id)).body).toMatchObject({ credit_days_max: 0, credit_micros_max: '0' });
    expect(await decide(again.body.claim_id, { decision: 'accept', credit_days: 1, credit_micros: '1' })).toMatchObject(
      {
        status: 422,
      },
    );
    await decide(again.body.claim_id, { decision: 'accept' });
    const rest = await claim(here, 60 * DAY_MS);
    expect((await accept(rest.body.claim_id, 366)).body.credit_days).toBe(2);
    const given = (await balanceOf(world, here.user)) - before;
    expect(given).toBeLessThan((MONTH_PAID * 7n) / 28n);
    expect(given).toBeGreaterThan((MONTH_PAID * 4n) / 31n);
  });

  it('over two months gives back of each what was paid for it, and of an unpaid time nothing', async () => {
    const here = await bought();
    await pass(MONTH_AND_A_BIT_MS, here);
    await carryOut(world, 'look_at_numbers');
    await pass(4 * DAY_MS, here);
    const made = await claim(here, 10 * DAY_MS);
    const most = await preview(made.body.claim_id, 366);
    // The day on which one month ends and the other begins is begun in both.
    expect(most.credit_days).toBeGreaterThanOrEqual(10);
    expect(most.credit_days).toBeLessThanOrEqual(11);
    await accept(made.body.claim_id, 366);
    const { rows } = await world.pool.query<{ charge_kind: string }>(
      `select content ->> 'charge_kind' as charge_kind from ledger_tx where content ->> 'claim_id' = $1 order by 1`,
      [made.body.claim_id],
    );
    expect(rows.map(({ charge_kind }) => charge_kind)).toEqual(['purchase', 'renewal']);
    await world.pool.query('update number_holding set monthly_micros = 300000000 where number = $1', [here.number]);
    await pass(MONTH_AND_A_BIT_MS, here);
    await carryOut(world, 'look_at_numbers');
    await pass(2 * DAY_MS, here);
    const unpaid = await claim(here, DAY_MS);
    expect((await seen(unpaid.body.claim_id)).body).toMatchObject({
      ...{ holding: { state: 'grace' }, credit_days_max: 0, credit_micros_max: '0' },
    });
  });

  it('is one at a time for a number, made once for its key, and may be taken back until it is answered', async () => {
    const here = await bought();
    const idempotency_key = 'one-and-the-same';
    const body = { kind: 'texts_out', began_at: agoOf(HOUR_MS), words: 'They fail.' };
    const path = `/v1/numbers/${here.number}/claims`;
    const ask = () => here.client.post<Claim>(path, body, { idempotency_key });
    const [first, again] = [await ask(), await ask()];
    expect(again.body.claim_id).toBe(first.body.claim_id);
    expect(await claim(here)).toMatchObject({ status: 409 });
    const withdraw = () => here.client.post<Claim>(`/v1/claims/${first.body.claim_id}/withdraw`);
    expect(await withdraw()).toMatchObject({ status: 200, body: { state: 'withdrawn' } });
    expect(await withdraw()).toMatchObject({ status: 200, body: { state: 'withdrawn' } });
    const next = await claim(here);
    expect(next.status).toBe(201);
    expect((await decide(next.body.claim_id, { decision: 'decline' })).body.state).toBe('declined');
    expect(await here.client.post(`/v1/claims/${next.body.claim_id}/withdraw`)).toMatchObject(problem('too_late'));
  });

  it('is decided once, by whoever comes first, and for the amount that was seen', async () => {
    const here = await bought();
    await pass(2 * DAY_MS, here);
    const { claim_id } = (await claim(here, DAY_MS)).body;
    const { credit_micros } = await preview(claim_id, 1);
    const wish = { decision: 'accept', credit_days: 1, credit_micros };
    expect(await decide(claim_id, { ...wish, credit_micros: '1' })).toMatchObject(problem('conflict'));
    const before = await balanceOf(world, here.user);
    const other = await admin('operations');
    const [one, two] = await Promise.all([decide(claim_id, wish), decide(claim_id, wish, other)]);
    expect([one.status, two.status].toSorted((a, b) => a - b)).toEqual([200, 412]);
    expect(await balanceOf(world, here.user)).toBe(before + BigInt(credit_micros));
    const more = await claim(here, HOUR_MS);
    const key = { idempotency_key: 'asked-twice' };
    const answers = [];
    for (let n = 0; n < 2; n += 1) {
      answers.push(await decide(more.body.claim_id, { decision: 'decline' }, finance, key));
    }
    expect(answers.map(({ status, body }) => [status, body.state])).toEqual([
      [200, 'declined'],
      [200, 'declined'],
    ]);
  });

  it('is only about a number that one holds or held lately, of a fault that has begun', async () => {
    const [here, there] = [await bought(), await bought()];
    expect(await claim({ client: there.client, number: here.number })).toMatchObject({ status: 404 });
    for (const times of [
      { began_at: agoOf(-HOUR_MS) },
      { began_at: agoOf(91 * DAY_MS) },
      { ended_at: agoOf(-HOUR_MS) },
      { began_at: agoOf(HOUR_MS), ended_at: agoOf(2 * HOUR_MS) },
      { began_at: agoOf(9 * DAY_MS), ended_at: agoOf(8 * DAY_MS) },
    ]) {
      expect(await claim(here, 0, times)).toMatchObject({ status: 422 });
    }
    const made = await claim(here);
    const path = `/v1/claims/${made.body.claim_id}`;
    expect(await there.client.get(path)).toMatchObject({ status: 404 });
    expect(await there.client.post(`${path}/withdraw`)).toMatchObject({ status: 404 });
    expect(await there.client.get(`/v1/claims/${randomUUID()}`)).toMatchObject({ status: 404 });
    const member = await (await makeMember(world, here.user.account_id, 'member')).signIn();
    expect(await member.get(path)).toMatchObject({ status: 200 });
    // He leaves because it does not work, and says so then.
    await pass(3 * DAY_MS, there);
    expect(await there.client.post(`/v1/numbers/${there.number}/cancellation`, { when: 'now' })).toMatchObject({
      status: 201,
    });
    await pass(5 * DAY_MS, there);
    const late = await claim(there, 7 * DAY_MS);
    // Only the days until he left.
    expect((await seen(late.body.claim_id)).body).toMatchObject({ holding: { state: 'ended' }, credit_days_max: 2 });
    await pass(91 * DAY_MS, there);
    expect(await claim(there, HOUR_MS)).toMatchObject({ status: 404 });
  });

  it('is answered by support, paid by finance, and above the limit by two of us, in however many claims', async () => {
    const here = await bought(60n * UNIT);
    await pass(12 * DAY_MS, here);
    const first = await claim(here, 11 * DAY_MS, { ended_at: agoOf(8 * DAY_MS) });
    expect(await accept(first.body.claim_id, 3, support)).toMatchObject(problem('not_permitted'));
    expect(await accept(first.body.claim_id, 3)).toMatchObject({ status: 200, body: { credit_days: 3 } });
    const second = await claim(here, 7 * DAY_MS, { ended_at: agoOf(4 * DAY_MS) });
    expect(await accept(second.body.claim_id, 3)).toMatchObject(problem('second_approval_required'));
    expect(await decide(second.body.claim_id, { decision: 'accept' }, support)).toMatchObject({ status: 200 });
  });

  it('shows whoever decides what went over the number, and that it was looked at is on record', async () => {
    const here = await bought();
    const { user, number } = here;
    const peer = '+447700900123';
    const call = (direction: string, result: string, numbers: [string | null, string | null], ago_ms: number) =>
      world.pool.query(
        `insert into cdr (leg_id, call_id, started_at, account_id, wallet_id, direction, dialled, caller, callee, ended_at, duration_ms,
                          duration_source, seconds_charged, seconds_billed, net_micros, tax_micros, result, refusal, cause, blame, snapshot)
         values (gen_random_uuid(), gen_random_uuid(), $1, $2, $3, $4, $5, $6, $7, $1, 0, 'none', 0, 0, 0, 0, $8,
                 case $8 when 'refused' then 'no_device' end, 16, 'nobody', '{}')`,
        [
          ...[agoOf(ago_ms), user.account_id, user.wallet_id.toString(), direction],
          ...[direction === 'inbound' ? number.replace('+', '00') : peer, ...numbers, result],
        ],
      );
    await call('outbound', 'answered', [number, peer], HOUR_MS);
    await call('outbound', 'failed', [number, peer], HOUR_MS);
    await call('outbound', 'refused', [null, null], HOUR_MS);
    await call('outbound', 'answered', ['+4950800999', peer], HOUR_MS);
    await call('inbound', 'no_answer', [peer, number], HOUR_MS);
    await call('inbound', 'refused', [null, null], HOUR_MS);
    await call('inbound', 'answered', [peer, number], 3 * DAY_MS);
    const ids = new MessageIds(() => world.now().getTime() - HOUR_MS);
    const text = async (direction: string, [sender, recipient]: [string, string], state: string | null) => {
      const id = ids.next();
      await world.pool.query(
        `insert into message (id, account_id, direction, accepted_at, sender, recipient, body, encoding, segments, source)
         values ($1, $2, $3, now(), $4, $5, 'Hello', 'gsm7', 1, case $3 when 'mt' then 'portal' else 'carrier' end)`,
        [id, user.account_id, direction, sender, recipient],
      );
      if (state !== null) {
        await world.pool.query(
          `insert into message_event (message_id, at, kind, part_no, state) values ($1, now(), 'final', 0, $2)`,
          [id, state],
        );
      }
    };
    await text('mt', [number, peer], 'delivered');
    await text('mt', [number, peer], 'undeliverable');
    await text('mt', ['+4950800999', peer], 'delivered');
    await text('mo', [peer, number], null);
    const made = await claim(here, DAY_MS);
    const { body } = await seen(made.body.claim_id);
    expect(body.seen).toEqual({
      ...{ calls_out: 2, calls_out_answered: 1, calls_out_refused: 1 },
      ...{ calls_in: 2, calls_in_answered: 0, calls_in_refused: 1 },
      ...{ texts_out: 2, texts_out_delivered: 1, texts_in: 1, is_cut_short: false },
    });
    const waiting = await support.get<{ items: Claim[] }>(
      `/v1/admin/claims?state=open&purpose=the+daily+round&account_id=${user.account_id}`,
    );
    expect(waiting.body.items).toMatchObject([{ claim_id: made.body.claim_id }]);
    expect(await support.get(`/v1/admin/claims/${made.body.claim_id}`)).toMatchObject({ status: 422 });
    const { rows } = await world.pool.query(
      'select action, purpose from audit_log where account_id = $1 order by seq',
      [user.account_id],
    );
    const purpose = 'the daily round';
    expect(rows).toEqual(['claim.view', 'claim.list'].map((action) => ({ action, purpose })));
  });
});
