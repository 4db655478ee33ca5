import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CarrierPeer } from '../sip/carrier.ts';
import type { CallRecord } from '../sip/call_record.ts';
import {
  answer,
  answerAfterCancel,
  earlyMedia,
  forkedAnswer,
  forkedRinging,
  garbageSdp,
  neverBye,
  redirect,
  refuse,
  reinvite,
  sessionTimer,
  silent,
  unknownCodec,
} from '../sip/carrier_script.ts';
import type { Script } from '../sip/carrier_script.ts';
import type { IncomingCall } from '../sip/incoming_call.ts';
import type { OutgoingCall } from '../sip/outgoing_call.ts';
import type { Phone } from '../sip/phone.ts';
import { makeCarrier } from '../world/people.ts';
import type { Customer } from '../world/people.ts';
import { talk } from '../world/talk.ts';
import { putDeck } from '../world/tariffs.ts';
import { testWorld } from '../world/test_world.ts';
import { booksAreRight, eventually, settledCalls, walletOf } from '../world/verdict.ts';
import type { CdrVerdict } from '../world/verdict.ts';
import { defaultSell } from '../world/world.ts';
import type { World } from '../world/world.ts';
import { Witness } from './switch_stack/witness.ts';

const BALANCE_MICROS = 1_000_000n;
/** Longer than an INVITE is repeated to a carrier that says nothing at all. */
const RING_TIMEOUT_MS = 12_000;

let world: World;
let end: () => Promise<void>;

beforeAll(async () => {
  const far = ['81', '82'].map((prefix) => ({ prefix, destination: 'Far away', rate_micros_per_minute: 60_000n }));
  const sell = [...defaultSell, ...far];
  const settings = { RING_TIMEOUT_MS: String(RING_TIMEOUT_MS) };
  ({ world, end } = await testWorld({ carriers: ['alpha', 'beta'], sell, settings }));
}, 120_000);

afterAll(async () => {
  try {
    const { ASTERISK_ARI_URL: url, ASTERISK_ARI_USER: user, ASTERISK_ARI_PASSWORD: password } = world.asterisk.access;
    const witness = await Witness.open({ adapter: { ari: { url, user, password } } });
    await vi.waitFor(
      async () => {
        expect(await witness.remains()).toEqual({ channels: [], bridges: [], subscriptions: [] });
      },
      { timeout: 40_000, interval: 200 },
    );
    await booksAreRight(world.pool);
  } finally {
    await end();
  }
}, 60_000);

interface Scene {
  customer: Customer;
  phone: Phone;
  number: string;
  call: OutgoingCall;
}

let numbers = 0;

/** A call of a customer of its own to a number of its own, at which alpha plays `script`; beta answers everything. */
async function scene(script: Script, number?: string): Promise<Scene> {
  numbers += 1;
  const dialled = number ?? `+4420718${String(38000 + numbers)}`;
  const customer = await world.customer({ balance_micros: BALANCE_MICROS });
  const phone = await world.phone(customer);
  world.carrier('alpha').play(script, dialled);
  return { customer, phone, number: dialled, call: phone.call(dialled) };
}

function seenBy(carrier: string, number: string): CallRecord[] {
  return world.carrier(carrier).records.filter((record) => record.number === number);
}

/** The one record of the customer, checked against its wallet: nothing is held, and what it paid is what the record says. */
async function bill({ customer }: Scene, within_ms = 15_000): Promise<CdrVerdict> {
  const [cdr, ...more] = await settledCalls(world.pool, customer.account_id, 1, within_ms);
  if (cdr === undefined) throw new Error('there is no record');
  expect(more).toEqual([]);
  expect(await walletOf(world.pool, customer.wallet_id)).toEqual({
    balance_micros: BALANCE_MICROS - cdr.net_micros,
    held_micros: 0n,
    open_calls: 0,
  });
  expect(cdr.operator_loss_micros).toBe(0n);
  return cdr;
}

const auth = { username: 'letsdial-at-carrier', secret: 'only-for-tests' };

