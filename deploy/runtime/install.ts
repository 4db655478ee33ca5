import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { machineAsterisk, machinePostgres, machineValkey } from './machine/find_machine.ts';
import type { Programs, ServerName } from './machine/programs.ts';
import { Outage } from './outage.ts';
import { clusterMajor } from './postgres_cluster.ts';
import type { Progress } from './progress.ts';
import { ensureRoot } from './root/ensure_root.ts';
import { ALL_PARTS, POSTGRES_MAJOR } from './root/parts.ts';
import type { PartName } from './root/parts.ts';

export interface InstallOptions {
  /** The folder of this Letsdial's own files; the private root stands in its `root`. */
  home: string;
  /** `machine`: what the machine has is used, the rest is fetched. `private`: everything is fetched, so that versions are known. */
  prefer: 'machine' | 'private';
  /** Servers that run elsewhere and need no program here. */
  elsewhere: readonly ServerName[];
  cache: string | null;
  mirror: string | null;
  progress: Progress;
}

/** Finds every program, fetching what is missing. Paths of parts that run elsewhere point to where a fetched one would be. */
export async function install(options: InstallOptions): Promise<Programs> {
  const look = options.prefer === 'machine';
  const own = {
    postgres:
      look && wanted('postgres') ? await machinePostgres(await clusterMajor(join(options.home, 'postgres'))) : null,
    valkey: look && wanted('valkey') ? await machineValkey() : null,
    asterisk: look && wanted('asterisk') ? await machineAsterisk() : null,
  };
  const fetched = ALL_PARTS.filter((part) => needsFetching(part));
  const root = join(options.home, 'root');
  await ensureRoot({ ...options, folder: root, parts: fetched });
  const origin = (part: ServerName): 'machine' | 'private' => (own[part] === null ? 'private' : 'machine');
  return {
    postgres: own.postgres ?? { major: POSTGRES_MAJOR, folder: join(root, `usr/lib/postgresql/${POSTGRES_MAJOR}/bin`) },
    valkey_server: own.valkey ?? join(root, 'usr/bin/valkey-server'),
    asterisk: own.asterisk ?? {
      asterisk: join(root, 'usr/sbin/asterisk'),
      modules: join(root, 'usr/lib', await triplet(root), 'asterisk/modules'),
      data: join(root, 'usr/share/asterisk'),
    },
    sipp: join(root, 'usr/bin/sipp'),
    libfaketime: join(root, 'usr/lib', await triplet(root), 'faketime/libfaketimeMT.so.1'),
    origin: { postgres: origin('postgres'), valkey: origin('valkey'), asterisk: origin('asterisk') },
  };

  function wanted(part: ServerName): boolean {
    return !options.elsewhere.includes(part);
  }

  function needsFetching(part: PartName): boolean {
    if (part === 'sipp' || part === 'faketime') return true;
    return wanted(part) && own[part] === null;
  }
}

async function triplet(root: string): Promise<string> {
  const name = (await readdir(join(root, 'usr/lib'))).find((entry) => entry.endsWith('-linux-gnu'));
  if (name === undefined) throw new Outage(`${root} is damaged: delete it and start again.`);
  return name;
}
