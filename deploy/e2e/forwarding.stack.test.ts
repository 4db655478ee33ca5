import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { explainCall } from '../../controller/explain/explain_call.ts';
import type { Story } from '../../controller/explain/story.ts';
import { tellCall } from '../../controller/explain/tell_call.ts';
import type { Call } from '../sip/call.ts';
import type { CallRecord } from '../sip/call_record.ts';
import { answer, refuse } from '../sip/carrier_script.ts';
import type { Script } from '../sip/carrier_script.ts';
import type { Customer, CustomerWishes } from '../world/people.ts';
import { talk } from '../world/talk.ts';
import { testWorld } from '../world/test_world.ts';
import { booksAreRight, settledCalls, walletOf } from '../world/verdict.ts';
import type { CdrVerdict } from '../world/verdict.ts';
import type { World } from '../world/world.ts';

/** A call to a DID arrives from gamma, so that what alpha and beta get is what we forwarded. */
let world: World;
let end: () => Promise<void>;

beforeAll(async () => {
  ({ world, end } = await testWorld({ carriers: ['alpha', 'beta', 'gamma'] }));
}, 120_000);

afterAll(() => end());

const stranger = '+33155550100';
const BALANCE_MICROS = 1_000_000n;
let numbers = 0;

interface Scene {
  customer: Customer;
  /** A number of its own in the outside, at which alpha plays the script. */
  to: string;
}

async function scene(
  when: 'always' | 'unanswered',
  script: Script,
  wishes: Partial<CustomerWishes> = {},
): Promise<Scene> {
  numbers += 1;
  const to = `+4420718${String(39000 + numbers)}`;
  const customer = await world.customer({
    balance_micros: BALANCE_MICROS,
    inbound_rate_micros_per_minute: 30_000n,
    ring_timeout_seconds: 5,
    ...wishes,
  });
  world.carrier('alpha').play(script, to);
  await forward(customer, to, when);
  return { customer, to };
}

async function forward({ number }: Customer, to: string | null, when: string | null): Promise<void> {
  await world.pool.query('update did set forward_to = $2, forward_when = $3 where number = $1', [number, to, when]);
}

function callIn({ number }: Customer, from = stranger): Call {
  return world.carrier('gamma').callIn(number, from);
}

function seenBy(carrier: string, number: string): CallRecord[] {
  return world.carrier(carrier).records.filter((record) => record.number === number);
}

async function bill({ customer }: Scene): Promise<CdrVerdict> {
  const [cdr, ...more] = await settledCalls(world.pool, customer.account_id, 1);
  if (cdr === undefined) throw new Error('there is no record');
  expect(more).toEqual([]);
  expect(await walletOf(world.pool, customer.wallet_id)).toEqual({
    balance_micros: BALANCE_MICROS - cdr.net_micros - cdr.tax_micros,
    ...{ held_micros: 0n, open_calls: 0 },
  });
  expect(cdr.operator_loss_micros).toBe(0n);
  return cdr;
}

async function explained({ call_id }: CdrVerdict): Promise<{ story: Story; words: string }> {
  const explanation = await explainCall(world.pool, call_id, Date.now());
  if (explanation.kind !== 'told' || explanation.stories[0] === undefined) throw new Error(explanation.kind);
  const [story] = explanation.stories;
  expect(story.contradictions).toEqual([]);
  return { story, words: tellCall(story).join('\n') };
}

