/** What can be fetched into the private root. `sipp` and `faketime` are for the demo, the tests and the benchmarks. */
export type PartName = 'postgres' | 'valkey' | 'asterisk' | 'sipp' | 'faketime';

export const ALL_PARTS: readonly PartName[] = ['postgres', 'valkey', 'asterisk', 'sipp', 'faketime'];

/** The only suite that carries Asterisk 22. It moves, so the majors are checked after unpacking. */
export const SUITE = 'forky';

/** Raised whenever unpacking changes, so that an older root is built anew. */
export const RECIPE = 1;

export const POSTGRES_MAJOR = 18;

export const PACKAGES: Readonly<Record<PartName, readonly string[]>> = {
  postgres: [`postgresql-${POSTGRES_MAJOR}`],
  valkey: ['valkey-server'],
  asterisk: [
    'asterisk',
    'asterisk-modules',
    'asterisk-config',
    'asterisk-core-sounds-en-gsm',
    'asterisk-core-sounds-en-wav',
  ],
  sipp: ['sip-tester'],
  faketime: ['libfaketime'],
};

/** The package whose version speaks for the part, and the versions that are accepted of it. */
export const MAJORS: Readonly<Record<PartName, { package: string; accepted: RegExp }>> = {
  postgres: { package: `postgresql-${POSTGRES_MAJOR}`, accepted: new RegExp(`^${POSTGRES_MAJOR}[.~]`) },
  valkey: { package: 'valkey-server', accepted: /^(8|9)\./ },
  asterisk: { package: 'asterisk', accepted: /^1:22\./ },
  sipp: { package: 'sip-tester', accepted: /^1:3\.|^3\./ },
  faketime: { package: 'libfaketime', accepted: /^0\./ },
};

/** The parts of `wanted` whose fetched version is of another major than this code was written for. */
export function wrongMajors(wanted: readonly PartName[], versions: Readonly<Record<string, string>>): PartName[] {
  return wanted.filter((part) => !MAJORS[part].accepted.test(versions[MAJORS[part].package] ?? ''));
}

/** Reads name and version from `NAME_VERSION_ARCH.deb`; apt writes `:` as `%3a` there. */
export function archiveVersion(file: string): { name: string; version: string } | null {
  const match = /^([^_]+)_([^_]+)_[^_]+\.deb$/.exec(file);
  if (match?.[1] === undefined || match[2] === undefined) return null;
  return { name: match[1], version: decodeURIComponent(match[2]) };
}
