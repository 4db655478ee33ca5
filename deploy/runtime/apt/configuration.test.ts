import { expect, test } from 'vitest';
import { aptFiles, carriedSettings, oneKeyring } from './configuration.ts';
import { downloadPortion } from './fetch.ts';

const armoured = (bytes: string): string =>
  `-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: x\n\n${Buffer.from(bytes).toString('base64')}\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n`;

test('several keys become one block that holds the bytes of all', () => {
  const lines = oneKeyring([armoured('first key '), armoured('second')]).split('\n');
  expect(Buffer.from(lines.slice(2, -1).join(''), 'base64').toString()).toBe('first key second');
});

test('everything apt reads and writes lies in the folder it is given, and the keys stand in the source', () => {
  const carried = ['Acquire::http::Proxy "http://proxy.example:3128";'];
  const plan = {
    folder: '/a b/apt',
    mirror: 'http://m.example/debian',
    suite: 'forky',
    keys: [armoured('k')],
    carried,
  };
  const { configuration, sources } = aptFiles(plan);
  for (const line of configuration.split('\n')) {
    const path = /^Dir::\S+ "(.*)";$/.exec(line)?.[1];
    if (path !== undefined) expect(path === '-' || path.startsWith('/a b/apt/')).toBe(true);
  }
  expect(configuration).toContain(carried[0]);
  expect(sources).toContain('\n .\n');
  expect(sources).toMatch(/^Suites: forky$/m);
});

test("of the machine's own settings only those that reach the archive are carried over", () => {
  const dump = [
    'Acquire "";',
    'Acquire::http::Proxy "http://proxy.example:3128";',
    'Acquire::http::Proxy::internal.example "DIRECT";',
    'Acquire::https "";',
    'Acquire::Languages:: "de";',
    'APT::Update::Post-Invoke:: "rm -rf /";',
  ].join('\n');
  expect(carriedSettings(dump)).toEqual([
    'Acquire::http::Proxy "http://proxy.example:3128";',
    'Acquire::http::Proxy::internal.example "DIRECT";',
  ]);
});

test('the progress of a download is read from the status lines', () => {
  expect(downloadPortion('dlstatus:3:41.5:Retrieving file 3 of 206')).toBeCloseTo(0.415);
  expect(downloadPortion('pmstatus:dpkg:50:x')).toBeNull();
});
