import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorCode } from '../outage.ts';
import { run } from '../process/run.ts';
import { debianMirrors, templateMirror } from './mirror.ts';
import { parseRelease } from './release.ts';
import { parseDeb822, parseOneLine } from './sources.ts';
import type { AptSource } from './sources.ts';

/**
 * Where this machine gets Debian's archive from, the likeliest first; empty when it does not say.
 * A Debian machine names its own mirror; another knows Debian's from the templates of python-apt.
 */
export async function machineMirrors(): Promise<string[]> {
  const release = parseRelease(await textOf('/etc/os-release'));
  const own = debianMirrors(await machineSources('/etc/apt'), release);
  if (own.length > 0) return own;
  const template = templateMirror(await debianTemplate());
  return template === null ? [] : [template];
}

async function machineSources(folder: string): Promise<AptSource[]> {
  const parts = await namesIn(join(folder, 'sources.list.d'));
  const files = [join(folder, 'sources.list'), ...parts.sort().map((name) => join(folder, 'sources.list.d', name))];
  const sources: AptSource[] = [];
  for (const file of files) {
    if (file.endsWith('.list')) sources.push(...parseOneLine(await textOf(file)));
    if (file.endsWith('.sources')) sources.push(...parseDeb822(await textOf(file)));
  }
  return sources;
}

const TEMPLATE = 'usr/share/python-apt/templates/Debian.info';

/** The template as installed, else out of the package, which Ubuntu has in its own archive; empty where neither is. */
async function debianTemplate(): Promise<string> {
  const installed = await textOf(join('/', TEMPLATE));
  if (installed !== '') return installed;
  const folder = await mkdtemp(join(tmpdir(), 'letsdial-template-'));
  try {
    const fetched = await run('apt-get', ['download', 'python-apt-common'], { cwd: folder });
    const archive = (await readdir(folder)).find((name) => name.endsWith('.deb'));
    if (fetched.code !== 0 || archive === undefined) return '';
    await run('dpkg-deb', ['-x', join(folder, archive), folder]);
    return await textOf(join(folder, TEMPLATE));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (absent(error)) return '';
    throw error;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (absent(error)) return [];
    throw error;
  }
}

/** A file that only its owner may read says as much as one that is not there. */
function absent(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES';
}
