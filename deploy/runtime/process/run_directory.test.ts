import { expect, test } from 'vitest';
import { runDirectoryPath } from './run_directory.ts';

test('sockets lie in the home, or in the temporary folder where the path would be too long for one', () => {
  expect(runDirectoryPath('/home/ann/letsdial/.letsdial', '/tmp')).toBe('/home/ann/letsdial/.letsdial/run');
  const deep = `/home/${'deep/'.repeat(20)}.letsdial`;
  const short = runDirectoryPath(deep, '/tmp');
  expect(short).toMatch(/^\/tmp\/letsdial-[0-9a-f]{16}$/);
  expect(runDirectoryPath(`${deep}2`, '/tmp')).not.toBe(short);
});

test('length counts in bytes, and the longest name still fits into 107', () => {
  const longest = `/${'x'.repeat(82)}`;
  expect(`${runDirectoryPath(longest, '/tmp')}/.s.PGSQL.65535.lock`).toHaveLength(107);
  expect(runDirectoryPath(`${longest}x`, '/tmp')).toMatch(/^\/tmp\//);
  expect(runDirectoryPath(`/${'ä'.repeat(60)}`, '/tmp')).toMatch(/^\/tmp\//);
});
