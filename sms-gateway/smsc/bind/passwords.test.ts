import { describe, expect, it } from 'vitest';
import { hashPassword } from '../../../domain/texts/esmes/bind_password.ts';
import { Passwords } from './passwords.ts';

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
