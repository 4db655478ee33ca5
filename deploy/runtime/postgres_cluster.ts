import { chown, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PostgresPrograms } from './machine/programs.ts';
import { errorCode, Outage } from './outage.ts';
import { diskFull, requireSpace } from './process/free_space.ts';
import type { Identity } from './process/identity.ts';
import { run } from './process/run.ts';

export interface ClusterOptions {
  programs: PostgresPrograms;
  data: string;
  password: string;
  superuser: string;
  identity: Identity;
  /** False where nothing is lost by a cluster that a power cut would spoil. */
  sync: boolean;
}

/** A fresh cluster takes 40 MB; the write-ahead log then grows to some hundred. */
const NEEDED_MB = 200;

/** Makes the cluster when there is none; refuses one of another major version, which this Postgres could not read. */
export async function prepareCluster(options: ClusterOptions): Promise<void> {
  const major = await clusterMajor(options.data);
  if (major === null) {
    await requireSpace(dirname(options.data), NEEDED_MB);
    await initdb(options);
  } else if (major !== options.programs.major) {
    throw new Outage(
      `The data in ${options.data} was written by Postgres ${major} and here is Postgres ${options.programs.major}, so it cannot be opened: install Postgres ${major}, or upgrade the data with pg_upgrade.`,
    );
  }
  const { owner_uid } = options.identity;
  if ((await stat(options.data)).uid !== owner_uid)
    await run('chown', ['-R', `${owner_uid}:${owner_uid}`, options.data]);
}

/** The major version that wrote the cluster in `data`; null where there is none. */
export async function clusterMajor(data: string): Promise<number | null> {
  try {
    return Number.parseInt(await readFile(join(data, 'PG_VERSION'), 'utf8'), 10);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Works beside the place and renames, so that an interrupted run leaves no half cluster. */
async function initdb({ programs, data, password, superuser, identity, sync }: ClusterOptions): Promise<void> {
  const fresh = `${data}.new`;
  const password_file = join(fresh, '..', 'initdb-password');
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true, mode: 0o700 });
  await writeFile(password_file, password, { mode: 0o600 });
  if (identity.owner_uid !== (process.getuid?.() ?? 0)) {
    for (const path of [fresh, password_file]) await chown(path, identity.owner_uid, identity.owner_uid);
  }
  const args = [
    '-D',
    fresh,
    '-U',
    superuser,
    '-A',
    'scram-sha-256',
    `--pwfile=${password_file}`,
    '-E',
    'UTF8',
    '--locale=C',
  ];
  const [file = '', ...rest] = [
    ...identity.prefix,
    join(programs.folder, 'initdb'),
    ...args,
    ...localeArgs(programs.major),
    ...(sync ? [] : ['--no-sync']),
  ];
  const done = await run(file, rest, { env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'GMT' }, cwd: '/' });
  await rm(password_file, { force: true });
  if (done.code === 0) return rename(fresh, data);
  await rm(fresh, { recursive: true, force: true });
  if (/No space left on device/i.test(done.stderr)) throw diskFull(data, 'making the database');
  throw new Outage(
    `The database could not be made in ${data} (initdb: ${done.stderr.trim().split('\n').at(-1) ?? ''}).`,
  );
}

/** From 17 on Postgres brings a Unicode locale of its own, which needs nothing of the machine's. */
function localeArgs(major: number): string[] {
  return major >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : [];
}
