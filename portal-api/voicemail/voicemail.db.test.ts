import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';
import { SAMPLES_PER_SECOND, writeWav } from './wav.ts';

const DAY_MS = 86_400_000;
const PATIENCE = { timeout: 10_000 };
const STEP_UP_MS = 600_000;

let world: PortalWorld;
let ada: TestUser;
let bob: TestUser;
let [hers, his]: PortalClient[] = [];
let numbers = 0;

beforeAll(async () => {
  world = await PortalWorld.begin({ STEP_UP_MS: String(STEP_UP_MS) });
  [ada, bob] = [await makeUser(world), await makeUser(world)];
  [hers, his] = [await ada.signIn(), await bob.signIn()];
  await mkdir(messagesFolder(), { recursive: true });
});

afterAll(() => world.end());

const messagesFolder = (): string => join(world.home, 'voicemail/messages');
const greetingsFolder = (): string => join(world.home, 'voicemail/greetings');
const sealedFolder = (): string => join(world.home, 'documents/voice-messages');

async function numberOf({ account_id, wallet_id }: TestUser): Promise<string> {
  numbers += 1;
  const number = `+493055500${String(numbers).padStart(4, '0')}`;
  await world.pool.query(`insert into did (number, account_id, state) values ($1, $2, 'active')`, [number, account_id]);
  await world.pool.query(
    `insert into number_holding (id, number, account_id, wallet_id, state, state_since, held_from, currency, monthly_micros, anchor_day, paid_until)
     values ($1, $2, $3, $4, 'active', now(), now(), 'EUR', 0, 1, now() + interval '1 month')`,
    [randomUUID(), number, account_id, wallet_id.toString()],
  );
  return number;
}

/** A sound whose every sample is that. */
const wavOf = (seconds: number, sample = 700): Buffer => {
  const samples = Buffer.alloc(16_000 * seconds);
  for (let at = 0; at < samples.length; at += 2) samples.writeInt16LE(sample, at);
  return writeWav({ samples });
};

/** A call that is over, and what the switch recorded of it: finished a minute and more ago, where nothing else is said. */
async function recorded(
  account_id: string | null,
  number: string,
  wav: Buffer,
  at = new Date(),
  written_ms_ago = 61_000,
): Promise<string> {
  const call_id = randomUUID();
  if (account_id !== null) {
    await world.pool.query(
      `insert into cdr (leg_id, call_id, account_id, direction, dialled, caller, callee, started_at, answered_at, ended_at, duration_ms,
                        duration_source, seconds_charged, seconds_billed, result, cause, blame, attempts, grants, snapshot, net_micros, tax_micros,
                        operator_loss_micros, cost_micros, pack_seconds, wallet_id, currency)
       values ($1, $2, $3, 'inbound', $4, '+442079460000', $4, $5, $5, $5, 2000, 'record', 2, 2, 'answered', 16, 'nobody', '[]', '[]', '{}', 0, 0, 0, 0, 0,
               (select id from wallet where account_id = $3), 'EUR')`,
      [randomUUID(), call_id, account_id, number, at],
    );
  }
  await leave(call_id, wav, written_ms_ago);
  return call_id;
}

/** Whole and that old when it appears. */
async function leave(call_id: string, wav: Buffer, written_ms_ago: number): Promise<void> {
  const [unfinished, file] = [join(world.home, `${call_id}.part`), join(messagesFolder(), `${call_id}.wav`)];
  await writeFile(unfinished, wav);
  await writtenAgo(unfinished, written_ms_ago);
  await rename(unfinished, file);
}

async function writtenAgo(file: string, ms: number): Promise<void> {
  const at = new Date(world.now().getTime() - ms);
  await utimes(file, at, at);
}

interface Listed {
  items: { message_id: string; number: string; seconds: number; heard_at: string | null }[];
  next_cursor: string | null;
}

const listOf = async (client: PortalClient | undefined, query = ''): Promise<Listed> =>
  (await client?.get<Listed>(`/v1/voice-messages${query}`))?.body ?? { items: [], next_cursor: null };

const untilTaken = (): Promise<unknown> =>
  expect.poll(async () => (await readdir(messagesFolder())).length, PATIENCE).toBe(0);

const run = (task: string): Promise<unknown> => world.pool.query(`select graphile_worker.add_job($1, '{}')`, [task]);

