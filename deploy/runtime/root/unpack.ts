import { chmod, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { diskFull } from '../process/free_space.ts';
import { Outage } from '../outage.ts';
import type { Progress } from '../progress.ts';
import { run } from '../process/run.ts';

const LEFT_OUT = [
  './usr/share/doc',
  './usr/share/man',
  './usr/share/locale',
  './usr/share/info',
  './usr/share/lintian',
  './usr/lib/*/perl*',
  './usr/lib/*/gconv',
];

// bash, for dash has no pipefail and a damaged package would pass unseen.
const UNPACK =
  'set -o pipefail; a=$1; r=$2; shift 2; dpkg-deb --fsys-tarfile "$a" | tar -x -C "$r" --no-same-owner "$@"';

/** Unpacks every archive of `archives` into `root`, two at a time. Returns those that were damaged; they are deleted. */
export async function unpackAll(archives: string, root: string, progress: Progress): Promise<string[]> {
  const waiting = (await readdir(archives)).filter((name) => name.endsWith('.deb')).sort();
  const all = waiting.length;
  const damaged: string[] = [];
  await mkdir(root, { recursive: true });
  const worker = async (): Promise<void> => {
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      const archive = join(archives, name);
      if (!(await unpack(archive, root))) {
        await rm(archive);
        damaged.push(name);
      }
      progress.portion((all - waiting.length) / all);
    }
  };
  await Promise.all([worker(), worker()]);
  return damaged;
}

async function unpack(archive: string, root: string): Promise<boolean> {
  const excluded = LEFT_OUT.map((path) => `--exclude=${path}`);
  const done = await run('bash', ['-c', UNPACK, 'unpack', archive, root, ...excluded]);
  if (/No space left on device|Disk quota exceeded/i.test(done.stderr)) throw diskFull(root, 'unpacking the packages');
  return done.code === 0;
}

/** What each package's own installation script would have done, as far as the programs here need it. */
export async function finishRoot(root: string): Promise<void> {
  const done = await run('chmod', ['-R', 'u+rwX,go+rX', root]);
  if (done.code !== 0) throw new Outage(`The files under ${root} could not be made readable (${done.stderr.trim()}).`);
  const sounds = join(root, 'usr/share/asterisk/sounds');
  if (await exists(join(sounds, 'en_US_f_Allison'))) {
    await rm(join(sounds, 'en'), { recursive: true, force: true });
    await symlink('en_US_f_Allison', join(sounds, 'en'));
  }
  for (const folder of ['usr/bin', 'usr/sbin']) await wrap(root, folder, WRAPPED);
  for (const version of await entries(join(root, 'usr/lib/postgresql'))) {
    await wrap(root, `usr/lib/postgresql/${version}/bin`, null);
  }
}

/** Programs outside Postgres' own folder that are run from here. */
const WRAPPED = ['asterisk', 'valkey-server', 'valkey-cli', 'sipp'];

/**
 * Puts a script in the place of each program that starts it with the root's own loader and libraries: the machine's
 * libc may be older than the program wants. The program keeps its path as its name, by which Postgres finds its siblings.
 */
async function wrap(root: string, folder: string, only: readonly string[] | null): Promise<void> {
  const loader = await loaderOf(root);
  for (const name of await entries(join(root, folder))) {
    if (name.endsWith('.elf') || (only !== null && !only.includes(name))) continue;
    const program = join(root, folder, name);
    await rename(program, `${program}.elf`);
    await writeFile(program, wrapper(folder, loader));
    await chmod(program, 0o755);
  }
}

export function wrapper(folder: string, loader: Loader): string {
  return `#!/bin/sh
b=$0; r=\${b%/${folder}/*}
exec "$r/${loader.file}" --library-path "$r/${loader.libraries}" --argv0 "$b" "$b.elf" "$@"
`;
}

/** Paths inside the root. */
export interface Loader {
  file: string;
  libraries: string;
}

async function loaderOf(root: string): Promise<Loader> {
  const libraries = (await entries(join(root, 'usr/lib'))).find((name) => name.endsWith('-linux-gnu'));
  for (const folder of ['usr/lib64', 'usr/lib']) {
    const file = (await entries(join(root, folder))).find((name) => /^ld-linux-.*\.so\.\d+$/.test(name));
    if (file !== undefined && libraries !== undefined) {
      return { file: `${folder}/${file}`, libraries: `usr/lib/${libraries}` };
    }
  }
  throw new Outage(
    `The packages under ${root} hold no loader for this machine, so nothing in them can run: Letsdial knows amd64 and arm64.`,
  );
}

async function exists(path: string): Promise<boolean> {
  return (await run('test', ['-e', path])).code === 0;
}

async function entries(folder: string): Promise<string[]> {
  return (await exists(folder)) ? (await readdir(folder)).sort() : [];
}
