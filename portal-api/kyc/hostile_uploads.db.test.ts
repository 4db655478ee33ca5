import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bombs, polyglots, strangers } from '../documents/testing/hostile_images.ts';
import type { HostileFile } from '../documents/testing/hostile_images.ts';
import { hostilePdfs } from '../documents/testing/hostile_pdfs.ts';
import { documentForm, samplePicture } from '../documents/testing/sample_files.ts';
import { makeAdmin, makeUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';
import type { DocumentBody } from './testing/kyc_steps.ts';

let world: PortalWorld;
let customer: PortalClient;
let reviewer: PortalClient;
let files: readonly HostileFile[];

beforeAll(async () => {
  // Before there is a portal in this process: to make the bombs takes seconds in which nobody is heard, its database and Redis neither.
  files = [...(await polyglots()), ...(await strangers()), ...(await bombs()), ...(await hostilePdfs())];
  world = await PortalWorld.begin();
  customer = await (await makeUser(world)).signIn();
  reviewer = await (await makeAdmin(world, ['kyc'])).signIn();
});

afterAll(() => world.end());

const REFUSED = [413, 415, 422];

const filesKept = (): Promise<string[]> => readdir(join(world.home, 'documents')).catch(() => []);

const send = (form: FormData): ReturnType<typeof customer.post<DocumentBody>> =>
  customer.post<DocumentBody>('/v1/kyc/documents', undefined, { form });

/** What became of it; of what is kept, each page is looked at as a reviewer would, and then it is taken back. */
async function judge({ what, bytes, marker }: HostileFile): Promise<{ what: string; result: string }> {
  const { status, body } = await send(documentForm('passport', bytes));
  if (REFUSED.includes(status)) return { what, result: 'refused' };
  if (status !== 201) return { what, result: `status ${status}` };
  const views = Array.from({ length: body.page_count }, (_, n) => viewOf(body.document_id, n + 1, marker));
  const wrong = (await Promise.all(views)).find((problem) => problem !== null);
  await customer.ask('DELETE', `/v1/kyc/documents/${body.document_id}`);
  return { what, result: wrong ?? 'harmless' };
}

/** What is wrong with a page; null where nothing is. */
async function viewOf(document_id: string, page: number, marker: string | undefined): Promise<string | null> {
  const seen = await reviewer.get<Buffer>(`/v1/admin/kyc/documents/${document_id}/pages/${page}?purpose=test`);
  if (seen.headers.get('content-type') !== 'image/jpeg') return 'another type';
  if (seen.headers.get('x-content-type-options') !== 'nosniff') return 'sniffed';
  if (marker !== undefined && seen.body.includes(marker)) return 'carried along';
  const { format, exif, xmp, width, height } = await sharp(seen.body).metadata();
  const is_plain = format === 'jpeg' && exif === undefined && xmp === undefined && Math.max(width, height) <= 2_500;
  return is_plain ? null : 'not plain';
}

/** Judges a few at a time, as hostile people do, while somebody else uses the portal; tells how long that one waited at most. */
async function judgeAll(): Promise<{ wrong: unknown[]; waited_ms_max: number }> {
  const waiting = [...files];
  const wrong: unknown[] = [];
  const work = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const { what, result } = await judge(file);
      const { expected } = file;
      const is_right = expected === 'either' ? ['refused', 'harmless'].includes(result) : result === expected;
      if (!is_right) wrong.push({ what, expected, result });
    }
  };
  let over = false;
  let waited_ms_max = 0;
  const elsewhere = async (): Promise<void> => {
    const somebody = world.client();
    while (!over) {
      const began = performance.now();
      const { status } = await somebody.get('/v1/requirements?country=DE&number_type=mobile');
      if (status !== 200) wrong.push({ what: 'somebody else', status });
      waited_ms_max = Math.max(waited_ms_max, performance.now() - began);
      await pause(50);
    }
  };
  const other = elsewhere();
  await Promise.all([work(), work(), work()]);
  over = true;
  await other;
  return { wrong, waited_ms_max };
}