describe('a voice message', () => {
  it('is its holder’s alone: nobody else sees, hears, marks or deletes it', async () => {
    const number = await numberOf(ada);
    const id = await recorded(ada.account_id, number, wavOf(2));
    await untilTaken();
    expect(await listOf(hers)).toMatchObject({ items: [{ message_id: id, number, seconds: 2, heard_at: null }] });
    expect(await listOf(his)).toMatchObject({ items: [] });
    const path = `/v1/voice-messages/${id}`;
    expect(await his?.get(`${path}/audio`)).toMatchObject({ status: 404 });
    expect(await his?.post(`${path}/heard`)).toMatchObject({ status: 404 });
    expect(await his?.ask('DELETE', path)).toMatchObject({ status: 404 });
    expect((await hers?.get<Buffer>(`${path}/audio`))?.body).toEqual(wavOf(2));
    expect(await hers?.ask('DELETE', path)).toMatchObject({ status: 204 });
    expect(await readdir(sealedFolder())).toEqual([]);
  });

  it('that is found again is taken once, and one without sound not at all', async () => {
    const number = await numberOf(ada);
    const id = await recorded(ada.account_id, number, wavOf(1));
    await recorded(ada.account_id, number, writeWav({ samples: Buffer.alloc(0) }));
    await untilTaken();
    await leave(id, wavOf(1, 90), 61_000);
    await untilTaken();
    expect((await listOf(hers)).items.map(({ message_id }) => message_id)).toEqual([id]);
    expect((await hers?.get<Buffer>(`/v1/voice-messages/${id}/audio`))?.body).toEqual(wavOf(1));
    expect(await readdir(sealedFolder())).toHaveLength(1);
    await hers?.ask('DELETE', `/v1/voice-messages/${id}`);
  });

  it('of a call that nobody knows waits a day for its record', async () => {
    const id = await recorded(null, '', wavOf(1));
    const later = await recorded(ada.account_id, await numberOf(ada), wavOf(1));
    await expect.poll(() => readdir(messagesFolder()), PATIENCE).toEqual([`${id}.wav`]);
    await writtenAgo(join(messagesFolder(), `${id}.wav`), DAY_MS + 1_000);
    await untilTaken();
    expect((await listOf(hers)).items.map(({ message_id }) => message_id)).toEqual([later]);
    await hers?.ask('DELETE', `/v1/voice-messages/${later}`);
  });

  it('that is still written is left alone, and one without sound is believed to be so after a minute only', async () => {
    const number = await numberOf(ada);
    const silent = writeWav({ samples: Buffer.alloc(0) });
    // Of a time to come: so young however long the looks take.
    const young = await recorded(ada.account_id, number, wavOf(1), new Date(), -30_000);
    const begun = await recorded(ada.account_id, number, silent, new Date(), 20_000);
    const whole = await recorded(ada.account_id, number, wavOf(1));
    await expect.poll(() => readdir(messagesFolder()), PATIENCE).not.toContain(`${whole}.wav`);
    expect((await readdir(messagesFolder())).toSorted()).toEqual([`${young}.wav`, `${begun}.wav`].toSorted());
    // What was empty has got its sound meanwhile.
    await leave(begun, wavOf(2), 3_000);
    await writtenAgo(join(messagesFolder(), `${young}.wav`), 3_000);
    await untilTaken();
    const { items } = await listOf(hers);
    expect(items.map(({ message_id }) => message_id).toSorted()).toEqual([young, begun, whole].toSorted());
    for (const { message_id } of items) await hers?.ask('DELETE', `/v1/voice-messages/${message_id}`);
  });

  it('that is too long is cut, and one that cannot be read is kept for a day and told of once', async () => {
    const number = await numberOf(ada);
    const long = await recorded(ada.account_id, number, wavOf(201));
    const broken = await recorded(ada.account_id, number, Buffer.from('RIFF?'));
    const file = join(messagesFolder(), `${broken}.wav`);
    await expect
      .poll(async () => (await listOf(hers)).items, PATIENCE)
      .toMatchObject([{ message_id: long, seconds: 200 }]);
    const audio = (await hers?.get<Buffer>(`/v1/voice-messages/${long}/audio`))?.body;
    expect(audio).toHaveLength(44 + 200 * 2 * SAMPLES_PER_SECOND);
    await hers?.ask('DELETE', `/v1/voice-messages/${long}`);
    const lines = () => world.logged.filter(({ call_id }) => call_id === broken).map(({ msg }) => msg);
    await expect.poll(lines, PATIENCE).toHaveLength(1);
    // Another look after that.
    await recorded(ada.account_id, number, writeWav({ samples: Buffer.alloc(0) }));
    await expect.poll(() => readdir(messagesFolder()), PATIENCE).toEqual([`${broken}.wav`]);
    expect((await readFile(file)).toString()).toBe('RIFF?');
    expect(lines()).toHaveLength(1);
    await writtenAgo(file, DAY_MS + 1_000);
    await untilTaken();
    expect(lines()).toEqual([expect.stringMatching(/cannot be read/u), expect.stringMatching(/was deleted/u)]);
  });

  it('is listed newest first, page by page, and forgotten after its days', async () => {
    const number = await numberOf(ada);
    const ids: string[] = [];
    for (const days of [95, 2, 1])
      ids.push(await recorded(ada.account_id, number, wavOf(1), new Date(Date.now() - days * DAY_MS)));
    await untilTaken();
    const first = await listOf(hers, '?limit=2');
    expect(first.items.map(({ message_id }) => message_id)).toEqual([ids[2], ids[1]]);
    const second = await listOf(hers, `?limit=2&cursor=${first.next_cursor ?? ''}`);
    expect(second.items.map(({ message_id }) => message_id)).toEqual([ids[0]]);
    await run('forget_voice_messages');
    await expect.poll(async () => (await listOf(hers)).items.length, PATIENCE).toBe(2);
    await expect.poll(() => readdir(sealedFolder()), PATIENCE).toHaveLength(2);
    expect(await hers?.post(`/v1/voice-messages/${ids[1] ?? ''}/heard`)).toMatchObject({ status: 204 });
    const [heard] = (await listOf(hers)).items.slice(1);
    expect(heard?.heard_at).not.toBeNull();
  });
});

