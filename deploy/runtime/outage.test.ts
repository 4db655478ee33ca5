import { writeFile } from 'node:fs/promises';
import pg from 'pg';
import { expect, it } from 'vitest';
import { explainError, Outage } from './outage.ts';

/** As Node makes it. */
function systemError(code: string, path?: string): Error {
  return Object.assign(new Error(`${code}: refused, open`), { code, syscall: 'open', ...(path && { path }) });
}

/** As Postgres reports it; Knex puts the statement before its message. */
function databaseError(code: string, message: string, statement = ''): Error {
  const error = new pg.DatabaseError(message, message.length, 'error');
  error.code = code;
  error.message = statement + message;
  return error;
}

/** One sentence on one line, which ends with what to do. */
const ONE_SENTENCE = /^[^\n]+, so [^\n]+: [^\n]+\.$/u;
const HOME = '/srv/letsdial/log';

it.each<[Error, RegExp]>([
  [systemError('ENOSPC', HOME), /^The disk that holds \/srv\/letsdial\/log is full .*: free some space/],
  [systemError('EDQUOT', HOME), /quota .* where \/srv\/letsdial\/log lies .*: delete some .* have the quota raised/],
  [systemError('EDQUOT'), /^The disk quota of this user is used up \(EDQUOT\)/],
  [systemError('EACCES', HOME), /^This user may not use \/srv\/letsdial\/log \(EACCES\).*: give this user the right/],
  [systemError('EPERM', HOME), /^This user may not use \/srv\/letsdial\/log \(EPERM\).*: give this user the right/],
  [
    systemError('EROFS', HOME),
    /^\/srv\/letsdial\/log lies on a file system that can only be read .*: mount it writable/,
  ],
  [systemError('EROFS'), /^What Letsdial writes to lies on a file system that can only be read/],
  [databaseError('42501', 'permission denied for schema public'), /\(permission denied for schema public\).*: grant/],
  [databaseError('53100', 'could not extend file "base/1/2"'), /^The disk of Postgres is full \(could not extend/],
])('%s is explained in one sentence', (error, words) => {
  expect(explainError(error)).toMatch(words);
  expect(explainError(error)).toMatch(ONE_SENTENCE);
});

it('a write to a full disk, which names no file, is explained as well', async () => {
  const error: unknown = await writeFile('/dev/full', 'something').catch((refused: unknown) => refused);
  expect(explainError(error)).toMatch(/^The disk that Letsdial writes to is full \(ENOSPC\)/);
});

it('a migration that is refused does not show all of its statements', () => {
  const error = databaseError('42501', 'permission denied to create role', 'create table a (b int);\ncreate role c - ');
  expect(explainError(error)).toMatch(
    /^Postgres refuses what its user may not do \(permission denied to create role\)/,
  );
});

it('an outage explains itself, and what is a bug shows where it was', () => {
  expect(explainError(new Outage('The line is cut.'))).toBe('The line is cut.');
  for (const bug of [new TypeError('x is not a function'), systemError('EACCES'), systemError('toString', HOME)]) {
    expect(explainError(bug)).toContain('outage.test.ts');
  }
  expect(explainError('a text')).toBe('a text');
});
