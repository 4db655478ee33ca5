import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Call } from '../sip/call.ts';
import { talk } from '../world/talk.ts';
import { testWorld } from '../world/test_world.ts';
import { booksAreRight, eventually, settledCalls, walletOf } from '../world/verdict.ts';
import type { World } from '../world/world.ts';

let world: World;
let end: () => Promise<void>;

beforeAll(async () => {
  ({ world, end } = await testWorld());
}, 120_000);

afterAll(() => end());

const stranger = '+442079460000';

/** A call of the carrier to a number of ours. */
function callIn(number: string, from = stranger): Call {
  return world.carrier('alpha').callIn(number, from);
}

describe.concurrent('a call to a DID', () => {
  it('rings all registered phones of its holder at once, and the one that answers talks', async () => {
    const customer = await world.customer({ balance_micros: 1_000_000n, inbound_rate_micros_per_minute: 60_000n });
    const [desk, mobile] = [await world.phone(customer), await world.phone(customer)];
    const call = callIn(customer.number);
    const [at_desk, at_mobile] = await Promise.all([desk.nextIncoming(), mobile.nextIncoming()]);
    expect(at_desk.record.identities.from_user).toBe(stranger);
    await at_mobile.answer();
    await talk(call, 1_300);
    expect(at_desk.isLive).toBe(false);
    await call.hangUp();
    const [cdr] = await settledCalls(world.pool, customer.account_id, 1);
    expect(cdr).toMatchObject({
      direction: 'inbound',
      result: 'answered',
      net_micros: 2_000n,
      seconds_billed: 2,
      caller: stranger,
    });
    expect(world.beyond(cdr?.duration_ms, call)).toBeLessThan(150);
    expect(await walletOf(world.pool, customer.wallet_id)).toMatchObject({ balance_micros: 998_000n, held_micros: 0n });
    await booksAreRight(world.pool);
  });

  it('costs the holder nothing where the DID has no price, even without money', async () => {
    const customer = await world.customer({ balance_micros: 0n });
    const phone = await world.phone(customer);
    const call = callIn(customer.number);
    await (await phone.nextIncoming()).answer();
    await talk(call, 300);
    await call.hangUp();
    const [cdr] = await settledCalls(world.pool, customer.account_id, 1);
    expect(cdr).toMatchObject({ result: 'answered', net_micros: 0n });
  });

  it('hears that nobody is there when no phone is registered', async () => {
    const customer = await world.customer({ balance_micros: 0n });
    const call = callIn(customer.number);
    await call.earlyMedia();
    await call.hears('voice', 8_000);
    expect((await call.ended(20_000)).status).toBe(480);
    const [cdr] = await settledCalls(world.pool, customer.account_id, 1);
    expect(cdr).toMatchObject({ result: 'failed', net_micros: 0n });
  });

  it('hears that nobody is there when nobody answers in time', async () => {
    const customer = await world.customer({ balance_micros: 0n, ring_timeout_seconds: 5 });
    const phone = await world.phone(customer);
    const call = callIn(customer.number);
    const ringing = await phone.nextIncoming();
    await call.ringing();
    await call.earlyMedia(10_000);
    await call.hears('voice', 8_000);
    expect(ringing.isLive).toBe(false);
    expect((await call.ended(20_000)).status).toBe(480);
    const [cdr] = await settledCalls(world.pool, customer.account_id, 1);
    expect(cdr).toMatchObject({ result: 'no_answer', blame: 'callee' });
  });

  it('hears the phone once it has answered, and not before: what is not answered is paid by nobody', async () => {
    const customer = await world.customer({ balance_micros: 0n });
    const phone = await world.phone(customer);
    const call = callIn(customer.number);
    const ringing = await phone.nextIncoming();
    await ringing.progress();
    ringing.say({ kind: 'tone', tone_hz: 700 });
    await expect(call.hears({ tone_hz: 700 }, 2_000)).rejects.toThrow();
    await ringing.answer();
    await call.hears({ tone_hz: 700 }, 3_000);
    await call.hangUp();
  });

  it('is told busy when the phone says so', async () => {
    const customer = await world.customer({ balance_micros: 0n });
    const phone = await world.phone(customer);
    const call = callIn(customer.number);
    (await phone.nextIncoming()).reject(486);
    expect((await call.ended(10_000)).status).toBe(486);
  });

  it('ends when the holder of a priced DID has no more money', async () => {
    const customer = await world.customer({ balance_micros: 2_000n, inbound_rate_micros_per_minute: 60_000n });
    const phone = await world.phone(customer);
    const call = callIn(customer.number);
    await (await phone.nextIncoming()).answer();
    await call.ended(8_000);
    expect(world.talked(call).most_ms).toBeGreaterThan(1_800);
    expect(world.talked(call).least_ms).toBeLessThan(2_060);
    const [cdr] = await settledCalls(world.pool, customer.account_id, 1);
    expect(cdr).toMatchObject({ net_micros: 2_000n, operator_loss_micros: 0n });
  });

  it('is busy where the holder’s lines are all taken, and nobody is told of any limit', async () => {
    const customer = await world.customer({
      ...{ balance_micros: 100_000n, inbound_rate_micros_per_minute: 60_000n, limits: { concurrent_calls_max: 1 } },
    });
    const phone = await world.phone(customer);
    const first = callIn(customer.number);
    await (await phone.nextIncoming()).answer();
    await first.answered();
    const second = callIn(customer.number);
    expect((await second.ended(10_000)).status).toBe(486);
    expect(second.record.early_media_at_ms).toBeUndefined();
    await first.hangUp();
    const cdrs = await settledCalls(world.pool, customer.account_id, 2);
    expect(cdrs.map(({ refusal }) => refusal).toSorted()).toEqual(['concurrent_calls', null]);
  });

  it.each(['spend_micros_per_hour_max', 'spend_micros_per_day_max'])(
    'is told that nobody is there where the holder may spend no more (%s)',
    async (limit) => {
      const customer = await world.customer({
        ...{ balance_micros: 100_000n, inbound_rate_micros_per_minute: 60_000n, limits: { [limit]: 10n } },
      });
      await world.phone(customer);
      expect((await callIn(customer.number).ended(20_000)).status).toBe(480);
      const [cdr] = await settledCalls(world.pool, customer.account_id, 1);
      expect(cdr?.refusal).toBe(limit.includes('hour') ? 'spend_hour' : 'spend_day');
    },
  );

  it('is refused without a word when nobody holds the number', async () => {
    const call = callIn('+49309999999');
    expect((await call.ended(10_000)).status).toBe(404);
    expect(call.record.early_media_at_ms).toBeUndefined();
    await eventually('its record', 5_000, async () => {
      const { rowCount } = await world.pool.query("select 1 from cdr where refusal = 'unknown_did'");
      return rowCount === 1 ? true : null;
    });
  });
});
