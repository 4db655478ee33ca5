import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fetchPackages } from '../runtime/apt/fetch.ts';
import type { PrivateApt } from '../runtime/apt/fetch.ts';
import { reachableApt } from '../runtime/apt/reachable_apt.ts';
import { errorCode, Outage } from '../runtime/outage.ts';
import type { Command } from '../runtime/process/guard.ts';
import { requireSpace } from '../runtime/process/free_space.ts';
import { run } from '../runtime/process/run.ts';
import { executable, findTool, requireTools } from '../runtime/process/tools.ts';
import type { Progress } from '../runtime/progress.ts';
import { lock } from '../runtime/root/lock.ts';
import { SUITE } from '../runtime/root/parts.ts';
import { unpackAll } from '../runtime/root/unpack.ts';

/** How the two programs of Kannel are begun, wherever they were found. */
export interface KannelPrograms {
  bearerbox: Command;
  smsbox: Command;
  env: NodeJS.ProcessEnv;
}

export interface KannelInstall {
  /** The folder of this Letsdial's own files. */
  home: string;
  /** A folder in which fetched programs are kept for other checkouts of this machine, or null. */
  cache: string | null;
  /** The archive to fetch from; null: the one this machine uses. */
  mirror: string | null;
  progress: Progress;
}

export type FoundKannel = { kind: 'found'; programs: KannelPrograms } | { kind: 'missing'; why: string };

/** What 62 packages, their index and the unpacked files take, with something to spare. */
const NEEDED_MB = 500;

/**
 * The machine's Kannel, else one from Debian in a root of its own, fetched once. Where neither is to be had, `why` says so in
 * one line; a test can then tell that it did not run, for Letsdial itself does not need a Kannel.
 */
export async function findKannel(options: KannelInstall): Promise<FoundKannel> {
  const [bearerbox, smsbox] = [await findTool('bearerbox'), await findTool('smsbox')];
  if (bearerbox !== null && smsbox !== null) {
    return {
      kind: 'found',
      programs: { bearerbox: { file: bearerbox, args: [] }, smsbox: { file: smsbox, args: [] }, env: process.env },
    };
  }
  const root = join(options.cache ?? options.home, `kannel-${process.arch}`);
  try {
    await ensureKannel(root, options);
  } catch (error) {
    options.progress.fail();
    if (!(error instanceof Outage)) throw error;
    // The rest of apt's sentence is about the programs that Letsdial itself cannot be without.
    const [reason = ''] = error.message.split(', so ', 1);
    return { kind: 'missing', why: `Kannel is not on this machine and could not be fetched from Debian: ${reason}` };
  }
  return { kind: 'found', programs: await programsIn(root) };
}

async function ensureKannel(root: string, options: KannelInstall): Promise<void> {
  await mkdir(dirname(root), { recursive: true });
  const turn = await lock(root, () => options.progress.step('Waiting for another process that installs Kannel'));
  try {
    // It got this name when it was finished.
    if (await executable(join(root, BEARERBOX))) return;
    await build(root, options);
  } finally {
    await turn.release();
  }
}

async function build(root: string, { mirror, progress }: KannelInstall): Promise<void> {
  await requireTools(['apt-get', 'apt-config', 'dpkg-deb', 'tar', 'bash']);
  await requireSpace(dirname(root), NEEDED_MB);
  const [work, fresh] = [`${root}.apt`, `${root}.new`];
  const apt = await reachableApt(work, { mirror, suite: SUITE, progress, wanted: 'Kannel' });
  progress.step(`Fetching Kannel from Debian ${SUITE}`);
  await fetchPackages(apt, ['kannel'], progress);
  await rm(fresh, { recursive: true, force: true });
  const damaged = await unpackAll(apt.archives, fresh, progress);
  if (damaged.length > 0) throw new Outage(`The packages ${damaged.join(', ')} came damaged: start again.`);
  await unpackCharacterSets(apt, fresh);
  await rename(fresh, root);
  await rm(work, { recursive: true, force: true });
  progress.end();
}

/** Roots are unpacked without them, and without them Kannel makes no UTF-16 of a text. They come with the C library. */
async function unpackCharacterSets(apt: PrivateApt, root: string): Promise<void> {
  for (const archive of (await readdir(apt.archives)).filter((name) => name.startsWith('libc6_'))) {
    const done = await run('dpkg-deb', ['-x', join(apt.archives, archive), root]);
    if (done.code !== 0) throw new Outage(`${archive} could not be unpacked (${done.stderr.trim()}): start again.`);
  }
}

const BEARERBOX = 'usr/sbin/bearerbox';
const SMSBOX = 'usr/sbin/smsbox';

/** They run with the root's own loader and libraries, for the machine's libc may be older than they want. */
async function programsIn(root: string): Promise<KannelPrograms> {
  const libraries = (await readdir(join(root, 'usr/lib'))).find((name) => name.endsWith('-linux-gnu'));
  const folders = [join(root, 'usr/lib64'), join(root, 'usr/lib')];
  const loaders = (await Promise.all(folders.map(loadersIn))).flat();
  const [loader] = loaders;
  if (libraries === undefined || loader === undefined) {
    throw new Outage(`${root} is damaged: delete it and start again.`);
  }
  const library_path = join(root, 'usr/lib', libraries);
  const begun = (program: string): Command => ({
    file: loader,
    args: ['--library-path', library_path, join(root, program)],
  });
  const env = { ...process.env, GCONV_PATH: join(library_path, 'gconv') };
  return { bearerbox: begun(BEARERBOX), smsbox: begun(SMSBOX), env };
}

/** None where there is no such folder: each architecture has its own. */
async function loadersIn(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder);
    return names.filter((name) => /^ld-linux-.*\.so\.\d+$/u.test(name)).map((name) => join(folder, name));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
