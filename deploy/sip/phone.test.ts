import { afterEach, expect, test } from 'vitest';
import { Phone } from './phone.ts';
import type { PhoneOptions } from './phone.ts';
import type { IncomingCall } from './incoming_call.ts';
import type { OutgoingCall } from './outgoing_call.ts';

const open: Phone[] = [];

async function phone(address: string, options: Partial<PhoneOptions> = {}): Promise<Phone> {
  const made = await Phone.open({
    username: 'someone',
    server: { address: '127.0.0.1', port: 9 },
    address,
    ...options,
  });
  open.push(made);
  return made;
}

async function pair(caller: Partial<PhoneOptions> = {}, callee: Partial<PhoneOptions> = {}): Promise<[Phone, Phone]> {
  const bob = await phone('127.0.0.22', { username: 'bob', sound: { kind: 'tone', tone_hz: 1400 }, ...callee });
  const alice = await phone('127.0.0.21', { username: 'alice', server: bob.address, ...caller });
  return [alice, bob];
}

async function connected(alice: Phone, bob: Phone): Promise<[OutgoingCall, IncomingCall]> {
  const out = alice.call('bob');
  const incoming = await bob.nextIncoming();
  await out.ringing();
  await incoming.answer();
  await Promise.all([out.answered(), incoming.acked()]);
  return [out, incoming];
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

test('two phones ring, answer, hear each other, and agree on how long they talked', async () => {
  const [alice, bob] = await pair();
  const [out, incoming] = await connected(alice, bob);
  await Promise.all([out.hears({ tone_hz: 1400 }, 2000), incoming.hears({ tone_hz: 1000 }, 2000)]);
  expect(await out.bye()).toBe(200);
  const ending = await incoming.ended();
  expect(ending.by).toBe('remote');
  expect((await out.ended()).by).toBe('local');
  // Ten frames of 20 ms were heard; those that were late come close together.
  expect(out.talkedMs).toBeGreaterThan(80);
  expect(incoming.talkedMs).toBeGreaterThan(80);
  expect(Math.abs((out.talkedMs ?? 0) - (incoming.talkedMs ?? 0))).toBeLessThan(80);
  expect(incoming.record.identities.from_user).toBe('alice');
  expect(out.record.statuses).toEqual([180, 200]);
});

test('the callee can hang up, and a wrong tone is not heard', async () => {
  const [alice, bob] = await pair();
  const [out, incoming] = await connected(alice, bob);
  await expect(out.hears({ tone_hz: 600 }, 400)).rejects.toThrow('did not happen within 400 ms');
  await expect(out.hears('voice', 400)).rejects.toThrow('heard instead');
  await incoming.bye([{ name: 'reason', value: 'Q.850;cause=16;text="Normal"' }]);
  const ending = await out.ended();
  expect(ending).toMatchObject({ by: 'remote', reason: { protocol: 'Q.850', cause: 16, text: 'Normal' } });
});

test('a voice is heard as a voice, silence as silence', async () => {
  const [alice, bob] = await pair({ sound: { kind: 'silence' } }, { sound: { kind: 'voice' } });
  const [out, incoming] = await connected(alice, bob);
  await Promise.all([out.hears('voice', 2000), incoming.hears('silence', 2000)]);
  await out.bye();
});

test('a refusal carries its status and its cause', async () => {
  const [alice, bob] = await pair();
  bob.onIncoming((call) => call.reject(486, { cause: 17, text: 'User busy' }));
  const ending = await alice.call('bob').ended();
  expect(ending).toMatchObject({ by: 'remote', status: 486, reason: { cause: 17 } });
});

test('a cancelled call ends with 487 on both sides', async () => {
  const [alice, bob] = await pair();
  const out = alice.call('bob');
  await out.ringing();
  const incoming = await bob.nextIncoming();
  out.cancel();
  expect(await out.ended()).toMatchObject({ by: 'local', status: 487 });
  expect(await incoming.ended()).toMatchObject({ by: 'remote', status: 487 });
  await expect(out.answered()).rejects.toThrow('the call ended');
});

test('a call that is given up at once sends no INVITE, or cancels it', async () => {
  const [alice] = await pair();
  const out = alice.call('bob');
  out.cancel();
  expect((await out.ended()).by).toBe('local');
});

test('early media is heard before the answer', async () => {
  const [alice, bob] = await pair();
  bob.onIncoming((call) => void call.progress());
  const out = alice.call('bob');
  await out.earlyMedia();
  await out.hears({ tone_hz: 1400 }, 2000);
  expect(out.record.answered_at_ms).toBeUndefined();
  out.cancel();
  await out.ended();
});

test('hold stops the other side, resume lets it speak again', async () => {
  const [alice, bob] = await pair();
  const [out, incoming] = await connected(alice, bob);
  await out.hears('tone', 2000);
  expect(await out.hold()).toBe(200);
  const sent_at_hold = incoming.rtp?.packets_sent ?? 0;
  await incoming.hears('tone', 2000);
  expect((incoming.rtp?.packets_sent ?? 0) - sent_at_hold).toBeLessThanOrEqual(1);
  expect(await out.resume()).toBe(200);
  await out.hears('tone', 2000);
  expect(incoming.record.reinvites_received).toBe(2);
  await out.bye();
});

test('an offer without a codec of ours is refused with 488', async () => {
  const [alice, bob] = await pair();
  bob.onIncoming((call) => void call.answer());
  const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 99\r\n';
  expect(await alice.call('bob', { sdp }).ended()).toMatchObject({ status: 488 });
});

test('an INVITE without an SDP is answered with an offer, and the ACK need not carry one', async () => {
  const [alice, bob] = await pair();
  bob.onIncoming((call) => void call.answer());
  const out = alice.call('bob', { sdp: '' });
  await out.answered();
  expect((await out.ended(100).catch(() => undefined))?.by).toBeUndefined();
  await out.bye();
});

test('nobody there: the INVITE is repeated, then given up', async () => {
  const alice = await phone('127.0.0.21', { timers: { t1_ms: 10, t2_ms: 40, t4_ms: 50, reliable: false } });
  const out = alice.call('bob');
  expect(await out.ended()).toMatchObject({ by: 'nobody', status: 408 });
  // Seven on an idle machine; timers of 10 ms come late on a busy one.
  const invites = alice.log.entries.filter((entry) => entry.summary.startsWith('INVITE')).length;
  expect(invites).toBeGreaterThanOrEqual(4);
  expect(invites).toBeLessThanOrEqual(7);
});

test('a 200 that is never acknowledged is repeated, then the callee ends the call', async () => {
  const [alice, bob] = await pair({}, { timers: { t1_ms: 10, t2_ms: 40, t4_ms: 50, reliable: false } });
  bob.onIncoming((call) => void call.answer());
  const out = alice.call('bob');
  out.manners.send_ack = false;
  const incoming = await bob.nextIncoming();
  expect((await incoming.ended()).by).toBe('nobody');
  expect(bob.log.entries.filter((entry) => entry.summary === '200 OK (INVITE)').length).toBeGreaterThan(5);
  await out.ended();
});

test('closing a phone frees its port', async () => {
  const alice = await phone('127.0.0.21');
  const { port } = alice.address;
  await alice.close();
  const again = await phone('127.0.0.21', { port });
  expect(again.address.port).toBe(port);
});
