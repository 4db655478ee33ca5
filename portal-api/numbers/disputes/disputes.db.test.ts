import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SimulatedNumberProvider } from '../../../deploy/number_provider/number_provider.ts';
import { brokenInvariants } from '../../../domain/ledger/invariants.ts';
import { seedLegalDocuments } from '../../legal/seed_legal_documents.ts';
import { makeAdmin } from '../../testing/people.ts';
import type { TestUser } from '../../testing/people.ts';
import type { PortalClient } from '../../testing/portal_client.ts';
import type { PortalWorld } from '../../testing/portal_world.ts';
import { noticesTo, writeJobsDown } from '../../testing/told_notices.ts';
import { brokenRules } from '../testing/broken_rules.ts';
import { balanceOf, buyerOf, carryOut, PATIENCE, problem, UNIT, untilIdle } from '../testing/buying.ts';
import { needDocumentsIn } from '../testing/documents.ts';
import { makeHolder } from '../testing/holder.ts';
import { partnerWorld } from '../testing/partner_world.ts';
import type { PartnerWorld } from '../testing/partner_world.ts';
import { putInStock } from '../testing/stock.ts';

const DAY_MS = 86_400_000;
const OF_DISPUTES = [
  ...['ownership_disputed', 'ownership_given', 'ownership_taken', 'ownership_kept', 'ownership_refused'],
  'ownership_lapsed',
];

let partner: PartnerWorld;
let world: PortalWorld;
let provider: SimulatedNumberProvider;
let first: PortalClient;
let second: PortalClient;
let last = 0;

const admin = async (): Promise<PortalClient> => (await makeAdmin(world, ['operations'])).signIn();

beforeAll(async () => {
  partner = await partnerWorld();
  ({ world, provider } = partner);
  await writeJobsDown(world.pool);
});

beforeEach(async () => {
  [first, second] = [await admin(), await admin()];
});

afterAll(async () => {
  expect(await brokenInvariants(world.pool)).toEqual([]);
  expect(await brokenRules(world.pool)).toEqual([]);
  await partner.end();
});

interface Side {
  user: TestUser;
  client: PortalClient;
}

interface Own {
  dispute_id: string;
  side: string;
  state: string;
  words: string | null;
  answer: string | null;
}

interface Dispute extends Own {
  version: number;
  hindrance: string | null;
  cancellation: { reason: string | null } | null;
  holders: { account_id: string; held_to: string | null }[];
  transfers: { from_account_id: string; to_account_id: string; state: string }[];
}

interface Taken {
  number: string;
  /** Who bought the number, and from whom somebody who knew his password gave it away. */
  loser: Side;
  taker: Side;
}

/** A number that went from who bought it to somebody else, by a transfer. */
async function taken(): Promise<Taken> {
  last += 1;
  const number = `+4950900${String(last).padStart(3, '0')}`;
  await putInStock(world.pool, [number]);
  const loser = await buyerOf(world, number, { balance_micros: 100n * UNIT });
  const user = await makeHolder(world, { name: 'Grace Example', home_country: 'FR', balance_micros: 100n * UNIT });
  const taker = { user, client: await user.signIn() };
  const { body } = await loser.client.post<{ code: string }>(`/v1/numbers/${number}/transfer`);
  const accepted = await taker.client.post('/v1/number-transfers/accept', { code: body.code, consent: true });
  expect(accepted).toMatchObject({ status: 201, body: { state: 'done' } });
  return { number, loser, taker };
}

const WORDS = 'I gave it to nobody.\nSomebody had my password.';

const dispute = ({ client }: Side, number: string, more: object = {}) =>
  client.post<Own>('/v1/ownership-disputes', { number, kind: 'handed_over', words: WORDS, ...more });

const sayWhy = ({ client }: Side, dispute_id: string, words = 'I paid for it.') =>
  client.ask<Own>('PUT', `/v1/ownership-disputes/${dispute_id}/statement`, { body: { words } });

/** Said by who lost the number, and answered by who has it, so that it can be decided. */
async function heard({ number, loser, taker }: Taken): Promise<string> {
  const { status, body } = await dispute(loser, number);
  expect(status).toBe(201);
  expect(await sayWhy(taker, body.dispute_id)).toMatchObject({ status: 200 });
  return body.dispute_id;
}

