import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, refuse, ring } from '../sip/carrier_script.ts';
import { talk } from '../world/talk.ts';
import { testWorld } from '../world/test_world.ts';
import { topUpNow } from '../world/people.ts';
import { booksAreRight, eventually, settledCalls, walletOf } from '../world/verdict.ts';
import type { World } from '../world/world.ts';

let world: World;
let end: () => Promise<void>;

beforeAll(async () => {
  ({ world, end } = await testWorld({ carriers: ['alpha', 'beta'] }));
}, 120_000);

afterAll(() => end());

/** Answers after it rang for a moment, as people do. */
const friendly = answer();

describe('a call to another country', () => {
  it('is charged for the seconds that both parties measured', async () => {
    const customer = await world.customer({ balance_micros: 1_000_000n });
    const phone = await world.phone(customer);
    world.carrier('alpha').play(friendly);
    const call = phone.call('00442071838750');
    await talk(call, 1_300);
    await call.bye();
    const far = await world.carrier('alpha').nextCall();
    await far.ended();
    const [cdr] = await settledCalls(world.pool, customer.account_id, 1);
    expect(cdr).toMatchObject({
      result: 'answered',
      duration_source: 'record',
      callee: '+442071838750',
      caller: customer.number,
    });
    expect(world.beyond(cdr?.duration_ms, call)).toBeLessThan(150);
    expect(world.beyond(cdr?.duration_ms, far)).toBeLessThan(150);
    expect(cdr?.net_micros).toBe(2_000n);
    expect(cdr?.seconds_billed).toBe(2);
    expect(far.record.identities.from_user).toBe(customer.number);
    expect(await walletOf(world.pool, customer.wallet_id)).toEqual({
      balance_micros: 998_000n,
      held_micros: 0n,
      open_calls: 0,
    });
    await booksAreRight(world.pool);
  });

  it('ends at the second at which the money ends, after a warning', async () => {
    const customer = await world.customer({ balance_micros: 5_500n });
    const phone = await world.phone(customer);
    world.carrier('alpha').play(friendly);
    const call = phone.call('+442071838750');
    await call.answered();
    await call.hears('tone', 5_000);
    expect((await call.ended(9_000)).by).toBe('remote');
    // 5.5 seconds of money buy 5 whole seconds.
    expect(world.talked(call).most_ms).toBeGreaterThan(4_800);
    expect(world.talked(call).least_ms).toBeLessThan(5_060);
    const [cdr] = await settledCalls(world.pool, customer.account_id, 1);
    expect(cdr).toMatchObject({ net_micros: 5_000n, seconds_billed: 5, operator_loss_micros: 0n });
    expect(await walletOf(world.pool, customer.wallet_id)).toMatchObject({ balance_micros: 500n, held_micros: 0n });
    await booksAreRight(world.pool);
  });

  it('goes on when money comes in the middle of the last grant', async () => {
    const customer = await world.customer({ balance_micros: 4_000n });
    const phone = await world.phone(customer);
    world.carrier('alpha').play(friendly);
    const call = phone.call('+442071838750');
    await talk(call, 2_500);
    await topUpNow(world.pool, customer.wallet_id, 3_000n);
    await call.ended(10_000);
    expect(world.talked(call).most_ms).toBeGreaterThan(6_800);
    expect(world.talked(call).least_ms).toBeLessThan(7_060);
    const [cdr] = await settledCalls(world.pool, customer.account_id, 1);
    expect(cdr).toMatchObject({ net_micros: 7_000n, seconds_billed: 7, operator_loss_micros: 0n });
    await booksAreRight(world.pool);
  });

  it('shares one wallet with others, and together they stop at zero', async () => {
    const customer = await world.customer({ balance_micros: 12_000n });
    const phone = await world.phone(customer);
    world.carrier('alpha').play(friendly);
    const calls = ['+442071838751', '+442071838752', '+442071838753'].map((number) => phone.call(number));
    await Promise.all(calls.map((call) => call.ended(15_000)));
    const cdrs = await settledCalls(world.pool, customer.account_id, 3);
    const charged = cdrs.reduce((sum, cdr) => sum + cdr.net_micros, 0n);
    expect(charged).toBeLessThanOrEqual(12_000n);
    expect(charged).toBeGreaterThanOrEqual(9_000n);
    expect(cdrs.map((cdr) => cdr.operator_loss_micros)).toEqual([0n, 0n, 0n]);
    expect(await walletOf(world.pool, customer.wallet_id)).toMatchObject({ held_micros: 0n, open_calls: 0 });
    await booksAreRight(world.pool);
  });
});

