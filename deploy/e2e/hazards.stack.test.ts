import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { answer, ring } from '../sip/carrier_script.ts';
import type { Call } from '../sip/call.ts';
import { Scanner } from '../sip/scanner.ts';
import type { Customer } from '../world/people.ts';
import { talk } from '../world/talk.ts';
import { testWorld } from '../world/test_world.ts';
import { booksAreRight, cdrsOf, eventually, settledCalls, walletOf } from '../world/verdict.ts';
import type { World } from '../world/world.ts';
import { Witness } from './switch_stack/witness.ts';

const BALANCE_MICROS = 1_000_000n;

let world: World;
let end: () => Promise<void>;
let witness: Witness;
let numbers = 0;

beforeAll(async () => {
  ({ world, end } = await testWorld({ carriers: ['alpha', 'beta'] }));
  const { ASTERISK_ARI_URL: url, ASTERISK_ARI_USER: user, ASTERISK_ARI_PASSWORD: password } = world.asterisk.access;
  witness = await Witness.open({ adapter: { ari: { url, user, password } } });
}, 120_000);

async function nothingIsLeft(): Promise<void> {
  await vi.waitFor(
    async () => {
      expect(await witness.remains()).toEqual({ channels: [], bridges: [], subscriptions: [] });
    },
    { timeout: 10_000, interval: 100 },
  );
}

afterAll(async () => {
  try {
    await nothingIsLeft();
    await booksAreRight(world.pool);
  } finally {
    await end();
  }
});

function nextNumber(): string {
  numbers += 1;
  return `+4420718${String(50_000 + numbers)}`;
}

/** Waits until nothing of the customer's is held any more, and checks that it paid what its records say. */
async function paidWhatIsRecorded(customer: Customer, within_ms = 15_000): Promise<bigint> {
  await eventually('the return of what was held', within_ms, async () => {
    const { held_micros, open_calls } = await walletOf(world.pool, customer.wallet_id);
    return held_micros === 0n && open_calls === 0 ? true : null;
  });
  const cdrs = await cdrsOf(world.pool, customer.account_id);
  const charged = cdrs.reduce((sum, { net_micros }) => sum + net_micros, 0n);
  expect((await walletOf(world.pool, customer.wallet_id)).balance_micros).toBe(BALANCE_MICROS - charged);
  return charged;
}

describe.concurrent('a leg that somebody wants to hand on', () => {
  it.each(['caller', 'callee'] as const)(
    'stays where it is when the %s asks for a transfer, with its payer and its deadline',
    async (who) => {
      const customer = await world.customer({ balance_micros: 3_500n });
      const phone = await world.phone(customer);
      const [number, elsewhere] = [nextNumber(), nextNumber()];
      const call = phone.call(number);
      await call.answered();
      const far = await eventually('the callee', 2_000, () => callTo(number));
      const asking: Call = who === 'caller' ? call : far;
      const refer_to = { name: 'refer-to', value: `<sip:${elsewhere}@${world.sip.address}:${world.sip.port}>` };
      // The switch has no ear for it: no answer at all is as good as a refusal, and is what comes.
      const response = asking.requestInDialog('REFER', { headers: [refer_to] });
      await talk(call, 2_000);
      expect(call.isLive && far.isLive).toBe(true);
      await call.ended(6_000);
      const status = await Promise.race([response.then((final) => final?.status ?? 0), Promise.resolve(0)]);
      expect(status === 0 || status >= 400).toBe(true);
      expect(world.talked(call).most_ms).toBeGreaterThan(2_800);
      expect(world.talked(call).least_ms).toBeLessThan(3_150);
      expect(world.carrier('alpha').records.some((record) => record.number === elsewhere)).toBe(false);
      expect(await settledCalls(world.pool, customer.account_id, 1)).toMatchObject([
        { net_micros: 3_000n, operator_loss_micros: 0n },
      ]);
    },
  );

  it('stays where it is when a called phone answers 302', async () => {
    const customer = await world.customer({ balance_micros: BALANCE_MICROS });
    const phone = await world.phone(customer);
    const elsewhere = nextNumber();
    const contact = { name: 'contact', value: `<sip:${elsewhere}@${world.sip.address}:${world.sip.port}>` };
    phone.onIncoming((call) => call.reject(302, { headers: [contact] }));
    const call = world.carrier('alpha').callIn(customer.number, '+442079460000');
    const ended = await call.ended(20_000);
    expect(ended.status).toBeGreaterThanOrEqual(400);
    expect(await paidWhatIsRecorded(customer)).toBe(0n);
    expect(world.carrier('alpha').records.some((record) => record.number === elsewhere)).toBe(false);
  });
});

