import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Outage } from '../outage.ts';
import { reachableApt } from './reachable_apt.ts';

const ignored = (): void => undefined;
const progress = { step: ignored, portion: ignored, end: ignored, fail: ignored };

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'letsdial-archive-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** An archive that is whole but for who vouches for it: a release file and the index that it names, with the right checksum. */
async function archive(): Promise<{ mirror: string; release: string; suite_folder: string }> {
  const suite_folder = join(folder, 'archive/dists/trixie');
  const index = 'main/binary-amd64/Packages';
  await mkdir(join(suite_folder, 'main/binary-amd64'), { recursive: true });
  await writeFile(join(suite_folder, index), '');
  const checksum = createHash('sha256').update('').digest('hex');
  const release = [
    ...['Origin: Debian', 'Suite: stable', 'Codename: trixie', 'Architectures: amd64', 'Components: main'],
    ...[`Date: ${new Date().toUTCString()}`, 'SHA256:', ` ${checksum} 0 ${index}`, ''],
  ].join('\n');
  await writeFile(join(suite_folder, 'Release'), release);
  return { mirror: `file://${join(folder, 'archive')}`, release, suite_folder };
}

async function refusal(mirror: string): Promise<unknown> {
  const options = { mirror, suite: 'trixie', wanted: 'Postgres', progress };
  return reachableApt(join(folder, 'apt'), options).then(
    () => 'it was believed',
    (error: unknown) => error,
  );
}

it('takes nothing from an archive that nobody signed', async () => {
  const { mirror } = await archive();
  const error = await refusal(mirror);
  expect(error).toBeInstanceOf(Outage);
  expect(String(error)).toMatch(/not signed/u);
});

it('takes nothing from an archive whose signature is none of Debian’s', async () => {
  const { mirror, release, suite_folder } = await archive();
  const signature = Buffer.from('a signature of nobody').toString('base64');
  const signed = [
    ...['-----BEGIN PGP SIGNED MESSAGE-----', 'Hash: SHA256', '', release.trimEnd()],
    ...['-----BEGIN PGP SIGNATURE-----', '', signature, '-----END PGP SIGNATURE-----', ''],
  ];
  await writeFile(join(suite_folder, 'InRelease'), signed.join('\n'));
  const error = await refusal(mirror);
  expect(error).toBeInstanceOf(Outage);
  expect(String(error)).toMatch(/signature|signed|NODATA/iu);
});
