import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explainCall } from '../../controller/explain/explain_call.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import { topUp } from '../../domain/ledger/top_up.ts';
import type { PortalClient } from '../../portal-api/testing/portal_client.ts';
import { codeInMail, codeInText } from '../../portal-api/testing/registering.ts';
import { writeWav } from '../../portal-api/voicemail/wav.ts';
import type { Call } from '../sip/call.ts';
import { Phone } from '../sip/phone.ts';
import { correlation, samplesOfWav } from '../sip/spoken_digits.ts';
import { soundFrame } from '../sip/tone.ts';
import { PortalStack } from '../world/portal_stack.ts';
import { talk } from '../world/talk.ts';
import { booksAreRight, eventually, settledCalls } from '../world/verdict.ts';

const STRANGER = '+442079460000';
const GREETING_HZ = 1_000;

let stack: PortalStack;

beforeAll(async () => {
  stack = await PortalStack.begin();
}, 120_000);

afterAll(() => stack.end());

interface Holder {
  client: PortalClient;
  account_id: string;
  number: string;
  path: string;
}

let people = 0;

/** Somebody with ten euros and a number that costs a thousandth of one each second. */
async function holder(): Promise<Holder> {
  people += 1;
  const { pool } = stack.calls;
  const client = stack.client();
  const [email, phone] = [`holder-${people}@example.org`, `+44770090040${people}`];
  const { body: terms } = await client.get<{ items: { document_id: string }[] }>('/v1/legal');
  const begun = await client.post<{ registration_token: string }>('/v1/registration', {
    ...{ name: 'Ada Example', email, phone, party: 'person', home_country: 'DE', time_zone: 'UTC', locale: 'en' },
    document_ids: terms.items.map(({ document_id }) => document_id),
  });
  const proven = await client.post<{ account_id: string }>('/v1/registration/proof', {
    ...{ registration_token: begun.body.registration_token, phone_code: await codeInText(pool, phone) },
    email_code: await codeInMail(stack.mail, email),
  });
  expect(proven).toMatchObject({ status: 201 });
  const { account_id } = proven.body;
  const number = `+4930777000${people}0`;
  const { rows } = await pool.query<{ id: string }>('select id from wallet where account_id = $1', [account_id]);
  const wallet_id = BigInt(rows[0]?.id ?? 0);
  await inTransaction(pool, async (tx) => {
    const payment = { payment_id: randomUUID(), wallet_id, amount_micros: 10_000_000n, reason: 'opening balance' };
    await topUp(tx, payment);
    await tx.query(
      `insert into did (number, account_id, state, inbound_rate_micros_per_minute, ring_timeout_seconds) values ($1, $2, 'active', 60000, 5)`,
      [number, account_id],
    );
    await tx.query(
      `insert into number_holding (id, number, account_id, wallet_id, state, state_since, held_from, currency, monthly_micros, anchor_day, paid_until)
       values ($1, $2, $3, $4, 'active', now(), now(), 'EUR', 0, 1, now() + interval '1 month')`,
      [randomUUID(), number, account_id, wallet_id.toString()],
    );
  });
  return { client, account_id, number, path: `/v1/numbers/${encodeURIComponent(number)}` };
}

/** A second of a tone, at the rate that has to be halved. */
function greeting(): Buffer {
  const samples = Buffer.alloc(2 * 16_000);
  for (let at = 0; at < 16_000; at += 1)
    samples.writeInt16LE(Math.round(8_000 * Math.sin((2 * Math.PI * GREETING_HZ * at) / 16_000)), 2 * at);
  const wav = writeWav({ samples });
  wav.writeUInt32LE(16_000, 24);
  wav.writeUInt32LE(32_000, 28);
  return wav;
}

async function greetWithTone({ client, path }: Holder): Promise<void> {
  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(greeting())]), '../greeting.wav');
  const reply = await client.ask('PUT', `${path}/voicemail/greeting`, { form });
  expect(reply).toMatchObject({ status: 200, body: { voicemail: { greeting: 'own' } } });
}

interface Message {
  message_id: string;
  number: string;
  caller: string | null;
  seconds: number;
  heard_at: string | null;
}

async function messages({ client }: Holder): Promise<Message[]> {
  return (await client.get<{ items: Message[] }>('/v1/voice-messages')).body.items;
}

const firstMessage = (of: Holder): Promise<Message> =>
  eventually('the message', 15_000, async () => (await messages(of))[0] ?? null);

const spool = (): string => join(stack.calls.home, 'asterisk/spool/voicemail');

/** Hears the greeting, says something from then on, which is recorded once the switch has beeped, and hangs up. */
async function leaveMessage(call: Call, lasts_ms: number): Promise<void> {
  await call.answered(15_000);
  await call.hears({ tone_hz: GREETING_HZ }, 8_000);
  call.say({ kind: 'voice' });
  await talk(call, lasts_ms);
  await call.hangUp();
}

/** What somebody says who says that sound from the beginning on. */
function spoken(frames: number): Int16Array {
  const samples = new Int16Array(frames * 160);
  for (let frame = 0; frame < frames; frame += 1) samples.set(soundFrame({ kind: 'voice' }, frame), frame * 160);
  return samples;
}

/** How alike the middle of what was recorded is to the best-fitting part of what was said, from -1 to 1. */
function isIn(recorded: Int16Array, said: Int16Array): number {
  const middle = recorded.subarray((recorded.length >> 1) - 400, (recorded.length >> 1) + 400);
  let best = 0;
  for (let at = 0; at + middle.length <= said.length; at += 1)
    best = Math.max(best, correlation(middle, said.subarray(at, at + middle.length), 0));
  return best;
}

