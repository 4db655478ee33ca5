import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokenInvariants } from '../../../domain/ledger/invariants.ts';
import { makeAdmin, makeMember } from '../../testing/people.ts';
import type { TestUser } from '../../testing/people.ts';
import type { PortalClient } from '../../testing/portal_client.ts';
import { PortalWorld } from '../../testing/portal_world.ts';
import { balanceOf, buyerOf, problem, UNIT } from '../testing/buying.ts';
import { brokenRules } from '../testing/broken_rules.ts';
import { needDocumentsIn } from '../testing/documents.ts';
import { putInStock } from '../testing/stock.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Net 3 a month, and a fifth of tax on it. */
const MONTH_PAID = 3_600_000n;

let world: PortalWorld;
let support: PortalClient;
let last = 0;

beforeAll(async () => {
  world = await PortalWorld.begin({ SECOND_APPROVAL_ABOVE_UNITS: '10' });
  await needDocumentsIn(world.pool, []);
  support = await (await makeAdmin(world, ['support'])).signIn();
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
  credit_days_max: number;
  credit_micros_max: string;
}

interface Bought {
  user: TestUser;
  client: PortalClient;
  number: string;
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

const seen = (claim_id: string, admin = support) =>
  admin.get<Seen>(`/v1/admin/claims/${claim_id}?purpose=the+daily+round`);

const decide = (
  { claim_id, version = 1 }: Pick<Claim, 'claim_id'> & { version?: number },
  wish: object,
  admin = support,
) =>
  admin.post<Claim>(
    `/v1/admin/claims/${claim_id}/decision`,
    { answer: 'A switch of the provider had forgotten the number.', ...wish },
    { version },
  );

async function notices(user: TestUser): Promise<Record<string, string>[]> {
  const { rows } = await world.pool.query<{ facts: Record<string, string> }>(
    `select payload -> 'facts' as facts from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id
      where t.identifier = 'send_notice' and payload ->> 'template' = 'claim_answered' and payload ->> 'user_id' = $1`,
    [user.user_id],
  );
  return rows.map(({ facts }) => facts);
}

describe('a claim', () => {
  it('is accepted: the days are given back as one line of the ledger, and its holder is told', async () => {
    const here = await bought();
    const { user, client, number } = here;
    const before = await balanceOf(world, user);
    const made = await claim(here, 2 * DAY_MS + HOUR_MS);
    expect(made).toMatchObject({ status: 201, body: { state: 'open', credit_micros: '0', answer: null } });
    const looked = await seen(made.body.claim_id);
    expect(looked.body).toMatchObject({ account_id: user.account_id, credit_days_max: 3 });
    const decided = await decide(made.body, { decision: 'accept', credit_days: 3 });
    expect(decided).toMatchObject({ status: 200, body: { state: 'accepted', credit_days: 3, version: 2 } });
    const credit = BigInt(decided.body.credit_micros);
    expect(credit).toBe(BigInt(looked.body.credit_micros_max));
    // Three days of a month of 28 to 31.
    expect(credit).toBeGreaterThanOrEqual((MONTH_PAID * 3n) / 31n - 2n);
    expect(credit).toBeLessThanOrEqual((MONTH_PAID * 3n) / 28n);
    expect(await balanceOf(world, user)).toBe(before + credit);
    const { rows } = await world.pool.query(
      `select content ->> 'what' as what, content ->> 'days' as days, content ->> 'number' as number from ledger_tx where ref = $1`,
      [made.body.claim_id],
    );
    expect(rows).toEqual([{ what: 'number_fault', days: '3', number }]);
    const own = await client.get<{ items: Claim[] }>('/v1/claims?state=accepted');
    expect(own.body.items).toMatchObject([{ claim_id: made.body.claim_id, credit_micros: credit.toString() }]);
    await expect.poll(() => notices(user)).toMatchObject([{ number, outcome: 'accepted' }]);
    expect(await decide({ ...made.body, version: 2 }, { decision: 'decline' })).toMatchObject(problem('too_late'));
  });

  it('gives back no more than its fault lasted, than a month, or than is left of what was paid', async () => {
    const here = await bought();
    const made = await claim(here, HOUR_MS);
    const wish = { decision: 'accept', credit_days: 2 };
    expect(await decide(made.body, wish)).toMatchObject({ status: 422 });
    expect(await decide(made.body, { ...wish, credit_days: 0 })).toMatchObject({ status: 200 });
    const before = await balanceOf(world, here.user);
    const all = await claim(here, 60 * DAY_MS);
    await decide(all.body, { ...wish, credit_days: 31 });
    expect(await balanceOf(world, here.user)).toBe(before + MONTH_PAID);
    // The setup was charged with the month, and is not a part of it: of that nothing was given back.
    const more = await claim(here, 60 * DAY_MS);
    const looked = await seen(more.body.claim_id);
    await decide(more.body, { ...wish, credit_days: 31 });
    const left = await balanceOf(world, here.user);
    expect(left - before - MONTH_PAID).toBe(BigInt(looked.body.credit_micros_max));
    const none = await claim(here, 60 * DAY_MS);
    expect((await seen(none.body.claim_id)).body.credit_micros_max).toBe('0');
    expect((await decide(none.body, { ...wish, credit_days: 31 })).body).toMatchObject({ credit_days: 0 });
    expect(await balanceOf(world, here.user)).toBe(left);
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
    const stale = await decide(next.body, { decision: 'decline' });
    expect(stale.body.state).toBe('declined');
    expect(await here.client.post(`/v1/claims/${next.body.claim_id}/withdraw`)).toMatchObject(problem('too_late'));
  });

  it('is decided once, by whoever comes first', async () => {
    const here = await bought();
    const made = await claim(here, 5 * DAY_MS);
    const other = await (await makeAdmin(world, ['operations'])).signIn();
    const before = await balanceOf(world, here.user);
    const wish = { decision: 'accept', credit_days: 1 };
    const [one, two] = await Promise.all([decide(made.body, wish), decide(made.body, wish, other)]);
    expect([one.status, two.status].toSorted((a, b) => a - b)).toEqual([200, 412]);
    const won = one.status === 200 ? one : two;
    expect(await balanceOf(world, here.user)).toBe(before + BigInt(won.body.credit_micros));
  });

  it('is only about a number that one holds, of a fault that has begun, lately', async () => {
    const [here, there] = [await bought(), await bought()];
    expect(await claim({ client: there.client, number: here.number })).toMatchObject({ status: 404 });
    expect(await claim(here, -HOUR_MS)).toMatchObject({ status: 422 });
    expect(await claim(here, 91 * DAY_MS)).toMatchObject({ status: 422 });
    const made = await claim(here);
    const path = `/v1/claims/${made.body.claim_id}`;
    expect(await there.client.get(path)).toMatchObject({ status: 404 });
    expect(await there.client.post(`${path}/withdraw`)).toMatchObject({ status: 404 });
    expect(await there.client.get(`/v1/claims/${randomUUID()}`)).toMatchObject({ status: 404 });
    const member = await (await makeMember(world, here.user.account_id, 'member')).signIn();
    expect(await member.get(path)).toMatchObject({ status: 200 });
  });

  it('of a dear number is not given back by one of us alone', async () => {
    const here = await bought(60n * UNIT);
    const made = await claim(here, 10 * DAY_MS);
    const wish = { decision: 'accept', credit_days: 10 };
    expect(await decide(made.body, wish)).toMatchObject(problem('second_approval_required'));
    expect(await decide(made.body, { ...wish, credit_days: 0 })).toMatchObject({ status: 200 });
  });

  it('shows whoever decides what went over the number, and that it was looked at is on record', async () => {
    const here = await bought();
    const { user, number } = here;
    const of = (direction: string, result: string, caller: string, callee: string, ago_ms: number) =>
      world.pool.query(
        `insert into cdr (leg_id, call_id, started_at, account_id, wallet_id, direction, dialled, caller, callee, ended_at, duration_ms,
                          duration_source, seconds_charged, seconds_billed, net_micros, tax_micros, result, cause, blame, snapshot)
         values (gen_random_uuid(), gen_random_uuid(), $1, $2, $3, $4, $5, $6, $5, $1, 0, 'none', 0, 0, 0, 0, $7, 16, 'nobody', '{}')`,
        [agoOf(ago_ms), user.account_id, user.wallet_id.toString(), direction, callee, caller, result],
      );
    const peer = '+447700900123';
    await of('outbound', 'answered', number, peer, HOUR_MS);
    await of('outbound', 'failed', number, peer, HOUR_MS);
    await of('outbound', 'answered', '+4950800999', peer, HOUR_MS);
    await of('inbound', 'no_answer', peer, number, HOUR_MS);
    await of('inbound', 'answered', peer, number, 3 * DAY_MS);
    const made = await claim(here, DAY_MS);
    const { body } = await seen(made.body.claim_id);
    expect(body.seen).toEqual({
      ...{ calls_out: 2, calls_out_answered: 1, calls_in: 1, calls_in_answered: 0 },
      ...{ texts_out: 0, texts_out_delivered: 0, texts_in: 0, is_cut_short: false },
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
