import { describe, expect, it } from 'vitest';
import { hashPassword, isPassword, newPassword } from './bind_password.ts';

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

  it('is chosen by chance, and SMPP can carry it', async () => {
    const chosen = Array.from({ length: 200 }, newPassword);
    expect(new Set(chosen).size).toBe(chosen.length);
    for (const password of chosen) expect(password).toMatch(/^[A-Za-z2-9]{8}$/u);
    await expect(hashPassword(newPassword())).resolves.toContain('scrypt$');
  });
});