const seen = (dispute_id: string, who = first) =>
  who.get<Dispute>(`/v1/admin/ownership-disputes/${dispute_id}?purpose=the+daily+round`);

const answer = 'The one who gave it away was not its holder.';

async function decide(dispute_id: string, decision: string, who: PortalClient) {
  const { version } = (await seen(dispute_id, who)).body;
  return who.post<Dispute>(`/v1/admin/ownership-disputes/${dispute_id}/decision`, { decision, answer }, { version });
}

async function askPortOut({ client }: Side, number: string, to_carrier: string): Promise<string> {
  const { body } = await client.post<{ pin: string }>(`/v1/numbers/${number}/port-pin`);
  const wish = { number, pin: body.pin, to_carrier };
  const asked = await world.client().post<{ port_out_id: string }>('/v1/port-outs', wish);
  expect(asked.status).toBe(201);
  return asked.body.port_out_id;
}

const own = async ({ client }: Side): Promise<Own[]> =>
  (await client.get<{ items: Own[] }>('/v1/ownership-disputes')).body.items;

async function stateOf(number: string): Promise<string | undefined> {
  const { rows } = await world.pool.query<{ state: string }>('select state from did where number = $1', [number]);
  return rows[0]?.state;
}

const holds = async ({ client }: Side, number: string): Promise<boolean> =>
  (await client.get(`/v1/numbers/${number}`)).status === 200;

const told = async ({ user }: Side): Promise<string[]> =>
  (await noticesTo(world.pool, user.account_id, ...OF_DISPUTES)).map(({ template }) => template);

/** Everybody's sign-in is over by then, so they sign in anew after it. */
async function pass(ms: number, ...sides: Side[]): Promise<void> {
  world.advance(ms);
  [first, second] = [await admin(), await admin()];
  for (const side of sides) side.client = await side.user.signIn();
}

