import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { answer } from '../sip/carrier_script.ts';
import { talk } from '../world/talk.ts';
import { testWorld } from '../world/test_world.ts';
import { booksAreRight, eventually, settledCalls, walletOf } from '../world/verdict.ts';
import type { World } from '../world/world.ts';
import { Witness } from './switch_stack/witness.ts';

const BALANCE_MICROS = 1_000_000n;

let world: World;
let end: () => Promise<void>;

beforeAll(async () => {
  ({ world, end } = await testWorld());
  world.carrier('alpha').play(answer());
}, 120_000);

afterAll(async () => {
  try {
    const { ASTERISK_ARI_URL: url, ASTERISK_ARI_USER: user, ASTERISK_ARI_PASSWORD: password } = world.asterisk.access;
    const witness = await Witness.open({ adapter: { ari: { url, user, password } } });
    await vi.waitFor(
      async () => expect(await witness.remains()).toEqual({ channels: [], bridges: [], subscriptions: [] }),
      { timeout: 20_000, interval: 100 },
    );
    await booksAreRight(world.pool);
  } finally {
    await end();
  }
});

async function refusedFor(reason: string): Promise<number> {
  const text = await (await fetch(`${world.controller.url}/metrics`)).text();
  const line = `letsdial_calls_total{direction="outbound",result="refused",reason="${reason}"} `;
  return Number(
    text
      .split('\n')
      .find((one) => one.startsWith(line))
      ?.slice(line.length) ?? '0',
  );
}

describe('a number in a form that begins with no digit', () => {
  it.each([
    ['as it stands in an address book', '(020) 7183 8750'],
    ['in digits of another script', '٠٢٠٧١٨٣٨٧٥٠'],
  ])('is called: %s', async (_form, dialled) => {
    const customer = await world.customer({ balance_micros: BALANCE_MICROS, home_country: 'GB' });
    const call = (await world.phone(customer)).call(dialled);
    await talk(call, 300);
    await call.bye();
    const [cdr] = await settledCalls(world.pool, customer.account_id, 1);
    expect(cdr).toMatchObject({ result: 'answered', callee: '+442071838750', net_micros: 1_000n });
  });
});

describe('what is no number', () => {
  it.each([
    ['a name', 'alice', 'not_a_number', 484],
    // Each of these would mean something in a dialplan that expanded what was dialled.
    ['an expression', '${SHELL(id)}', 'not_a_number', 484],
    ['an application', 'x,1,Dial(PJSIP/trunk-alpha)&Local/s', 'not_a_number', 484],
    ['an extension of the switch itself', 's', 'not_a_number', 484],
    ['a call for help in a country without a route for it', 'sos', 'emergency_unavailable', 503],
  ])('is refused in words, on record and among the metrics: %s', async (_what, dialled, refusal, status) => {
    const customer = await world.customer({ balance_micros: BALANCE_MICROS });
    const phone = await world.phone(customer);
    const reached = world.carrier('alpha').records.length;
    const before = await refusedFor(refusal);
    const call = phone.call(dialled);
    await call.earlyMedia();
    await call.hears('voice', 5_000);
    expect((await call.ended(20_000)).status).toBe(status);
    expect(await settledCalls(world.pool, customer.account_id, 1)).toMatchObject([{ result: 'refused', refusal }]);
    await eventually(`${refusal} among the metrics`, 5_000, async () =>
      (await refusedFor(refusal)) === before + 1 ? true : null,
    );
    expect(world.carrier('alpha').records).toHaveLength(reached);
    expect(await walletOf(world.pool, customer.wallet_id)).toEqual({
      ...{ balance_micros: BALANCE_MICROS, held_micros: 0n, open_calls: 0 },
    });
  });
});