describe('a call over a carrier that fails', () => {
  it('goes over the next route, and only the winner charges', async () => {
    const customer = await world.customer({ balance_micros: 1_000_000n });
    const phone = await world.phone(customer);
    world.carrier('alpha').play(refuse(503));
    world.carrier('beta').play(friendly);
    const call = phone.call('+442071838750');
    await talk(call, 500);
    await call.bye();
    const [cdr] = await settledCalls(world.pool, customer.account_id, 1);
    expect(cdr?.attempts).toMatchObject([
      { trunk_id: 'trunk-alpha', sip_status: 503, blame: 'carrier' },
      { trunk_id: 'trunk-beta' },
    ]);
    expect(cdr).toMatchObject({ result: 'answered', net_micros: 1_000n, cost_micros: 217n });
  });

  it('passes over a trunk whose channels are all taken', async () => {
    await world.pool.query("update trunk set max_channels = 1 where id = 'trunk-alpha'");
    world.carrier('alpha').play(friendly);
    world.carrier('beta').play(friendly);
    const first = await world.customer({ balance_micros: 1_000_000n });
    const second = await world.customer({ balance_micros: 1_000_000n });
    const first_call = (await world.phone(first)).call('+442071838750');
    await first_call.answered();
    const phone = await world.phone(second);
    // The new number of channels is read beside the calls.
    await eventually('a call over the other trunk', 10_000, async () => {
      const before = world.carrier('beta').records.length;
      const call = phone.call('+442071838750');
      await call.answered();
      await call.bye();
      return world.carrier('beta').records.length > before ? true : null;
    });
    await first_call.bye();
    const [cdr] = await settledCalls(world.pool, first.account_id, 1);
    expect(cdr?.attempts).toMatchObject([{ trunk_id: 'trunk-alpha' }]);
    await world.pool.query("update trunk set max_channels = 1000 where id = 'trunk-alpha'");
  });

  it('is not tried elsewhere when the callee is busy', async () => {
    const customer = await world.customer({ balance_micros: 1_000_000n });
    const phone = await world.phone(customer);
    world.carrier('alpha').play(refuse(486));
    const before = world.carrier('beta').records.length;
    const call = phone.call('+442071838750');
    expect((await call.ended()).status).toBe(486);
    const [cdr] = await settledCalls(world.pool, customer.account_id, 1);
    expect(cdr).toMatchObject({ result: 'busy', net_micros: 0n, blame: 'callee' });
    expect(world.carrier('beta').records.length).toBe(before);
    expect(await walletOf(world.pool, customer.wallet_id)).toMatchObject({
      balance_micros: 1_000_000n,
      held_micros: 0n,
      open_calls: 0,
    });
  });

  it('is not tried elsewhere when the phone rang and a 408 says that nobody took it', async () => {
    const customer = await world.customer({ balance_micros: 1_000_000n });
    const phone = await world.phone(customer);
    world.carrier('alpha').play(ring({ ring_ms: 300, then_status: 408 }));
    world.carrier('beta').play(friendly);
    const before = world.carrier('beta').records.length;
    const call = phone.call('+442071838750');
    expect((await call.ended()).status).toBe(480);
    const [cdr] = await settledCalls(world.pool, customer.account_id, 1);
    expect(cdr).toMatchObject({ result: 'no_answer', net_micros: 0n, blame: 'callee' });
    expect(cdr?.attempts).toMatchObject([{ trunk_id: 'trunk-alpha', sip_status: 408, blame: 'callee' }]);
    expect(world.carrier('beta').records.length).toBe(before);
  });

  it('gives the money back when the caller gives up while it rings', async () => {
    const customer = await world.customer({ balance_micros: 1_000_000n });
    const phone = await world.phone(customer);
    world.carrier('alpha').play(ring());
    const call = phone.call('+442071838750');
    await call.ringing();
    await eventually('a hold', 2_000, async () =>
      (await walletOf(world.pool, customer.wallet_id)).held_micros > 0n ? true : null,
    );
    await call.hangUp();
    const [cdr] = await settledCalls(world.pool, customer.account_id, 1);
    expect(cdr).toMatchObject({ result: 'cancelled', net_micros: 0n, blame: 'caller' });
    expect(await walletOf(world.pool, customer.wallet_id)).toMatchObject({
      balance_micros: 1_000_000n,
      held_micros: 0n,
    });
  });

  it('is told the reason when every route failed', async () => {
    const customer = await world.customer({ balance_micros: 1_000_000n });
    const phone = await world.phone(customer);
    world.carrier('alpha').play(refuse(503));
    world.carrier('beta').play(refuse(500));
    const call = phone.call('+442071838750');
    await call.earlyMedia();
    await call.hears('voice', 5_000);
    const ended = await call.ended(15_000);
    expect(ended.status).toBe(503);
    expect(call.record.answered_at_ms).toBeUndefined();
    const [cdr] = await settledCalls(world.pool, customer.account_id, 1);
    expect(cdr).toMatchObject({ result: 'failed', blame: 'carrier', net_micros: 0n });
    expect(cdr?.attempts).toHaveLength(2);
  });
});