describe('a number that is given back', () => {
  it('takes two of us: it is the claimant’s from the commit on, and what happened to it is on record', async () => {
    const { number, loser, taker } = await taken();
    const opened = await dispute(loser, number);
    expect(opened).toMatchObject({ status: 201, body: { side: 'claimant', state: 'open', words: WORDS } });
    const { dispute_id } = opened.body;
    expect(await told(taker)).toEqual(['ownership_disputed']);
    // Nobody decides without having heard who has it, unless he says nothing for three days.
    expect((await seen(dispute_id)).body.hindrance).toContain('has not said why');
    expect(await decide(dispute_id, 'uphold', first)).toMatchObject(problem('conflict'));
    await sayWhy(taker, dispute_id);
    const proposed = await decide(dispute_id, 'uphold', first);
    expect(proposed).toMatchObject({ status: 200, body: { state: 'proposed' } });
    // Nothing is decided, and neither side sees that anything is on its way.
    expect(await holds(taker, number)).toBe(true);
    expect(await own(loser)).toMatchObject([{ state: 'open', answer: null }]);
    expect(await decide(dispute_id, 'uphold', first)).toMatchObject(problem('second_approval_required'));
    expect(await decide(dispute_id, 'uphold', second)).toMatchObject({ status: 200, body: { state: 'upheld' } });
    expect([await holds(loser, number), await holds(taker, number)]).toEqual([true, false]);
    const { rows } = await world.pool.query('select state, account_id from did where number = $1', [number]);
    expect(rows).toEqual([{ state: 'active', account_id: loser.user.account_id }]);
    expect(await own(loser)).toMatchObject([{ state: 'upheld', answer, side: 'claimant' }]);
    expect(await own(taker)).toMatchObject([
      { state: 'upheld', answer, side: 'holder', words: 'I paid for it.', kind: null },
    ]);
    expect(await told(taker)).toEqual(['ownership_disputed', 'ownership_taken']);
    expect(await told(loser)).toEqual(['ownership_given']);
    const after = (await seen(dispute_id)).body;
    const { account_id } = loser.user;
    expect(after.holders.map((one) => [one.account_id, one.held_to === null])).toEqual([
      [account_id, false],
      [taker.user.account_id, false],
      [account_id, true],
    ]);
    expect(after.transfers[0]).toMatchObject({
      ...{ from_account_id: taker.user.account_id, to_account_id: account_id, state: 'done' },
    });
    expect(await decide(dispute_id, 'reject', first)).toMatchObject(problem('too_late'));
    const audit = await world.pool.query<{ action: string }>(
      `select action from audit_log where subject = $1 and account_id = $2 and action not like '%view' order by seq`,
      [`ownership_dispute:${dispute_id}`, account_id],
    );
    // What was only proposed is in nobody's part of the log but ours.
    expect(audit.rows.map(({ action }) => action)).toEqual(['ownership_dispute.decide']);
    expect((await loser.client.get<{ items: object[] }>('/v1/number-transfers')).body.items[0]).toMatchObject({
      ...{ side: 'to', state: 'done', is_decided_by_us: true },
    });
    // Whoever lost it does not take it back by saying the same.
    expect(await dispute(taker, number)).toMatchObject(problem('conflict'));
  });

  it('has its provider told of the claimant', async () => {
    const rule = { country: 'DE', number_type: 'geographic', fields: ['holder_name'], on_transfer: 'asked' };
    expect(await first.ask('PUT', '/v1/admin/number-providers/partner/rules', { body: rule })).toMatchObject({
      status: 200,
    });
    last += 1;
    const number = `+4950900${String(last).padStart(3, '0')}`;
    await putInStock(world.pool, [number], { provider: 'partner' });
    const holder = await buyerOf(world, number, { balance_micros: 100n * UNIT });
    const user = await makeHolder(world, { name: 'Grace Example', balance_micros: 100n * UNIT });
    const claimant = { user, client: await user.signIn() };
    const opened = await first.post<Dispute>('/v1/admin/ownership-disputes', {
      ...{ number, claimant_account_id: user.account_id, kind: 'brought_here', words: 'A letter of hers.' },
    });
    expect(opened).toMatchObject({ status: 201, body: { state: 'open' } });
    await pass(3 * DAY_MS);
    await decide(opened.body.dispute_id, 'uphold', second);
    expect(await decide(opened.body.dispute_id, 'uphold', first)).toMatchObject({ body: { state: 'upheld' } });
    for (const side of [claimant, holder]) side.client = await side.user.signIn();
    expect([await holds(claimant, number), await holds(holder, number)]).toEqual([true, false]);
    const known = () => [...provider.orders.values()].find((order) => order.number === number)?.fields;
    await expect.poll(known, PATIENCE).toEqual({ holder_name: 'Grace Example' });
    await untilIdle(world);
  });

  it('is not given to whom it could not be sold, nor while it is promised elsewhere; whoever decides reads why', async () => {
    const here = await taken();
    const { number, loser, taker } = here;
    const dispute_id = await heard(here);
    await needDocumentsIn(world.pool, ['DE']);
    expect((await seen(dispute_id)).body.hindrance).toContain('passport');
    expect(await decide(dispute_id, 'uphold', first)).toMatchObject(problem('conflict'));
    await needDocumentsIn(world.pool, []);
    await world.pool.query(`update account set state = 'suspended' where id = $1`, [loser.user.account_id]);
    expect((await seen(dispute_id)).body.hindrance).toContain('not active');
    await world.pool.query(`update account set state = 'active' where id = $1`, [loser.user.account_id]);
    await askPortOut(taker, number, 'before the dispute was known');
    await world.pool.query(`update port_out set state = 'approved', decided_at = $2 where number = $1`, [
      ...[number, world.now()],
    ]);
    expect((await seen(dispute_id)).body.hindrance).toContain('another operator');
    expect(await decide(dispute_id, 'uphold', first)).toMatchObject(problem('conflict'));
    await world.pool.query(`update port_out set state = 'refused' where number = $1`, [number]);
    expect((await seen(dispute_id)).body.hindrance).toBeNull();
    expect(await decide(dispute_id, 'uphold', first)).toMatchObject({ body: { state: 'proposed' } });
    await needDocumentsIn(world.pool, ['DE']);
    // What has changed meanwhile the second one finds.
    expect(await decide(dispute_id, 'uphold', second)).toMatchObject(problem('conflict'));
    await needDocumentsIn(world.pool, []);
    expect(await decide(dispute_id, 'uphold', second)).toMatchObject({ body: { state: 'upheld' } });
  });

  it('comes to the claimant unpaid as it is, without what another one owes, and works once he has paid', async () => {
    const { number, loser, taker } = await taken();
    const { dispute_id } = (await dispute(loser, number)).body;
    await world.pool.query(
      'update number_holding set monthly_micros = 900000000 where number = $1 and held_to is null',
      [number],
    );
    await pass(32 * DAY_MS, loser, taker);
    await carryOut(world, 'look_at_numbers');
    await pass(8 * DAY_MS, loser, taker);
    await carryOut(world, 'look_at_numbers');
    expect(await stateOf(number)).toBe('suspended');
    // Its time is over, and it is kept all the same.
    await pass(15 * DAY_MS, loser, taker);
    await carryOut(world, 'look_at_numbers');
    await world.pool.query('update number_holding set monthly_micros = 2000000 where number = $1 and held_to is null', [
      number,
    ]);
    expect(await holds(taker, number)).toBe(true);
    await decide(dispute_id, 'uphold', first);
    expect(await decide(dispute_id, 'uphold', second)).toMatchObject({ body: { state: 'upheld' } });
    const { rows } = await world.pool.query(
      `select d.state, d.account_id, h.state as holding, h.periods, h.paid_until > $2 as is_paid
         from did d join number_holding h on h.number = d.number and h.held_to is null where d.number = $1`,
      [number, world.now()],
    );
    expect(rows).toEqual([
      { state: 'active', account_id: loser.user.account_id, holding: 'active', periods: 1, is_paid: true },
    ]);
  });
});

