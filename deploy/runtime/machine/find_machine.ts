import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode } from '../outage.ts';
import { run } from '../process/run.ts';
import { executable, findTool } from '../process/tools.ts';
import type { AsteriskPrograms, PostgresPrograms } from './programs.ts';
import { ASTERISK_MAJOR, asteriskMajor, postgresMajor, redisMajor } from './versions.ts';

const POSTGRES_MAJOR_MIN = 15;
const REDIS_MAJOR_MIN = 6;

/**
 * The newest Postgres of this machine that is new enough, or null. Debian keeps them off PATH.
 * Only the major version that wrote existing data can open it: `data_major`, null where there is none yet.
 */
export async function machinePostgres(data_major: number | null): Promise<PostgresPrograms | null> {
  const on_path = await findTool('postgres');
  const folders = (await namesIn('/usr/lib/postgresql')).map((version) => join('/usr/lib/postgresql', version, 'bin'));
  if (on_path !== null) folders.push(dirname(on_path));
  const found: PostgresPrograms[] = [];
  for (const folder of folders) {
    if (!(await executable(join(folder, 'initdb'))) || !(await executable(join(folder, 'postgres')))) continue;
    const major = postgresMajor((await run(join(folder, 'postgres'), ['--version'])).stdout);
    if (major !== null && major >= POSTGRES_MAJOR_MIN && major === (data_major ?? major)) found.push({ major, folder });
  }
  return found.sort((a, b) => b.major - a.major)[0] ?? null;
}

/** A Valkey or Redis of this machine, or null. */
export async function machineValkey(): Promise<string | null> {
  for (const name of ['valkey-server', 'redis-server']) {
    const file = await findTool(name);
    if (file === null) continue;
    const major = redisMajor((await run(file, ['--version'])).stdout);
    if (major !== null && major >= REDIS_MAJOR_MIN) return file;
  }
  return null;
}

/** Modules that a build of Asterisk may lack, and without which phones in Postgres, records or ARI do not work. */
const RARE_MODULES = [
  'chan_pjsip',
  'res_config_pgsql',
  'res_sorcery_realtime',
  'res_sorcery_memory_cache',
  'res_sorcery_astdb',
  'res_websocket_client',
  'res_cdrel_custom',
  'cdr_custom',
  'codec_opus_open_source',
  'res_ari_channels',
  'res_srtp',
];

/** The machine's Asterisk where it is of the right major and has every module that is needed, or null. */
export async function machineAsterisk(): Promise<AsteriskPrograms | null> {
  const asterisk = await findTool('asterisk');
  if (asterisk === null) return null;
  if (asteriskMajor((await run(asterisk, ['-V'])).stdout) !== ASTERISK_MAJOR) return null;
  const data = '/usr/share/asterisk';
  if (!(await namesIn(join(data, 'sounds'))).includes('en')) return null;
  const libraries = (await namesIn('/usr/lib')).filter((name) => name.endsWith('-linux-gnu'));
  for (const folder of [
    ...libraries.map((name) => join('/usr/lib', name, 'asterisk/modules')),
    '/usr/lib/asterisk/modules',
  ]) {
    const modules = new Set(await namesIn(folder));
    if (RARE_MODULES.every((name) => modules.has(`${name}.so`))) return { asterisk, modules: folder, data };
  }
  return null;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