/** A further carrier, the only one to that prefix, which takes no INVITE without credentials. */
async function challengingCarrier(name: string, status: 401 | 407, prefix: string): Promise<CarrierPeer> {
  const address = `${world.network}.${status === 401 ? 15 : 17}`;
  const challenge = { username: auth.username, password: auth.secret, realm: `${name}.example`, status };
  const carrier = await CarrierPeer.open({ address, port: 5060, server: world.sip, challenge });
  const trunk = `trunk-${name}`;
  const carrier_id = await makeCarrier(world.pool, { carrier: name, trunk, address, port: 5060, auth });
  const rows = [{ prefix, destination: 'Far away', rate_micros_per_minute: 12_000n }];
  await putDeck(world.pool, { name: `buy-${name}`, currency: 'EUR', carrier_id, rows });
  return carrier;
}

/** The new deck is loaded beside the calls: until then the destination is unknown. */
function throughNewDeck(phone: Phone, number: string): Promise<OutgoingCall> {
  return eventually('a call over the new carrier', 10_000, async () => {
    const attempt = phone.call(number);
    await Promise.race([attempt.answered(), attempt.ended()]);
    return attempt.isLive ? attempt : null;
  });
}

/** What a call of that length as its carrier measured it costs: a thousand micros for each second begun. */
function expectCharged(cdr: CdrVerdict, record: CallRecord | undefined): void {
  expect(cdr.result).toBe('answered');
  expect(record === undefined ? Number.NaN : world.beyond(cdr.duration_ms, { record })).toBeLessThan(150);
  expect(cdr.net_micros).toBe(BigInt(Math.ceil(cdr.duration_ms / 1000)) * 1000n);
}

function expectFree(cdr: CdrVerdict): void {
  expect(cdr).toMatchObject({ net_micros: 0n, seconds_billed: 0, cost_micros: 0n });
  expect(cdr.result).not.toBe('answered');
}

describe.concurrent('a carrier that answers in its own way', () => {
  it.each([
    [401, 'gamma', '81'],
    [407, 'delta', '82'],
  ] as const)(
    'challenges with %i: the trunk shows its credentials and the call is charged once',
    async (status, name, prefix) => {
      const carrier = await challengingCarrier(name, status, prefix);
      const customer = await world.customer({ balance_micros: BALANCE_MICROS });
      const phone = await world.phone(customer);
      const call = await throughNewDeck(phone, `+${prefix}312345678`);
      await talk(call, 1_200);
      await call.bye();
      const cdrs = await eventually('the record', 5_000, async () => {
        const all = await settledCalls(world.pool, customer.account_id, 1);
        return all.some(({ result }) => result === 'answered') ? all : null;
      });
      const answered = cdrs.filter(({ result }) => result === 'answered');
      expect(answered).toHaveLength(1);
      expect(answered[0]).toMatchObject({ net_micros: 2_000n, attempts: [{ trunk_id: `trunk-${name}` }] });
      const [far] = carrier.records;
      expect(far === undefined ? Number.NaN : world.beyond(answered[0]?.duration_ms, { record: far })).toBeLessThan(
        150,
      );
      await carrier.close();
    },
  );

  it('sends a 183 with sound: the caller hears it and pays from the answer on', async () => {
    const one = await scene(earlyMedia({ early_ms: 1_500, sound: { kind: 'tone', tone_hz: 700 } }));
    await one.call.earlyMedia();
    await one.call.hears({ tone_hz: 700 }, 3_000);
    expect(one.call.record.answered_at_ms).toBeUndefined();
    await talk(one.call, 300);
    await one.call.bye();
    const cdr = await bill(one);
    expectCharged(cdr, seenBy('alpha', one.number)[0]);
    expect(cdr.net_micros).toBe(1_000n);
  });

  it('sends a 183 with sound and refuses: nothing is charged', async () => {
    const one = await scene(earlyMedia({ early_ms: 1_200, then_status: 486, sound: { kind: 'tone', tone_hz: 700 } }));
    expect((await one.call.ended()).status).toBe(486);
    expectFree(await bill(one));
  });

  it('rings with several early dialogs: one answer is charged', async () => {
    const one = await scene(forkedRinging(4, 300));
    await talk(one.call, 700);
    await one.call.bye();
    expectCharged(await bill(one), seenBy('alpha', one.number)[0]);
  });

  it('answers twice: the call that was bridged is charged, once, and the second answer adds nothing', async () => {
    const one = await scene(forkedAnswer());
    await talk(one.call, 1_100);
    const [far, ...more] = seenBy('alpha', one.number);
    expect(more).toEqual([]);
    expect(one.call.isLive).toBe(true);
    await one.call.bye();
    const cdr = await bill(one);
    expectCharged(cdr, far);
    expect(cdr.net_micros).toBe(2_000n);
    expect(cdr.cost_micros).toBe(400n);
  });

  it.each([
    ['INVITE', 'INVITE'],
    ['UPDATE', 'UPDATE'],
  ] as const)('refreshes its session timer by %s: the call goes on', async (_name, method) => {
    const one = await scene(sessionTimer({ session_expires_s: 90, refresh_every_ms: 500, times: 2, method }));
    await talk(one.call, 1_600);
    expect(one.call.isLive).toBe(true);
    await one.call.bye();
    expectCharged(await bill(one), seenBy('alpha', one.number)[0]);
  });

  it('re-INVITEs in mid-call, with hold: charged on to the end, and the deadline stands', async () => {
    const one = await scene(reinvite({ after_ms: 500, hold: true }));
    await talk(one.call, 1_600);
    await one.call.bye();
    expectCharged(await bill(one), seenBy('alpha', one.number)[0]);
  });

  it('re-INVITEs with garbage: the call goes on or ends, and is charged for what it lasted', async () => {
    const one = await scene(reinvite({ after_ms: 500, sdp: 'v=zero\r\nm=audio banana\r\n' }));
    await talk(one.call, 1_600);
    await one.call.hangUp();
    expectCharged(await bill(one), seenBy('alpha', one.number)[0]);
  });
});