describe('while it is disputed', () => {
  it('a number is neither handed on, nor cancelled, nor promised to another operator; and then it is again', async () => {
    const { number, loser, taker } = await taken();
    const offered = await taker.client.post<{ code: string }>(`/v1/numbers/${number}/transfer`);
    const { dispute_id } = (await dispute(loser, number)).body;
    const next = await makeHolder(world, { balance_micros: 100n * UNIT });
    const take = async () =>
      (await next.signIn()).post('/v1/number-transfers/accept', { code: offered.body.code, consent: true });
    expect(await take()).toMatchObject(problem('conflict'));
    const cancel = () => taker.client.post(`/v1/numbers/${number}/cancellation`, { when: 'now' });
    expect(await cancel()).toMatchObject(problem('conflict'));
    // To the end of what is paid for he may, or he would pay for another month.
    const later = await taker.client.post(`/v1/numbers/${number}/cancellation`, { when: 'period_end' });
    expect(later).toMatchObject({ status: 201 });
    const ordered = await first.post(`/v1/admin/numbers/${number}/cancellation`, {
      ...{ when: 'now', refund: 'none', reason: 'a test', refund_micros: '0' },
    });
    expect(ordered.status).toBe(409);
    const port_out_id = await askPortOut(taker, number, 'Another operator');
    const approval = { decision: 'approve', reason: 'a test' };
    expect(await first.post(`/v1/admin/port-outs/${port_out_id}/decision`, approval)).toMatchObject(
      problem('conflict'),
    );
    expect(await holds(taker, number)).toBe(true);
    expect(await loser.client.post(`/v1/ownership-disputes/${dispute_id}/withdraw`)).toMatchObject({
      body: { state: 'withdrawn' },
    });
    expect(await told(taker)).toEqual(['ownership_disputed', 'ownership_kept']);
    // Once said and taken back, it keeps the number no second time.
    expect(await dispute(loser, number)).toMatchObject(problem('conflict'));
    expect(await cancel()).toMatchObject({ status: 201 });
  });

  it('it is kept for longer where an admin says so, who has to say why', async () => {
    const { number, loser, taker } = await taken();
    await taker.client.post(`/v1/numbers/${number}/cancellation`, { when: 'period_end' });
    const { dispute_id } = (await dispute(loser, number)).body;
    await pass(59 * DAY_MS, loser, taker);
    const { version } = (await seen(dispute_id)).body;
    const kept = await first.post<Dispute>(
      `/v1/admin/ownership-disputes/${dispute_id}/keep`,
      { reason: 'A court asks for papers.' },
      { version },
    );
    expect(kept).toMatchObject({ status: 200, body: { state: 'open' } });
    await pass(59 * DAY_MS, loser, taker);
    await carryOut(world, 'look_at_numbers');
    expect([await holds(taker, number), await stateOf(number)]).toEqual([true, 'suspended']);
    expect(await told(taker)).toEqual(['ownership_disputed', 'ownership_disputed']);
    // Nobody keeps it any more, so it ends as its holder wished, and he is not told that it stays his.
    await decide(dispute_id, 'reject', first);
    await carryOut(world, 'look_at_numbers');
    expect(await holds(taker, number)).toBe(false);
    expect(await told(taker)).toEqual(['ownership_disputed', 'ownership_disputed']);
  });

  it('does not wait for one who closed his account', async () => {
    const { number, loser, taker } = await taken();
    await dispute(loser, number);
    const { account_id } = loser.user;
    await world.pool.query(`update account set state = 'closed' where id = $1`, [account_id]);
    const owner = await makeAdmin(world, ['owner']);
    await carryOut(world, 'end_numbers_of_account', { account_id, admin_id: owner.user_id });
    expect(await own(taker)).toMatchObject([{ state: 'withdrawn' }]);
  });

  it('a cancellation that was there waits for the decision, and is taken back where the number is given away', async () => {
    const here = await taken();
    const { number, loser, taker } = here;
    await taker.client.post(`/v1/numbers/${number}/cancellation`, { when: 'period_end' });
    const dispute_id = await heard(here);
    expect((await seen(dispute_id)).body.cancellation).toMatchObject({ reason: null });
    await pass(50 * DAY_MS, loser, taker);
    await carryOut(world, 'look_at_numbers');
    // It is kept, and nobody uses it for nothing meanwhile.
    expect(await holds(taker, number)).toBe(true);
    expect(await stateOf(number)).toBe('suspended');
    const before = await balanceOf(world, loser.user);
    await decide(dispute_id, 'uphold', first);
    await decide(dispute_id, 'uphold', second);
    await carryOut(world, 'look_at_numbers');
    expect([await holds(loser, number), await stateOf(number)]).toEqual([true, 'active']);
    // He pays for one month, from now on, and not for what somebody else did not pay.
    expect(before - (await balanceOf(world, loser.user))).toBe(3n * UNIT);
    const { rows } = await world.pool.query(
      `select c.undone_at is not null as is_undone from number_cancellation c join number_holding h on h.id = c.holding_id where h.number = $1`,
      [number],
    );
    expect(rows).toEqual([{ is_undone: true }]);
  });

  it('is over after 60 days, as nobody has a number for nothing because we are slow: it ends, and so does the dispute', async () => {
    const { number, loser, taker } = await taken();
    await taker.client.post(`/v1/numbers/${number}/cancellation`, { when: 'period_end' });
    await dispute(loser, number);
    await pass(59 * DAY_MS, loser, taker);
    await carryOut(world, 'look_at_numbers');
    expect(await holds(taker, number)).toBe(true);
    await pass(2 * DAY_MS, loser, taker);
    await carryOut(world, 'look_at_numbers');
    expect(await holds(taker, number)).toBe(false);
    expect(await own(loser)).toMatchObject([{ state: 'lapsed', answer: null }]);
    expect(await told(loser)).toEqual(['ownership_lapsed']);
  });
});

