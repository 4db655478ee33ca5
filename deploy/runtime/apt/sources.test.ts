import { expect, test } from 'vitest';
import { debianMirrors, templateMirror } from './mirror.ts';
import { parseRelease } from './release.ts';
import { parseDeb822, parseOneLine } from './sources.ts';

const bookworm = { id: 'debian', codename: 'bookworm' };

test('one-line sources are read with their options, comments and source packages are not', () => {
  const text = [
    '# deb http://comment.example/debian bookworm main',
    'deb-src http://mirror.example/debian bookworm main',
    'deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian bookworm main contrib # ours',
    'deb http://plain.example/debian/ bookworm-updates main',
  ].join('\n');
  expect(parseOneLine(text)).toEqual([
    {
      uri: 'http://mirror.example/debian',
      suites: ['bookworm'],
      components: ['main', 'contrib'],
      signed_by: '/usr/share/keyrings/debian-archive-keyring.gpg',
    },
    { uri: 'http://plain.example/debian/', suites: ['bookworm-updates'], components: ['main'], signed_by: null },
  ]);
});

test('deb822 sources are read stanza by stanza; disabled ones and source packages are not', () => {
  const text = `Types: deb deb-src
# a comment inside
URIs: http://mirror.example/debian
 http://second.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb-src
URIs: http://source.example/debian
Suites: bookworm
Components: main
`;
  expect(parseDeb822(text).map(({ uri }) => uri)).toEqual([
    'http://mirror.example/debian',
    'http://second.example/debian',
  ]);
  expect(parseDeb822(text)[0]?.suites).toEqual(['bookworm', 'bookworm-updates']);
});

test("Debian's own archive is told from others that use its suite names", () => {
  const sources = [
    ...parseOneLine('deb https://vendor.example/oss/deb stable main'),
    ...parseOneLine('deb http://database.example/pub/repos/apt bookworm-pgdg main'),
    ...parseOneLine('deb http://mirror.example/debian-security bookworm-security main'),
    ...parseOneLine('deb http://mirror.example/debian-security bookworm main'),
    ...parseOneLine('deb http://plain.example/debian bookworm main'),
    ...parseOneLine(
      'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://odd.example/pub/d bookworm main',
    ),
  ];
  expect(debianMirrors(sources, bookworm)).toEqual(['http://odd.example/pub/d', 'http://plain.example/debian']);
});

test("the sources of another distribution are no mirror of Debian's", () => {
  const sources = parseOneLine('deb http://archive.example/debian noble main');
  expect(debianMirrors(sources, { id: 'ubuntu', codename: 'noble' })).toEqual([]);
});

test('the template of python-apt names the archive', () => {
  expect(templateMirror('Suite: sid\nBaseURI: https://archive.example/debian/\nMatchURI: x\n')).toBe(
    'https://archive.example/debian/',
  );
  expect(templateMirror('Suite: sid\n')).toBeNull();
});

test('os-release is read with and without quotes', () => {
  expect(parseRelease('NAME="Debian GNU/Linux"\nVERSION_CODENAME=bookworm\nID=debian\n')).toEqual(bookworm);
  expect(parseRelease('ID="arch"\n')).toEqual({ id: 'arch', codename: '' });
});