describe.concurrent('a call to a number that is forwarded always', () => {
  it('reaches the outside as a call of that number, and its holder pays both sides', async () => {
    const here = await scene('always', answer(), { tax_ppm: 190_000 });
    const phone = await world.phone(here.customer);
    const rung = vi.fn();
    phone.onIncoming(rung);
    const call = callIn(here.customer);
    await talk(call, 1_300);
    await call.hangUp();
    const cdr = await bill(here);
    // Two seconds at 500 micros for the number, and at 1,000 for the way on; 400 at the carrier, whose rate is 12,000 a minute.
    expect(cdr).toMatchObject({
      ...{ direction: 'inbound', result: 'answered', caller: stranger, callee: here.customer.number },
      ...{ seconds_billed: 2, net_micros: 3_000n, tax_micros: 570n, cost_micros: 400n, duration_source: 'record' },
      attempts: [{ trunk_id: 'trunk-alpha' }],
    });
    const [far, ...more] = seenBy('alpha', here.to);
    expect(more).toEqual([]);
    expect(far?.identities.from_user).toBe(here.customer.number);
    expect(JSON.stringify(far?.identities)).not.toContain(stranger.slice(1));
    expect(world.beyond(cdr.duration_ms, call)).toBeLessThan(150);
    expect(rung).not.toHaveBeenCalled();
    const { story, words } = await explained(cdr);
    expect(story.bill.filter(({ micros }) => micros > 0n).map(({ part, micros }) => [part, micros])).toEqual([
      ['own', 1_000n],
      ['way_on', 2_000n],
      [null, 570n],
    ]);
    expect(words).toContain(`And the way on to ${here.to}. Rate deck "retail", version 1: prefix 44`);
    await booksAreRight(world.pool);
  });

  it('goes on by the next carrier when the first one fails, and rings phones again once it is forwarded no more', async () => {
    const here = await scene('always', refuse(503));
    world.carrier('beta').play(answer(), here.to);
    const call = callIn(here.customer);
    await talk(call, 300);
    await call.hangUp();
    expect(await bill(here)).toMatchObject({
      ...{ net_micros: 1_500n, cost_micros: 217n },
      attempts: [{ trunk_id: 'trunk-alpha', sip_status: 503 }, { trunk_id: 'trunk-beta' }],
    });
    expect(seenBy('beta', here.to).map(({ identities }) => identities.from_user)).toEqual([here.customer.number]);
    await forward(here.customer, null, null);
    const phone = await world.phone(here.customer);
    const next = callIn(here.customer);
    await (await phone.nextIncoming()).answer();
    await talk(next, 200);
    await next.hangUp();
  });

  it('is refused in words, and told in full, where its holder has that destination blocked', async () => {
    const here = await scene('always', answer(), { limits: { blocked_prefixes: ['4420'] } });
    const call = callIn(here.customer);
    await call.earlyMedia();
    await call.hears('voice', 8_000);
    expect((await call.ended(20_000)).status).toBe(480);
    const cdr = await bill(here);
    expect(cdr).toMatchObject({ result: 'refused', refusal: 'not_forwarded', net_micros: 0n });
    expect(seenBy('alpha', here.to)).toEqual([]);
    const { words } = await explained(cdr);
    expect(words).toContain('The call went nowhere: the call could not go on to where the number is forwarded to.');
    expect(words).toContain('because: the account has this destination blocked');
  });

  it('is refused when the money does not pay for both', async () => {
    const here = await scene('always', answer(), { balance_micros: 1_400n });
    const call = callIn(here.customer);
    expect((await call.ended(20_000)).status).toBe(480);
    const [cdr] = await settledCalls(world.pool, here.customer.account_id, 1);
    expect(cdr).toMatchObject({ refusal: 'callee_cannot_pay' });
    expect(seenBy('alpha', here.to)).toEqual([]);
  });

  it('does not go round in circles when it comes back as a call of that number', async () => {
    const here = await scene('always', answer());
    const call = callIn(here.customer, here.customer.number);
    expect((await call.ended(20_000)).status).toBe(480);
    expect(await bill(here)).toMatchObject({ refusal: 'not_forwarded' });
    expect(seenBy('alpha', here.to)).toEqual([]);
  });
});

describe.concurrent('a call to a number that is forwarded when nobody answers', () => {
  it('rings the phones first, then goes on, and is charged both sides for what was talked', async () => {
    const here = await scene('unanswered', answer());
    const phone = await world.phone(here.customer);
    const call = callIn(here.customer);
    const ringing = await phone.nextIncoming();
    expect(ringing.record.identities.from_user).toBe(stranger);
    await talk(call, 1_300);
    expect(ringing.isLive).toBe(false);
    await call.hangUp();
    expect(await bill(here)).toMatchObject({
      ...{ result: 'answered', net_micros: 3_000n, cost_micros: 400n },
      attempts: [{ trunk_id: null, blame: 'callee' }, { trunk_id: 'trunk-alpha' }],
    });
    expect(seenBy('alpha', here.to).map(({ identities }) => identities.from_user)).toEqual([here.customer.number]);
  });

  it('costs the number’s own price alone when a phone answers, however long', async () => {
    const here = await scene('unanswered', answer());
    const phone = await world.phone(here.customer);
    const call = callIn(here.customer);
    await (await phone.nextIncoming()).answer();
    // Longer than what was granted at both prices.
    await talk(call, 4_300);
    await call.hangUp();
    expect(await bill(here)).toMatchObject({ net_micros: 2_500n, cost_micros: 0n, carrier_id: null });
    expect(seenBy('alpha', here.to)).toEqual([]);
  });

  it.each([
    ['no phone is there', null],
    ['the phone is busy', 486],
    ['the phone declines', 603],
  ] as const)('goes on at once when %s', async (_, status) => {
    const here = await scene('unanswered', answer(), { ring_timeout_seconds: 60 });
    const phone = status === null ? null : await world.phone(here.customer);
    const call = callIn(here.customer);
    if (status !== null) (await phone?.nextIncoming())?.reject(status);
    await talk(call, 200);
    await call.hangUp();
    expect(await bill(here)).toMatchObject({ result: 'answered', net_micros: 1_500n });
    expect(seenBy('alpha', here.to)).toHaveLength(1);
  });

  it('rings the phones alone when the money does not pay for the way on', async () => {
    const here = await scene('unanswered', answer(), { balance_micros: 1_400n });
    const phone = await world.phone(here.customer);
    const call = callIn(here.customer);
    (await phone.nextIncoming()).reject(486);
    expect((await call.ended(10_000)).status).toBe(486);
    const [cdr] = await settledCalls(world.pool, here.customer.account_id, 1);
    if (cdr === undefined) throw new Error('there is no record');
    expect((await explained(cdr)).words).toContain(`Not forwarded to ${here.to}: no money.`);
    expect(seenBy('alpha', here.to)).toEqual([]);
  });

  it('ends when the money for both sides does', async () => {
    const here = await scene('unanswered', answer({ answer_after_ms: 200 }), { balance_micros: 3_000n });
    const call = callIn(here.customer);
    await call.answered(15_000);
    await call.ended(8_000);
    expect(world.talked(call).most_ms).toBeGreaterThan(1_800);
    expect(world.talked(call).least_ms).toBeLessThan(2_060);
    const [cdr] = await settledCalls(world.pool, here.customer.account_id, 1);
    expect(cdr).toMatchObject({ net_micros: 3_000n, operator_loss_micros: 0n });
  });
});