function fail(n: number): never {
  throw new Error(`Call ${n} is missing.`);
}

function callTo(number: string): Call | null {
  return world.carrier('alpha').liveCalls.find((call) => call.record.number === number) ?? null;
}

describe.concurrent('a caller who hides an event in what he dials and claims', () => {
  it.each([
    ['behind a number', () => nextNumber()],
    ['in the place of one', () => ''],
    ['behind an empty line', () => '\r\n\r\nEvent: Hangup'],
  ])(
    '%s ends nobody’s call',
    async (_where, begin) => {
      const victim = await world.customer({ balance_micros: BALANCE_MICROS });
      const call = (await world.phone(victim)).call(nextNumber());
      await call.answered();
      const held = await world.pool.query<{ channel_id: string }>(
        'select channel_id from call_hold where wallet_id = $1',
        [victim.wallet_id],
      );
      const channel_id = held.rows[0]?.channel_id ?? fail(1);
      const attacker = await world.phone(await world.customer({ balance_micros: BALANCE_MICROS }));
      // The switch keeps eighty characters of each, and writes one after the other: together they are a whole event.
      const attack = attacker.call(`${begin()}\r\nLinkedid: ${channel_id}\r\nChannel: x\r\n\r\n`, {
        callerNumber: `1\r\n\r\nEvent: Hangup\r\nUniqueid: ${channel_id}\r\nTimestamp: 1`,
      });
      // Longer than the record of a call that ended is waited for.
      await talk(call, 4_300);
      expect(await walletOf(world.pool, victim.wallet_id)).toMatchObject({ open_calls: 1 });
      await call.bye();
      expect(await paidWhatIsRecorded(victim)).toBe(5_000n);
      // It is nobody's to decide about, and takes no place.
      expect((await attack.ended()).status).toBe(484);
    },
    60_000,
  );
});

it('a tab in the name of a caller ends no line: his call goes out', async () => {
  const phone = await world.phone(await world.customer({ balance_micros: BALANCE_MICROS }));
  const call = phone.call(nextNumber(), { display_name: 'Ann\tOther' });
  await call.answered();
  await call.bye();
});

describe.concurrent('a channel that is gone when it is spoken to', () => {
  it('gives back what was held, at whatever moment the caller gave up', async () => {
    const customer = await world.customer({ balance_micros: BALANCE_MICROS });
    const phone = await world.phone(customer, { media: false });
    const moments = Array.from({ length: 25 }, (_, n) => n * 3);
    const calls = await Promise.all(
      moments.map(async (after_ms) => {
        const number = nextNumber();
        world.carrier('alpha').play(ring(), number);
        const call = phone.call(number);
        await new Promise((resolve) => setTimeout(resolve, after_ms));
        await call.hangUp();
        return call;
      }),
    );
    await Promise.all(calls.map((call) => eventually('its end', 10_000, () => (call.isLive ? null : true))));
    expect(await paidWhatIsRecorded(customer)).toBe(0n);
    for (const { result, net_micros } of await cdrsOf(world.pool, customer.account_id)) {
      expect([result, net_micros]).toEqual(['cancelled', 0n]);
    }
  });

  it('gives back the next grant, when the call ended around its renewal', async () => {
    const customer = await world.customer({ balance_micros: BALANCE_MICROS });
    const phone = await world.phone(customer, { media: false });
    const lasts_ms = Array.from({ length: 16 }, (_, n) => 50 + n * 220);
    const calls = await Promise.all(
      lasts_ms.map(async (ms) => {
        const call = phone.call(nextNumber());
        await talk(call, ms);
        await call.bye();
        return call;
      }),
    );
    const cdrs = await settledCalls(world.pool, customer.account_id, calls.length);
    const charged = await paidWhatIsRecorded(customer);
    expect(charged).toBe(cdrs.reduce((sum, cdr) => sum + BigInt(Math.ceil(cdr.duration_ms / 1000)) * 1000n, 0n));
    const recorded = [...cdrs].sort((a, b) => a.duration_ms - b.duration_ms);
    const measured = [...calls].sort((a, b) => (a.talkedMs ?? -1) - (b.talkedMs ?? -1));
    const beyond = recorded.map(({ duration_ms }, n) => world.beyond(duration_ms, measured[n] ?? fail(n)));
    expect(beyond.filter((ms) => !(ms < 150))).toEqual([]);
    expect(cdrs.every(({ operator_loss_micros }) => operator_loss_micros === 0n)).toBe(true);
  });
});