describe('a hostile upload', () => {
  it('is refused or harmless, stops nobody else, and leaves nothing', async () => {
    expect(files.length).toBeGreaterThanOrEqual(60);
    const { wrong, waited_ms_max } = await judgeAll();
    expect(wrong).toEqual([]);
    expect(waited_ms_max).toBeLessThan(2_000);
    await expect.poll(filesKept, { timeout: 10_000 }).toEqual([]);
    const { rows } = await world.pool.query('select 1 from kyc_document');
    expect(rows).toEqual([]);
  }, 120_000);

  it('is called what it likes: the name goes nowhere', async () => {
    const picture = await samplePicture();
    const names = [
      ...['../../../../etc/passwd', '..\\..\\windows\\win.ini', '/etc/cron.d/x', 'a\0.jpg', 'x.jpg\r\nX-Evil: 1'],
      ...[
        '‮gpj.exe',
        '<script>.jpg',
        '%2e%2e%2fx',
        'con',
        '.',
        '..',
        ' ',
        'é'.repeat(3_000),
        "'; drop table kyc_document; --",
      ],
    ];
    for (const name of names) {
      const { status, body } = await send(documentForm('passport', picture, name, 'text/html'));
      expect([201, 400, 422], name).toContain(status);
      if (status === 201) await customer.ask('DELETE', `/v1/kyc/documents/${body.document_id}`);
    }
    await expect.poll(filesKept, { timeout: 10_000 }).toEqual([]);
    expect((await readdir(world.home)).filter((name) => name !== 'documents' && !name.startsWith('audit'))).toEqual([]);
  });

  it('is sent as a form with one file, of a type that there is, and not too large', async () => {
    const picture = await samplePicture();
    const two = documentForm('passport', picture);
    two.append('file', new Blob([new Uint8Array(picture)]), 'second.jpg');
    const more = documentForm('passport', picture);
    more.set('state', 'approved');
    const none = new FormData();
    none.set('type', 'passport');
    const large = documentForm('passport', Buffer.concat([picture, Buffer.alloc(10_000_000)]));
    const forms: [FormData, number[]][] = [
      ...([
        [two, [400, 422]],
        [more, [422]],
        [none, [422]],
        [large, [413]],
      ] as [FormData, number[]][]),
      [documentForm('driving_licence', picture), [422]],
      [documentForm('passport', Buffer.alloc(0)), [422]],
    ];
    for (const [form, statuses] of forms) expect(statuses).toContain((await send(form)).status);
    const raw = { body: { type: 'passport' }, headers: { 'content-type': 'application/json' } };
    expect(await customer.ask('POST', '/v1/kyc/documents', raw)).toMatchObject({ status: 415 });
    expect(await filesKept()).toEqual([]);
  });

  it('is not to be seen on the disk, where only noise is', async () => {
    const picture = await samplePicture();
    const { status, body } = await send(documentForm('passport', picture));
    expect(status).toBe(201);
    const [name, ...others] = await filesKept();
    expect(others).toEqual([]);
    const file = await readFile(join(world.home, 'documents', name ?? ''));
    // The begin of a JPEG with its first segment. Its three letters alone are in noise by chance, once in some hundred files of this length.
    const isPicture = (bytes: Buffer): boolean =>
      /\xff\xd8\xff[\xc4\xdb\xe0\xe1\xee]\0/u.test(bytes.toString('latin1'));
    expect([picture, file].map(isPicture)).toEqual([true, false]);
    await customer.ask('DELETE', `/v1/kyc/documents/${body.document_id}`);
    await expect.poll(filesKept, { timeout: 10_000 }).toEqual([]);
  });

  it('is told to come back where the disk takes nothing, and leaves no row', async () => {
    const documents = join(world.home, 'documents');
    await rename(documents, `${documents}-away`);
    await writeFile(documents, '');
    const reply = await send(documentForm('passport', await samplePicture()));
    expect(reply).toMatchObject({ status: 503, body: { type: 'urn:letsdial:problem:unavailable' } });
    await rm(documents);
    await rename(`${documents}-away`, documents);
    expect((await world.pool.query('select 1 from kyc_document')).rows).toEqual([]);
    expect(await filesKept()).toEqual([]);
  });
});