describe('a mailbox', () => {
  const form = (bytes: Buffer): FormData => {
    const sent = new FormData();
    sent.append('file', new Blob([new Uint8Array(bytes)]), 'hello.wav');
    return sent;
  };
  const pathOf = (number: string): string => `/v1/numbers/${encodeURIComponent(number)}/voicemail`;

  it('is switched on and off by whose number it is, and by nobody else', async () => {
    const path = pathOf(await numberOf(ada));
    const on = { body: { voicemail: { greeting: 'standard' } } };
    expect(await his?.ask('PUT', path, on)).toMatchObject({ status: 404 });
    expect(await his?.ask('PUT', `${path}/greeting`, { form: form(wavOf(1)) })).toMatchObject({ status: 404 });
    expect(await hers?.get(path)).toMatchObject({ body: { voicemail: null } });
    expect(await hers?.ask('PUT', path, on)).toMatchObject({ status: 200 });
    expect(await hers?.ask('PUT', path, { body: { voicemail: { greeting: 'own' } } })).toMatchObject({ status: 409 });
    expect(await hers?.get(path)).toMatchObject(on);
    expect(await hers?.ask('PUT', path, { body: { voicemail: null } })).toMatchObject({ status: 200 });
    const { rows } = await world.pool.query(
      `select action, detail from audit_log where action = 'number.voicemail' order by seq`,
    );
    expect(rows).toMatchObject([{ detail: { after: 'standard' } }, { detail: { before: 'standard', after: 'off' } }]);
  });

  it('is switched on only by whoever has proven lately who it is, as codes could be spoken into it', async () => {
    const eve = await makeUser(world);
    const [path, other] = [pathOf(await numberOf(eve)), pathOf(await numberOf(eve))];
    const stolen = await eve.signIn();
    const put = (body: object): Promise<unknown> => stolen.ask('PUT', path, { body });
    const unproven = { status: 403, body: { type: 'urn:letsdial:problem:step_up_required' } };
    await put({ voicemail: { greeting: 'standard' } });
    world.advance(STEP_UP_MS + 1_000);
    // One that is on may be greeted otherwise and switched off.
    expect(await stolen.ask('PUT', `${path}/greeting`, { form: form(wavOf(1)) })).toMatchObject({ status: 200 });
    expect(await put({ voicemail: { greeting: 'standard' } })).toMatchObject({ status: 200 });
    expect(await put({ voicemail: null })).toMatchObject({ status: 200 });
    expect(await put({ voicemail: { greeting: 'standard' } })).toMatchObject(unproven);
    expect(await stolen.ask('PUT', `${other}/greeting`, { form: form(wavOf(1)) })).toMatchObject(unproven);
    expect(await stolen.get(path)).toMatchObject({ body: { voicemail: null } });
    expect(await stolen.get(other)).toMatchObject({ body: { voicemail: null } });
    const fresh = await eve.signIn();
    const on = { body: { voicemail: { greeting: 'standard' } } };
    expect(await fresh.ask('PUT', path, on)).toMatchObject({ status: 200 });
    world.advance(DAY_MS / 24);
    hers = await ada.signIn();
    await run('forget_greetings');
    await expect.poll(() => readdir(greetingsFolder()), PATIENCE).toEqual([]);
  });

  it('greets by what was sent, written anew, and forgets it with the holder', async () => {
    const number = await numberOf(ada);
    const path = pathOf(number);
    for (const bad of [Buffer.from('#!/bin/sh'), wavOf(61), writeWav({ samples: Buffer.alloc(0) })]) {
      expect(await hers?.ask('PUT', `${path}/greeting`, { form: form(bad) })).toMatchObject({ status: 422 });
    }
    expect(await readdir(greetingsFolder()).catch(() => [])).toEqual([]);
    const dressed = Buffer.concat([wavOf(1), Buffer.from('LIST\x04\x00\x00\x00evil')]);
    expect(await hers?.ask('PUT', `${path}/greeting`, { form: form(dressed) })).toMatchObject({ status: 200 });
    const { rows } = await world.pool.query<{ greeting: string }>(
      'select voicemail_greeting as greeting from did where number = $1',
      [number],
    );
    expect(await readdir(greetingsFolder())).toEqual([`${rows[0]?.greeting ?? ''}.wav`]);
    world.advance(DAY_MS);
    await run('forget_greetings');
    await world.pool.query('update did set account_id = $2 where number = $1', [number, bob.account_id]);
    await run('forget_greetings');
    await expect.poll(() => readdir(greetingsFolder()), PATIENCE).toEqual([]);
  });
});
