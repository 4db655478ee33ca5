import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PasswordHashing } from './password_hashing.ts';
import { requireStrength } from './password_strength.ts';

describe('hashing of passwords', () => {
  it('is right about each, however its letters were composed', async () => {
    const hashing = new PasswordHashing({ at_once: 2, waiting_max: 10 });
    const stored = await hashing.hash('Gr\u00fc\u00dfe vom Fl\u00fcsschen');
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/u);
    expect(await hashing.verify(stored, 'Gru\u0308\u00dfe vom Flu\u0308sschen')).toBe(true);
    expect(await hashing.verify(stored, 'Gruesse vom Fluesschen')).toBe(false);
    expect(await hashing.verify(null, 'Gr\u00fc\u00dfe vom Fl\u00fcsschen')).toBe(false);
  });

  it('lets a bounded number wait and refuses the rest at once, and nobody is left behind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 4 }), async (at_once, waiting_max) => {
        const hashing = new PasswordHashing({ at_once, waiting_max });
        // Its dummy is hashed with the first one that is verified.
        await hashing.verify(null, 'x');
        for (const round of [1, 2]) {
          const asked = at_once + waiting_max + 2;
          const results = await Promise.allSettled(Array.from({ length: asked }, () => hashing.hash(`x${round}`)));
          const refused = results.filter(({ status }) => status === 'rejected');
          expect(refused).toHaveLength(2);
          for (const one of refused) expect(one).toMatchObject({ reason: { problem: 'unavailable' } });
        }
      }),
      { numRuns: 6 },
    );
  });

  it('goes on after the first that was verified found no room', async () => {
    const hashing = new PasswordHashing({ at_once: 1, waiting_max: 0 });
    const busy = hashing.hash('x');
    await expect(hashing.verify(null, 'x')).rejects.toMatchObject({ problem: 'unavailable' });
    expect(await hashing.verify(await busy, 'x')).toBe(true);
  });

  it('is not even begun with what is soon guessed', () => {
    for (const weak of ['letmein123', 'Ada Example 1990', 'aaaaaaaaaaaaaaaa', '12345678901234']) {
      expect(() => requireStrength(weak, ['ada@example.org', 'Ada Example'])).toThrow(/soon guessed/u);
    }
    expect(() => requireStrength('seven quiet lanterns drift upstream', ['ada@example.org'])).not.toThrow();
    expect(() => requireStrength('x'.repeat(200), [])).toThrow(/soon guessed/u);
  });
});
