import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Outage } from '../outage.ts';
import type { Progress } from '../progress.ts';
import { diskFull } from '../process/free_space.ts';
import { run } from '../process/run.ts';
import type { Finished } from '../process/run.ts';
import { aptFiles, carriedSettings } from './configuration.ts';

const KEYS = ['debian-archive-trixie-automatic.asc', 'debian-archive-bookworm-automatic.asc'];

/** An apt of its own in a folder of its own. */
export interface PrivateApt {
  folder: string;
  /** Where the fetched packages lie. */
  archives: string;
  env: NodeJS.ProcessEnv;
}

export async function prepareApt(folder: string, mirror: string, suite: string): Promise<PrivateApt> {
  const archives = join(folder, 'cache/archives');
  for (const sub of ['state/lists/partial', 'cache/archives/partial', 'log', 'none']) {
    await mkdir(join(folder, sub), { recursive: true });
  }
  const keys = await Promise.all(KEYS.map((name) => readFile(new URL(`../keys/${name}`, import.meta.url), 'utf8')));
  const carried = carriedSettings((await run('apt-config', ['dump'])).stdout);
  const files = aptFiles({ folder, mirror, suite, keys, carried });
  await writeFile(join(folder, 'apt.conf'), files.configuration);
  await writeFile(join(folder, 'debian.sources'), files.sources);
  await writeFile(join(folder, 'none.conf'), '');
  await writeFile(join(folder, 'state/status'), '');
  return { folder, archives, env: { ...process.env, APT_CONFIG: join(folder, 'apt.conf'), LC_ALL: 'C' } };
}

/** Reads the index of the archive; throws an `Outage` where it cannot be had or is not signed by Debian. */
export async function updateIndex(apt: PrivateApt, progress: Progress): Promise<void> {
  const done = await aptGet(apt, ['-o', 'APT::Update::Error-Mode=any', 'update'], progress);
  if (done.code === 0) return;
  throw aptOutage(apt, done, 'The index of the Debian archive could not be read');
}

/** Fetches the packages and all they depend on, without installing them. What was fetched before is not fetched again. */
export async function fetchPackages(apt: PrivateApt, packages: readonly string[], progress: Progress): Promise<void> {
  // An interrupted run of an earlier day may have left versions that the archive has replaced since.
  await aptGet(apt, ['autoclean'], progress);
  const done = await aptGet(apt, ['-y', '-d', 'install', ...packages], progress);
  if (done.code === 0) return;
  throw aptOutage(apt, done, 'The packages could not be fetched');
}

function aptGet(apt: PrivateApt, args: readonly string[], progress: Progress): Promise<Finished> {
  return run('apt-get', ['-q', '-o', 'APT::Status-Fd=3', ...args], {
    env: apt.env,
    onStatus: (line) => {
      const portion = downloadPortion(line);
      if (portion !== null) progress.portion(portion);
    },
  });
}

/** The portion in a line such as `dlstatus:3:41.5:Retrieving file 3 of 206`, else null. */
export function downloadPortion(line: string): number | null {
  const percent = /^dlstatus:\d+:([\d.]+):/.exec(line)?.[1];
  return percent === undefined ? null : Number(percent) / 100;
}

function aptOutage(apt: PrivateApt, done: Finished, what: string): Outage {
  if (/No space left on device/i.test(done.stderr)) return diskFull(apt.folder, 'fetching the Debian packages');
  const reason = /^[EW]: (.*)$/m.exec(done.stderr)?.[1] ?? `apt-get ended with ${done.code}`;
  return new Outage(
    `${what} (${reason.replace(/[.\s]+$/, '')}), so Postgres, Valkey and Asterisk cannot be installed: check the network, or name a reachable Debian mirror in DEBIAN_MIRROR, and start again.`,
  );
}