describe('a dispute', () => {
  it('is for who had the number, or for us to write down; of one that nobody had here nothing is told', async () => {
    const { number, loser, taker } = await taken();
    const user = await makeHolder(world);
    const stranger = { user, client: await user.signIn() };
    expect(await dispute(stranger, number)).toMatchObject({ status: 404 });
    expect(await dispute(stranger, '+4950900999')).toMatchObject({ status: 404 });
    expect(await dispute(taker, number)).toMatchObject(problem('conflict'));
    expect((await dispute(loser, number)).status).toBe(201);
    expect(await dispute(loser, number)).toMatchObject(problem('conflict'));
    // Who says so first is not by that the right one.
    const again = { number, claimant_account_id: user.account_id, kind: 'other', words: 'A letter.' };
    const letter = await first.post<Dispute>('/v1/admin/ownership-disputes', again);
    expect(letter).toMatchObject({ status: 201 });
    await sayWhy(taker, letter.body.dispute_id);
    await decide(letter.body.dispute_id, 'uphold', first);
    expect(await decide(letter.body.dispute_id, 'uphold', second)).toMatchObject({ body: { state: 'upheld' } });
    expect(await own(loser)).toMatchObject([{ state: 'lapsed' }]);
    expect(await told(loser)).toEqual(['ownership_lapsed']);
    const nobody = { ...again, claimant_account_id: randomUUID() };
    expect(await first.post('/v1/admin/ownership-disputes', nobody)).toMatchObject({ status: 404 });
  });

  it('is rejected once: both are told, and only with something new one of us opens it again', async () => {
    const { number, loser, taker } = await taken();
    const { dispute_id } = (await dispute(loser, number)).body;
    expect(await decide(dispute_id, 'reject', first)).toMatchObject({ body: { state: 'rejected', answer } });
    expect(await told(taker)).toEqual(['ownership_disputed', 'ownership_kept']);
    expect(await told(loser)).toEqual(['ownership_refused']);
    expect(await dispute(loser, number)).toMatchObject(problem('conflict'));
    const again = { number, claimant_account_id: loser.user.account_id, kind: 'other', words: 'A letter.' };
    expect(await first.post('/v1/admin/ownership-disputes', again)).toMatchObject({ status: 201 });
  });

  it('tells neither side what the other one says or who it is, and whoever decides both', async () => {
    const { number, loser, taker } = await taken();
    const { dispute_id } = (await dispute(loser, number)).body;
    expect(await sayWhy(taker, dispute_id)).toMatchObject({ status: 200, body: { words: 'I paid for it.' } });
    expect(await sayWhy(loser, dispute_id)).toMatchObject({ status: 404 });
    expect(await taker.client.post(`/v1/ownership-disputes/${dispute_id}/withdraw`)).toMatchObject({ status: 404 });
    const [of_loser, of_taker] = [JSON.stringify(await own(loser)), JSON.stringify(await own(taker))];
    expect(of_loser).not.toContain('I paid for it.');
    expect(of_loser).not.toContain(taker.user.account_id);
    expect(of_taker).not.toContain('I gave it to nobody.');
    expect(of_taker).not.toContain(loser.user.account_id);
    expect((await seen(dispute_id)).body).toMatchObject({ words: WORDS, holder_words: 'I paid for it.' });
    expect(await decide(dispute_id, 'send_back', first)).toMatchObject(problem('too_late'));
    await decide(dispute_id, 'uphold', first);
    expect(await decide(dispute_id, 'send_back', second)).toMatchObject({ body: { state: 'open', answer: null } });
    await decide(dispute_id, 'reject', second);
    expect(await sayWhy(taker, dispute_id)).toMatchObject(problem('too_late'));
  });
});

// The last of all: from then on everybody has to agree to something.
it('a claimant who has yet to agree to the terms in force gets the number once he has', async () => {
  const here = await taken();
  const { loser } = here;
  const dispute_id = await heard(here);
  await decide(dispute_id, 'uphold', first);
  await seedLegalDocuments(world.pool, world.now());
  expect((await seen(dispute_id)).body.hindrance).toContain('terms');
  expect(await decide(dispute_id, 'uphold', second)).toMatchObject(problem('conflict'));
  const { rows } = await world.pool.query<{ id: string }>('select id from legal_document');
  const document_ids = rows.map(({ id }) => id);
  expect(await loser.client.post('/v1/legal/acceptances', { document_ids })).toMatchObject({ status: 200 });
  expect(await decide(dispute_id, 'uphold', second)).toMatchObject({ body: { state: 'upheld' } });
});
