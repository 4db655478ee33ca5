import { afterEach, expect, test } from 'vitest';
import { LagMeter } from '../world/lag_meter.ts';
import { CarrierPeer } from './carrier.ts';
import type { CarrierOptions } from './carrier.ts';
import * as script from './carrier_script.ts';
import { Phone } from './phone.ts';
import type { PhoneOptions } from './phone.ts';

const open: { close: () => Promise<void> }[] = [];

async function parties(
  played: script.Script,
  options: { phone?: Partial<PhoneOptions>; carrier?: CarrierOptions } = {},
): Promise<[Phone, CarrierPeer]> {
  const carrier = await CarrierPeer.open({ sound: { kind: 'tone', tone_hz: 1400 }, ...options.carrier });
  carrier.play(played);
  const phone = await Phone.open({
    username: 'alice',
    server: carrier.address,
    address: '127.0.0.21',
    ...options.phone,
  });
  open.push(phone, carrier);
  return [phone, carrier];
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

test('rings, answers after its time and hangs up after its time', async () => {
  const lateness = new LagMeter();
  const [phone, carrier] = await parties(script.answer({ ring_after_ms: 60, answer_after_ms: 150, talk_ms: 300 }));
  const call = phone.call('441632960000', { headers: [{ name: 'p-asserted-identity', value: '<sip:+4930@x>' }] });
  const ending = await call.ended();
  expect(ending.by).toBe('remote');
  const { record } = call;
  expect((record.ringing_at_ms ?? 0) - record.invite_at_ms).toBeGreaterThan(50);
  expect((record.answered_at_ms ?? 0) - record.invite_at_ms).toBeGreaterThan(140);
  lateness.stop();
  // A phone that hears the answer late, as this process was busy, has talked for less.
  expect((call.talkedMs ?? 0) + lateness.around(record.answered_at_ms ?? 0)).toBeGreaterThan(290);
  expect((call.talkedMs ?? 0) - lateness.around(record.ended?.at_ms ?? 0)).toBeLessThan(400);
  expect(carrier.records[0]).toMatchObject({
    number: '441632960000',
    identities: { p_asserted_identity: ['<sip:+4930@x>'] },
  });
  expect(carrier.records[0]?.ended?.by).toBe('local');
});

test('a script belongs to its number', async () => {
  const [phone, carrier] = await parties(script.answer());
  carrier.play(script.refuse(486, { cause: 17 }), '4930');
  expect(await phone.call('4930').ended()).toMatchObject({ status: 486, reason: { cause: 17 } });
  const call = phone.call('4931');
  await call.answered();
  await call.bye();
});

test.each([404, 486, 503, 603])('refuses with %i', async (status) => {
  const [phone] = await parties(script.refuse(status, { cause: 34, text: 'No circuit' }));
  expect(await phone.call('1').ended()).toMatchObject({
    by: 'remote',
    status,
    reason: { protocol: 'Q.850', cause: 34 },
  });
});

test('rings, then says 480', async () => {
  const [phone] = await parties(script.ring({ ring_ms: 100 }));
  const call = phone.call('1');
  await call.ringing();
  expect(await call.ended()).toMatchObject({ status: 480 });
});

test('early media, then an answer or a refusal', async () => {
  const [phone, carrier] = await parties(script.earlyMedia({ early_ms: 400 }));
  const answered = phone.call('1');
  await answered.earlyMedia();
  await answered.hears({ tone_hz: 1400 }, 2000);
  await answered.answered();
  await answered.bye();
  carrier.play(script.earlyMedia({ early_ms: 50, then_status: 404 }));
  const refused = phone.call('1');
  expect(await refused.ended()).toMatchObject({ status: 404 });
  expect(refused.record.early_media_at_ms).toBeDefined();
});

test('redirects with 302', async () => {
  const [phone] = await parties(script.redirect('sip:elsewhere@127.0.0.9'));
  expect(await phone.call('1').ended()).toMatchObject({ status: 302 });
});

test('challenges with 407 and takes the right password only', async () => {
  const challenge = { username: 'alice', password: 'right', realm: 'carrier' };
  const [phone] = await parties(script.answer(), { carrier: { challenge }, phone: { password: 'right' } });
  const call = phone.call('1');
  await call.answered();
  expect(call.record.statuses).toEqual([407, 100, 180, 200]);
  await call.bye();
  const [stranger] = await parties(script.answer(), { carrier: { challenge }, phone: { password: 'wrong' } });
  expect(await stranger.call('1').ended()).toMatchObject({ status: 407 });
});

const FAST = { t1_ms: 10, t2_ms: 40, t4_ms: 50, reliable: false };

test('silence: the caller sees nothing and gives up by itself', async () => {
  const [phone, carrier] = await parties(script.silent(), { phone: { timers: FAST } });
  const call = phone.call('1');
  expect(await call.ended()).toMatchObject({ by: 'nobody' });
  expect(call.record.statuses).toEqual([]);
  expect(carrier.records).toHaveLength(1);
});

test('100, then silence: the caller waits until it cancels', async () => {
  const [phone] = await parties(script.tryingThenSilent(), { phone: { timers: FAST } });
  const call = phone.call('1');
  await expect(call.ended(900)).rejects.toThrow('did not happen');
  // An INVITE that was sent again because its 100 was read late draws another one, and nothing else.
  expect(new Set(call.record.statuses)).toEqual(new Set([100]));
  call.cancel();
  expect(await call.ended()).toMatchObject({ by: 'local', status: 487 });
});

test('an answer that crosses a CANCEL is acknowledged and hung up', async () => {
  const [phone, carrier] = await parties(script.answerAfterCancel(50));
  const call = phone.call('1');
  await call.ringing();
  call.cancel();
  expect((await call.ended()).by).toBe('local');
  const incoming = await carrier.nextCall();
  await incoming.ended();
  expect(incoming.record).toMatchObject({ ended: { by: 'remote' } });
  expect(incoming.record.acked_at_ms).toBeDefined();
  expect(incoming.talkedMs).toBeLessThan(100);
});

test('several early dialogs, one answer', async () => {
  const [phone] = await parties(script.forkedRinging(3));
  const call = phone.call('1');
  await call.answered();
  expect(call.record.statuses).toEqual([100, 180, 180, 180, 200]);
  expect(await call.bye()).toBe(200);
});

test('two answers: the second is let go, the first goes on', async () => {
  const [phone, carrier] = await parties(script.forkedAnswer());
  const call = phone.call('1');
  const incoming = await carrier.nextCall();
  await expect.poll(() => incoming.record.forks_released).toBe(1);
  expect(call.record.forks_released).toBe(1);
  expect(incoming.isLive).toBe(true);
  expect(await call.bye()).toBe(200);
  expect((await incoming.ended()).by).toBe('remote');
});

test('re-INVITEs in the middle of a call', async () => {
  const [phone] = await parties(script.reinvite({ after_ms: 50, hold: true }));
  const call = phone.call('1');
  await call.answered();
  await expect.poll(() => call.record.reinvites_received).toBe(1);
  const sent_at_hold = call.rtp?.packets_sent ?? 0;
  await call.hears('tone', 2000);
  expect((call.rtp?.packets_sent ?? 0) - sent_at_hold).toBeLessThanOrEqual(1);
  await call.bye();
});

test('a carrier that is deaf to BYE, and one that keeps its side open', async () => {
  const [phone, carrier] = await parties(script.neverBye('ignore'), { phone: { timers: FAST } });
  const call = phone.call('1');
  await call.answered();
  const deaf = await carrier.nextCall();
  expect(await call.bye()).toBeUndefined();
  expect(deaf.isLive).toBe(true);
  expect(deaf.record.bye_received_at_ms).toBeDefined();
  carrier.play(script.neverBye('keep_open'));
  const second = phone.call('1');
  await second.answered();
  const open_one = await carrier.nextCall();
  expect(await second.bye()).toBe(200);
  expect(open_one.isLive).toBe(true);
});

test.each(['INVITE', 'UPDATE'] as const)('refreshes a session timer with %s', async (method) => {
  const options = { session_expires_s: 90, refresh_every_ms: 30, times: 2, method };
  const [phone] = await parties(script.sessionTimer(options));
  const call = phone.call('1');
  await call.answered();
  await call.hears('tone', 2000);
  const refreshes = () =>
    phone.log.entries.filter((each) => each.direction === 'out' && each.summary === `200 OK (${method})`);
  await expect.poll(refreshes).toHaveLength(2);
  await call.bye();
});

test.each([
  ['an unknown codec', script.unknownCodec()],
  ['garbage for an SDP', script.garbageSdp()],
])('answers with %s: acknowledged, then hung up at once', async (_, played) => {
  const [phone, carrier] = await parties(played);
  const call = phone.call('1');
  expect((await call.ended()).by).toBe('local');
  expect(call.talkedMs).toBeLessThan(100);
  expect((await (await carrier.nextCall()).ended()).by).toBe('remote');
});

test('calls in to a number', async () => {
  const phone = await Phone.open({ username: 'bob', server: { address: '127.0.0.1', port: 9 }, address: '127.0.0.22' });
  const carrier = await CarrierPeer.open({ server: phone.address });
  open.push(phone, carrier);
  const call = carrier.callIn('+4930123', '+441632960001');
  const incoming = await phone.nextIncoming();
  expect(incoming.record).toMatchObject({ number: '+4930123', identities: { from_user: '+441632960001' } });
  await incoming.answer();
  await call.answered();
  await call.bye();
  expect((await incoming.ended()).by).toBe('remote');
});