/** Outbound calls that were refused for that reason, as the operator sees them; null when none was. */
async function refusedFor(reason: string | null): Promise<number | null> {
  const text = await (await fetch(`${world.controller.url}/metrics`)).text();
  const line = `letsdial_calls_total{direction="outbound",result="refused",reason="${reason}"} `;
  const found = text.split('\n').find((one) => one.startsWith(line));
  return found === undefined ? null : Number(found.slice(line.length));
}

describe.concurrent('a call that is refused', () => {
  const refused = async (
    number: string,
    wishes: Parameters<World['customer']>[0],
  ): Promise<{ status: number | undefined; cause: number | undefined; refusal: string | null }> => {
    const customer = await world.customer(wishes);
    const phone = await world.phone(customer);
    const call = phone.call(number);
    await call.earlyMedia();
    await call.hears('voice', 5_000);
    const ended = await call.ended(20_000);
    expect(call.record.answered_at_ms).toBeUndefined();
    const [cdr] = await settledCalls(world.pool, customer.account_id, 1);
    expect(await walletOf(world.pool, customer.wallet_id)).toEqual({
      balance_micros: wishes.balance_micros,
      held_micros: 0n,
      open_calls: 0,
    });
    const refusal = cdr?.refusal ?? null;
    // No other call in this file is refused for that reason.
    await eventually(`${refusal} among the metrics`, 5_000, async () =>
      (await refusedFor(refusal)) === 1 ? true : null,
    );
    return { status: ended.status, cause: cdr?.cause, refusal };
  };

  it('for want of money says so', async () => {
    expect(await refused('+442071838750', { balance_micros: 999n })).toEqual({
      status: 403,
      cause: 21,
      refusal: 'no_money',
    });
  });

  it('for an unknown destination says so', async () => {
    expect(await refused('+8613800138000', { balance_micros: 9_000_000n })).toEqual({
      status: 404,
      cause: 1,
      refusal: 'unknown_destination',
    });
  });

  it('for a blocked prefix says so', async () => {
    const limits = { blocked_prefixes: ['4420'] };
    expect(await refused('+442071838750', { balance_micros: 9_000_000n, limits })).toEqual({
      status: 403,
      cause: 21,
      refusal: 'prefix_blocked',
    });
  });

  it('for a number that is none says so', async () => {
    expect(await refused('12', { balance_micros: 9_000_000n })).toMatchObject({
      refusal: 'not_a_number',
    });
  });

  it('for an emergency without a route says so and costs nothing', async () => {
    expect(await refused('112', { balance_micros: 0n })).toMatchObject({ refusal: 'emergency_unavailable' });
  });

  it.each([
    ['rate_too_high', { rate_micros_per_minute_max: 59_999n }, 403, 21],
    ['concurrent_calls', { concurrent_calls_max: 0 }, 503, 34],
    ['spend_hour', { spend_micros_per_hour_max: 999n }, 403, 21],
    ['spend_day', { spend_micros_per_day_max: 999n }, 403, 21],
  ])('for the limit %s names it, aloud too', async (refusal, limits, status, cause) => {
    const wishes = { balance_micros: 9_000_000n, limits };
    expect(await refused('+442071838750', wishes)).toEqual({ refusal, status, cause });
  });
});

it('a call that comes too fast is refused without a word, which would take a place for as long as it is spoken', async () => {
  const customer = await world.customer({ balance_micros: 9_000_000n, limits: { calls_per_second_max: 0 } });
  const call = (await world.phone(customer)).call('+442071838750');
  expect((await call.ended(5_000)).status).toBe(503);
  expect(call.record.early_media_at_ms).toBeUndefined();
  const [cdr] = await settledCalls(world.pool, customer.account_id, 1);
  expect(cdr).toMatchObject({ refusal: 'calls_per_second', cause: 42 });
});

it('is driven by a controller that holds its lease by the login that was made for it', async () => {
  // The world's own sessions hold no lock that long, so this is the one that holds the lease.
  const { rows } = await world.pool.query<{ login: string; is_super: boolean }>(
    `select distinct a.usename as login, r.rolsuper as is_super
       from pg_locks l join pg_stat_activity a using (pid) join pg_roles r on r.rolname = a.usename
      where l.locktype = 'advisory' and l.database = (select oid from pg_database where datname = current_database())`,
  );
  expect(rows).toEqual([{ login: 'letsdial_controller_login', is_super: false }]);
});
