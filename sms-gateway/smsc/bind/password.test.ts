import { describe, expect, it } from 'vitest';
import { hashPassword, isPassword, Passwords } from './password.ts';

describe('a stored password', () => {
  it('is right for the password that it was made of, and for no other', async () => {
    const stored = await hashPassword('geheim 1');
    expect(stored).toMatch(/^scrypt\$16384\$8\$1\$/u);
    expect(await isPassword('geheim 1', stored)).toBe(true);
    expect(await isPassword('geheim 2', stored)).toBe(false);
    expect(await isPassword('', stored)).toBe(false);
  });

  it('is another one each time', async () => {
    expect(await hashPassword('secret')).not.toBe(await hashPassword('secret'));
  });

  it('is checked with the cost that it was made with', async () => {
    const cheap = 'scrypt$16$1$1$c2FsdHNhbHRzYWx0c2FsdA$vzU1FXX3LQNlfvMCRe3UN6yHXSPYQnKJv4Zf2rSgUYk';
    expect(await isPassword('secret', cheap)).toBe(false);
    await expect(isPassword('secret', 'plain')).rejects.toThrow('has not the shape of one');
  });

  it.each(['', 'ninechars', 'größe'])('is not made of what SMPP cannot carry: %s', async (password) => {
    await expect(hashPassword(password)).rejects.toThrow('1 to 8 characters');
  });
});

describe('the check of passwords', () => {
  it('remembers what was right, and still refuses what is not', async () => {
    const passwords = new Passwords();
    const stored = await hashPassword('secret');
    expect(await passwords.check('secret', stored)).toBe('right');
    expect(await passwords.check('secret', stored)).toBe('right');
    expect(await passwords.check('secrets', stored)).toBe('wrong');
    expect(await passwords.check('secret', await hashPassword('other'))).toBe('wrong');
  });

  it('finds nothing right for nobody', async () => {
    expect(await new Passwords().check('secret', null)).toBe('wrong');
  });

  it('takes no more than a few at once, and whose password is known by then all the same', async () => {
    const passwords = new Passwords({ waiting_max: 1 });
    const stored = await hashPassword('secret');
    expect(await passwords.check('secret', stored)).toBe('right');
    const guesses = Array.from({ length: 6 }, (_, n) => passwords.check(`guess ${n}`, stored));
    expect(await passwords.check('secret', stored)).toBe('right');
    const verdicts = await Promise.all(guesses);
    expect(verdicts.toSorted()).toEqual(['busy', 'busy', 'busy', 'wrong', 'wrong', 'wrong']);
  });
});
