import { mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fetchPackages } from '../apt/fetch.ts';
import type { PrivateApt } from '../apt/fetch.ts';
import { reachableApt } from '../apt/reachable_apt.ts';
import { Outage } from '../outage.ts';
import { requireSpace } from '../process/free_space.ts';
import { requireTools } from '../process/tools.ts';
import type { Progress } from '../progress.ts';
import { lock } from './lock.ts';
import { archiveVersion, PACKAGES, RECIPE, SUITE, wrongMajors } from './parts.ts';
import type { PartName } from './parts.ts';
import { readStamp, serves, writeStamp } from './stamp.ts';
import { finishRoot, unpackAll } from './unpack.ts';

export interface RootOptions {
  /** The folder the root is wanted in, `…/root`. */
  folder: string;
  parts: readonly PartName[];
  /** A folder in which finished roots are kept for other checkouts of this machine, or null. */
  cache: string | null;
  /** The archive to fetch from; null: the one this machine uses. */
  mirror: string | null;
  progress: Progress;
}

/** What 206 packages, their index and the unpacked files take at their most, with something to spare. */
const NEEDED_MB = 1000;

/** Makes sure that the private root holds `parts`, fetching what is missing. Needs no network when it already does. */
export async function ensureRoot(options: RootOptions): Promise<void> {
  if (serves(await readStamp(options.folder), options.parts, process.arch)) return;
  if (options.cache === null) return buildOnce(options.folder, options);
  const kept = join(options.cache, `root-${RECIPE}-${process.arch}`);
  await buildOnce(kept, options);
  await rm(options.folder, { recursive: true, force: true });
  await mkdir(dirname(options.folder), { recursive: true });
  await symlink(kept, options.folder);
}

async function buildOnce(folder: string, options: RootOptions): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const turn = await lock(folder, () => options.progress.step('Waiting for another process that installs the same'));
  try {
    // Another process may have built it while this one waited.
    const stamp = await readStamp(folder);
    if (serves(stamp, options.parts, process.arch)) return;
    // What an earlier root held is kept, so that two commands with different needs do not undo each other.
    const parts = [...new Set([...(stamp?.parts ?? []), ...options.parts])];
    await build(folder, { ...options, parts });
  } catch (error) {
    options.progress.fail();
    throw error;
  } finally {
    await turn.release();
  }
}

async function build(folder: string, options: RootOptions): Promise<void> {
  const { progress, parts } = options;
  await requireTools(['apt-get', 'apt-config', 'dpkg-deb', 'tar', 'bash']);
  await requireSpace(dirname(folder), NEEDED_MB);
  const work = `${folder}.apt`;
  const fresh = `${folder}.new`;
  await rm(fresh, { recursive: true, force: true });
  const apt = await reachableApt(work, { ...options, suite: SUITE, wanted: 'Postgres, Valkey and Asterisk' });
  const packages = parts.flatMap((part) => PACKAGES[part]);
  progress.step(`Fetching ${parts.join(', ')} from Debian ${SUITE}`);
  await fetchPackages(apt, packages, progress);
  await unpackUndamaged(apt, fresh, packages, progress);
  const versions = await fetchedVersions(apt);
  const wrong = wrongMajors(parts, versions);
  if (wrong.length > 0) {
    throw new Outage(
      `Debian ${SUITE} now carries another major version of ${wrong.join(', ')} than Letsdial knows, so it was not installed: update Letsdial, or install that part on the machine.`,
    );
  }
  await writeStamp(fresh, { recipe: RECIPE, architecture: process.arch, parts: [...parts], versions });
  await rm(folder, { recursive: true, force: true });
  await rename(fresh, folder);
  await rm(work, { recursive: true, force: true });
  progress.end();
}

const UNPACK_ATTEMPTS = 3;

/** apt does not notice a damaged package of the right size; unpacking does. Such a one is fetched again. */
async function unpackUndamaged(
  apt: PrivateApt,
  root: string,
  packages: readonly string[],
  progress: Progress,
): Promise<void> {
  let damaged: string[] = [];
  for (let attempt = 0; attempt < UNPACK_ATTEMPTS; attempt++) {
    progress.step('Unpacking');
    await rm(root, { recursive: true, force: true });
    damaged = await unpackAll(apt.archives, root, progress);
    if (damaged.length === 0) return finishRoot(root);
    progress.step(`Fetching ${damaged.length} damaged packages again`);
    await fetchPackages(apt, packages, progress);
  }
  throw new Outage(
    `The packages ${damaged.join(', ')} came damaged ${UNPACK_ATTEMPTS} times, so nothing was installed: check the disk and the network, and start again.`,
  );
}

async function fetchedVersions(apt: PrivateApt): Promise<Record<string, string>> {
  const archives = (await readdir(apt.archives)).map(archiveVersion).filter((archive) => archive !== null);
  return Object.fromEntries(archives.map(({ name, version }) => [name, version]));
}
