import { expect, test } from 'vitest';
import { ALL_PARTS, archiveVersion, MAJORS, RECIPE, wrongMajors } from './parts.ts';
import { serves } from './stamp.ts';
import { wrapper } from './unpack.ts';

test('the version of an archive stands in its name, with the epoch escaped', () => {
  expect(archiveVersion('asterisk_1%3a22.10.1+dfsg-1_amd64.deb')).toEqual({
    name: 'asterisk',
    version: '1:22.10.1+dfsg-1',
  });
  expect(archiveVersion('partial')).toBeNull();
});

const good = {
  asterisk: '1:22.10.1+dfsg-1',
  'postgresql-18': '18.6-3',
  'valkey-server': '9.1.2-1',
  'sip-tester': '1:3.8.0-1',
  libfaketime: '0.9.12-0.2',
};

test('another major than the one this code knows is noticed, and so is a missing one', () => {
  expect(wrongMajors(ALL_PARTS, good)).toEqual([]);
  expect(wrongMajors(ALL_PARTS, { ...good, asterisk: '1:23.0.0-1' })).toEqual(['asterisk']);
  expect(wrongMajors(ALL_PARTS, { ...good, 'valkey-server': '10.0.0-1' })).toEqual(['valkey']);
  expect(wrongMajors(ALL_PARTS, {})).toEqual(ALL_PARTS);
  expect(MAJORS.postgres.accepted.test('180.1-1')).toBe(false);
});

test('a root serves when its recipe, machine and parts do', () => {
  const stamp = { recipe: RECIPE, architecture: 'x64', parts: ['valkey' as const, 'sipp' as const], versions: {} };
  expect(serves(stamp, ['sipp'], 'x64')).toBe(true);
  expect(serves(stamp, ['sipp', 'postgres'], 'x64')).toBe(false);
  expect(serves(stamp, ['sipp'], 'arm64')).toBe(false);
  expect(serves({ ...stamp, recipe: RECIPE - 1 }, ['sipp'], 'x64')).toBe(false);
  expect(serves(null, [], 'x64')).toBe(false);
});

test('a wrapper finds the root from its own path', () => {
  const script = wrapper('usr/sbin', { file: 'usr/lib64/ld-linux-x86-64.so.2', libraries: 'usr/lib/x86_64-linux-gnu' });
  expect(script).toContain('r=${b%/usr/sbin/*}');
  expect(script).toContain('"$b.elf" "$@"');
});