describe('voice mail', () => {
  it('greets as its holder does, keeps what was said sealed, charges as any call, and plays it back as it was said', async () => {
    const ada = await holder();
    expect(
      await ada.client.ask('PUT', `${ada.path}/voicemail`, { body: { voicemail: { greeting: 'own' } } }),
    ).toMatchObject({
      status: 409,
    });
    await greetWithTone(ada);
    const call = stack.calls.carrier('alpha').callIn(ada.number, STRANGER);
    await leaveMessage(call, 5_000);
    const message = await firstMessage(ada);
    expect(message).toMatchObject({ number: ada.number, caller: STRANGER, heard_at: null });
    const audio = await ada.client.get<Buffer>(`/v1/voice-messages/${message.message_id}/audio`);
    expect(audio.headers.get('content-type')).toBe('audio/wav');
    const recorded = samplesOfWav(audio.body);
    expect(Math.ceil(recorded.length / 8_000)).toBe(message.seconds);
    expect(isIn(recorded, spoken(400))).toBeGreaterThan(0.9);
    const [cdr] = await settledCalls(stack.calls.pool, ada.account_id, 1);
    expect(cdr).toMatchObject({ direction: 'inbound', result: 'answered', call_id: message.message_id });
    expect(cdr?.net_micros).toBe(BigInt(cdr?.seconds_billed ?? 0) * 1_000n);
    expect(stack.calls.beyond(cdr?.duration_ms, call)).toBeLessThan(150);
    // Nothing is left in plain, and what is kept is readable by nobody without the key.
    await eventually('the recording to be gone', 10_000, async () =>
      (await readdir(join(spool(), 'messages'))).length === 0 ? true : null,
    );
    const folder = join(stack.calls.home, 'documents/voice-messages');
    const [file = ''] = await readdir(folder);
    const kept = await readFile(join(folder, file));
    const middle = audio.body.length >> 1;
    // As long as nothing is by chance in what looks like noise; four letters are, once in some ten thousand messages.
    for (const plain of [audio.body.subarray(0, 40), audio.body.subarray(middle, middle + 40)]) {
      expect(kept.includes(plain)).toBe(false);
    }
    const path = `/v1/voice-messages/${message.message_id}`;
    expect(await ada.client.post(`${path}/heard`)).toMatchObject({ status: 204 });
    expect((await messages(ada))[0]?.heard_at).not.toBeNull();
    expect(await ada.client.ask('DELETE', path)).toMatchObject({ status: 204 });
    expect(await readdir(folder)).toEqual([]);
    await eventually('the mail', 10_000, () =>
      Promise.resolve(
        stack.mail.mails('holder-1@example.org').some(({ subject }) => /voice message/u.test(subject)) || null,
      ),
    );
    await booksAreRight(stack.calls.pool);
  }, 90_000);

  it('takes a message where phones ring in vain; it stays with whom it was for when the number is somebody else’s', async () => {
    const [ada, bob] = [await holder(), await holder()];
    const device = await ada.client.post<{ credentials: { username: string; password: string } }>('/v1/devices', {
      label: 'desk',
    });
    const { credentials } = device.body;
    const server = stack.calls.sip;
    const phone = await Phone.open({ ...credentials, server, address: `${stack.calls.network}.41` });
    expect(await phone.register()).toMatchObject({ kind: 'registered' });
    await greetWithTone(ada);
    const call = stack.calls.carrier('alpha').callIn(ada.number, STRANGER);
    const ringing = await phone.nextIncoming();
    await leaveMessage(call, 3_000);
    expect(ringing.isLive).toBe(false);
    const message = await firstMessage(ada);
    const [cdr] = await settledCalls(stack.calls.pool, ada.account_id, 1);
    expect(cdr?.attempts.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(await explainCall(stack.calls.pool, message.message_id, Date.now())).toMatchObject({
      stories: [{ attempts: [{ attempt: 1 }, { attempt: 2, mailbox: true }], contradictions: [] }],
    });
    expect(await bob.client.get(`/v1/voice-messages/${message.message_id}/audio`)).toMatchObject({ status: 404 });
    await stack.calls.pool.query('update did set account_id = $2 where number = $1', [ada.number, bob.account_id]);
    const { rows } = await stack.calls.pool.query('select voicemail, voicemail_greeting from did where number = $1', [
      ada.number,
    ]);
    expect(rows).toEqual([{ voicemail: null, voicemail_greeting: null }]);
    expect(await messages(bob)).toEqual([]);
    expect(await messages(ada)).toHaveLength(1);
    await phone.close();
  }, 90_000);

  it('keeps nothing of a caller who hangs up while he is greeted, and greets in words where nobody chose others', async () => {
    const ada = await holder();
    const wish = { body: { voicemail: { greeting: 'standard' } } };
    expect(await ada.client.ask('PUT', `${ada.path}/voicemail`, wish)).toMatchObject({ status: 200 });
    const call = stack.calls.carrier('alpha').callIn(ada.number, STRANGER);
    await call.answered();
    await call.hears('voice', 8_000);
    await call.hangUp();
    const [cdr] = await settledCalls(stack.calls.pool, ada.account_id, 1);
    expect(cdr).toMatchObject({ result: 'answered' });
    expect(await readdir(join(spool(), 'messages'))).toEqual([]);
    expect(await messages(ada)).toEqual([]);
    await booksAreRight(stack.calls.pool);
  }, 60_000);
});