describe.concurrent('what strangers send', () => {
  it('has names in it looked up beside everything else, and only a switch that is itself busy takes no more', async () => {
    expect(await world.asterisk.command('module show like res_resolver_unbound')).toContain('Running');
    expect(await world.asterisk.command('pjsip show settings')).toMatch(
      /taskprocessor_overload_trigger +: pjsip_only/u,
    );
  });

  it('is not written down where it cannot be read, nor who asks for what is not there', async () => {
    const scanner = await Scanner.open({ address: `${world.network}.171`, target: world.sip });
    scanner.sendMalformed({ fuzzed: 50 });
    expect((await scanner.probe('OPTIONS', 'qqqqq')).status).toBe(401);
    await scanner.close();
    const log = await readFile(join(world.home, 'asterisk/log/messages.log'), 'utf8');
    expect(log).not.toMatch(/pjproject|qqqqq/u);
  });
});

describe.concurrent('an endpoint, as the switch itself sees it', () => {
  async function settingsOf(endpoint: string): Promise<Map<string, string>> {
    const text = await world.asterisk.command(`pjsip show endpoint ${endpoint}`);
    return new Map([...text.matchAll(/^ (\w+) +: (.*?) *$/gmu)].map(([, name = '', value = '']) => [name, value]));
  }

  it.each(['device', 'browser phone', 'trunk'] as const)(
    'is cut off from other media, transfers nothing, and is missed when it vanished: %s',
    async (kind) => {
      const { device } = await world.customer({ balance_micros: 0n });
      await world.pool.query('update sip_device set webrtc = $2 where username = $1', [
        device.username,
        kind === 'browser phone',
      ]);
      const settings = await settingsOf(kind === 'trunk' ? 'trunk-alpha' : device.username);
      expect(Object.fromEntries(settings)).toMatchObject({
        direct_media: 'false',
        allow_transfer: 'false',
        allow_subscribe: 'false',
        trust_id_inbound: 'false',
        timers: 'always',
        timers_sess_expires: '600',
        rtp_timeout: '60',
        rtp_timeout_hold: '300',
      });
    },
  );

  it('has its media carried by the switch from the first packet to the last', async () => {
    const customer = await world.customer({ balance_micros: BALANCE_MICROS });
    const phone = await world.phone(customer);
    const number = nextNumber();
    const call = phone.call(number);
    await call.answered();
    await call.hears({ tone_hz: 1000 }, 3_000);
    await talk(call, 1_200);
    expect(call.record.reinvites_received).toBe(0);
    const far = callTo(number);
    expect(far?.record.reinvites_received).toBe(0);
    await call.bye();
    await paidWhatIsRecorded(customer);
  });
});

describe('after a hundred calls', () => {
  it('nothing is left in the switch: no channel, no bridge, no subscription', async () => {
    const customer = await world.customer({ balance_micros: BALANCE_MICROS });
    const phone = await world.phone(customer, { media: false });
    for (let round = 0; round < 4; round += 1) {
      const calls = Array.from({ length: 25 }, () => {
        const number = nextNumber();
        world.carrier('alpha').play(answer({ talk_ms: 100 }), number);
        return phone.call(number);
      });
      await Promise.all(calls.map((call) => call.ended(15_000)));
      expect(calls.filter((call) => call.talkedMs === undefined)).toEqual([]);
    }
    await settledCalls(world.pool, customer.account_id, 100);
    expect(await paidWhatIsRecorded(customer)).toBe(100_000n);
    await nothingIsLeft();
  });
});