describe.concurrent('a carrier that does not let go', () => {
  it.each(['ignore', 'keep_open'] as const)(
    'has a BYE that it does not obey (%s): charged to our BYE',
    async (manner) => {
      const one = await scene(neverBye(manner));
      await talk(one.call, 1_300);
      await one.call.bye();
      const cdr = await bill(one);
      expect(cdr.net_micros).toBe(2_000n);
      const [far] = seenBy('alpha', one.number);
      // Its record never ends; that the BYE came in time is what counts.
      const heard_ms = (far?.bye_received_at_ms ?? 0) - (far?.answered_at_ms ?? 0);
      expect(Math.abs(cdr.duration_ms - heard_ms)).toBeLessThan(150);
    },
  );

  it('never says BYE: the call ends when its money ends', async () => {
    const number = '+442071839999';
    const customer = await world.customer({ balance_micros: 2_500n });
    const phone = await world.phone(customer);
    world.carrier('alpha').play(neverBye('ignore'), number);
    const call = phone.call(number);
    await call.ended(8_000);
    expect(world.talked(call).most_ms).toBeGreaterThan(1_800);
    expect(world.talked(call).least_ms).toBeLessThan(2_060);
    const [cdr] = await settledCalls(world.pool, customer.account_id, 1);
    expect(cdr).toMatchObject({ net_micros: 2_000n, operator_loss_micros: 0n });
  });

  it('answers after the CANCEL: hung up at once, and the caller pays nothing', async () => {
    const one = await scene(answerAfterCancel(200));
    await one.call.ringing();
    await one.call.hangUp();
    const cdr = await bill(one);
    expectFree(cdr);
    expect(cdr).toMatchObject({ result: 'cancelled', blame: 'caller' });
    await eventually('our BYE for the late answer', 5_000, () =>
      seenBy('alpha', one.number)[0]?.bye_received_at_ms === undefined ? null : true,
    );
  });

  it('answers after the ringing timed out: let go at once, and nobody pays', async () => {
    const one = await scene(answerAfterCancel(300));
    const ended = await one.call.ended(RING_TIMEOUT_MS + 5_000);
    expect(ended.status).toBeGreaterThanOrEqual(400);
    const cdr = await bill(one);
    expectFree(cdr);
    expect(cdr.result).toBe('no_answer');
    await eventually('our BYE for the late answer', 5_000, () =>
      seenBy('alpha', one.number)[0]?.bye_received_at_ms === undefined ? null : true,
    );
    expect(seenBy('beta', one.number)).toEqual([]);
  });
});

describe.concurrent('a carrier that fails', () => {
  it('says nothing at all: the next route is taken within ten seconds, and the INVITE counts for nobody', async () => {
    const one = await scene(silent());
    const answered_at_ms = await one.call.answered(15_000);
    expect(answered_at_ms - one.call.record.invite_at_ms).toBeLessThan(10_500);
    await talk(one.call, 700);
    await one.call.bye();
    const cdr = await bill(one);
    expectCharged(cdr, seenBy('beta', one.number)[0]);
    expect(cdr.attempts).toMatchObject([
      { trunk_id: 'trunk-alpha', sip_status: null, blame: 'carrier' },
      { trunk_id: 'trunk-beta' },
    ]);
  });

  it.each([
    ['100', (call: IncomingCall) => call.trying()],
    ['180', (call: IncomingCall) => call.ring()],
  ])('says %s and then nothing: somebody may be ringing, so nobody else is', async (_status, begin) => {
    const one = await scene((call) => {
      // Obeys no CANCEL either: the switch has to let go by itself.
      call.manners.on_cancel = 'answer_but_go_on';
      begin(call);
    });
    const ended = await one.call.ended(RING_TIMEOUT_MS + 10_000);
    expect(ended.at_ms - one.call.record.invite_at_ms).toBeGreaterThan(RING_TIMEOUT_MS - 500);
    expect(ended.at_ms - one.call.record.invite_at_ms).toBeLessThan(RING_TIMEOUT_MS + 2_000);
    const cdr = await bill(one, 20_000);
    expectFree(cdr);
    expect(cdr.attempts).toHaveLength(1);
    expect(seenBy('beta', one.number)).toEqual([]);
    expect(seenBy('alpha', one.number)).toHaveLength(1);
  });

  it('says 302: it is not followed, and the next route is taken', async () => {
    const elsewhere = await CarrierPeer.open({ address: `${world.network}.16`, port: 5060 });
    const one = await scene(redirect(`sip:+442071830999@${world.network}.16:5060`));
    await talk(one.call, 300);
    await one.call.bye();
    const cdr = await bill(one);
    expect(elsewhere.records).toHaveLength(0);
    expectCharged(cdr, seenBy('beta', one.number)[0]);
    expect(cdr.attempts).toMatchObject([{ trunk_id: 'trunk-alpha' }, { trunk_id: 'trunk-beta' }]);
    await elsewhere.close();
  });

  it.each([
    ['a codec that nobody offered', unknownCodec()],
    ['garbage for a description', garbageSdp()],
  ])('answers with %s: nobody talked, and nobody pays for it', async (_what, script) => {
    const one = await scene(script);
    await Promise.race([one.call.answered(), one.call.ended()]);
    await one.call.hangUp();
    const cdr = await bill(one);
    const [winner] = seenBy('beta', one.number);
    // Either the next route took the call, and that one is charged, or the caller was told and nothing is.
    if (winner?.answered_at_ms === undefined) expectFree(cdr);
    else expectCharged(cdr, winner);
    await eventually('the end at the carrier', 5_000, () =>
      seenBy('alpha', one.number)[0]?.ended === undefined ? null : true,
    );
  });

  it.each([
    [603, 'callee'],
    [404, 'callee'],
  ])('says %i: final, the next route is not bothered, and nothing is charged', async (status, blame) => {
    const one = await scene(refuse(status));
    const ended = await one.call.ended(20_000);
    const cdr = await bill(one, 20_000);
    expectFree(cdr);
    expect(cdr.blame).toBe(blame);
    expect(ended.status).toBeGreaterThanOrEqual(400);
    expect(seenBy('beta', one.number)).toEqual([]);
  });

  it('says 503 in the middle of early media: the next route is taken and charged alone', async () => {
    const one = await scene(earlyMedia({ early_ms: 300, then_status: 503 }));
    world.carrier('beta').play(answer({ answer_after_ms: 200 }), one.number);
    await talk(one.call, 400);
    await one.call.bye();
    expectCharged(await bill(one), seenBy('beta', one.number)[0]);
  });

  it.each<[string, Script]>([
    ['483', refuse(483)],
    ['503 and in its reason that nobody answered', refuse(503, { cause: 19 })],
    ['503 and in its reason that all is well', refuse(503, { cause: 16 })],
  ])('says %s: at once, so that it is the carrier’s, and the next route is taken', async (_what, script) => {
    const one = await scene(script);
    world.carrier('beta').play(answer({ answer_after_ms: 200 }), one.number);
    await talk(one.call, 400);
    await one.call.bye();
    const cdr = await bill(one);
    expectCharged(cdr, seenBy('beta', one.number)[0]);
    expect(cdr.attempts).toMatchObject([{ trunk_id: 'trunk-alpha', blame: 'carrier' }, { trunk_id: 'trunk-beta' }]);
  });
});
