import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { E164 } from '../../../domain/numbers/e164.ts';
import { PUMPING_DEFAULTS } from './pumping_settings.ts';
import { PumpingWatch, type PumpingVerdict } from './pumping_watch.ts';

const START = Date.UTC(2026, 0, 15);
const DAY_MS = 86_400_000;
const PRICE = PUMPING_DEFAULTS.dear_micros_per_segment;

/** Numbers that repeat from run to run: mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const number = (digits: number): E164 => `+${digits}` as E164;
/** Somebody among the subscribers of a country with so many blocks of ten thousand. */
const anybody = (random: () => number, blocks: number): number =>
  99_890_000_0000 + Math.floor(random() * blocks * 10_000);

interface Sender {
  watch: PumpingWatch;
  now_ms: number;
  account: string;
  price: number;
}

const sender = (more: Partial<Sender> = {}): Sender => ({
  ...{ watch: new PumpingWatch(PUMPING_DEFAULTS), now_ms: START, account: 'a', price: PRICE },
  ...more,
});

function send(one: Sender, digits: number, pause_ms: number, country = 'UZ'): PumpingVerdict {
  one.now_ms += pause_ms;
  return one.watch.judge(one.account, country, number(digits), one.price, one.now_ms);
}

/** How many texts it takes until one is held; null when none of them is. */
function heldAfter(texts: number, next: (text: number) => PumpingVerdict): number | null {
  for (let text = 1; text <= texts; text += 1) if (next(text).kind !== 'pass') return text;
  return null;
}

describe('an ordinary sender', () => {
  it('of codes to anybody in a country at a steady rate is not held, large or small, dear or cheap', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 2_000 }),
        fc.integer({ min: 40, max: 120_000 }),
        fc.integer({ min: 10_000, max: 150_000 }),
        fc.integer(),
        (blocks, mean_pause_ms, price, seed) => {
          const random = randomOf(seed);
          const one = sender({ price });
          const held = heldAfter(8_000, () =>
            send(one, anybody(random, blocks), -Math.log(1 - random()) * mean_pause_ms),
          );
          expect(held).toBeNull();
        },
      ),
      { numRuns: 25 },
    );
  });

  it('is not held by day after days with quiet nights, nor on a day of three times as many', () => {
    const random = randomOf(7);
    const one = sender({ price: PRICE / 2 });
    const day = (pause_ms: number): number | null => {
      const ends_ms = one.now_ms + DAY_MS;
      const texts = Math.floor((10 * 3_600_000) / pause_ms);
      const held = heldAfter(texts, () => send(one, anybody(random, 500), pause_ms));
      one.now_ms = ends_ms;
      return held;
    };
    expect([day(6_000), day(6_000), day(6_000), day(2_000), day(6_000)]).toEqual([null, null, null, null, null]);
  });

  it('is not held for people who ask for their code again and again', () => {
    const one = sender({ price: 2 * PRICE });
    expect(heldAfter(60, (text) => send(one, 99_890_123_0000 + (text % 2), 20_000))).toBeNull();
  });

  it('whose codes are entered about as often in each country is not held', () => {
    const random = randomOf(3);
    const one = sender();
    const held = heldAfter(6_000, (text) => {
      const country = text % 2 === 0 ? 'UZ' : 'DE';
      const verdict = send(one, anybody(random, 1_000), 500, country);
      if (random() < (country === 'UZ' ? 0.5 : 0.7)) one.watch.converted(one.account, country, one.now_ms);
      return verdict;
    });
    expect(held).toBeNull();
  });
});

describe('pumped codes', () => {
  it('to numbers in a row are held within 25 texts at a dear price, and 45 at any', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 0, max: 10_000 }),
        fc.constantFrom(-1, 1),
        (step, pause_ms, direction) => {
          const at = (text: number): number => 99_890_123_5000 + direction * text * step;
          const dear = sender();
          expect(heldAfter(25, (text) => send(dear, at(text), pause_ms))).not.toBeNull();
          const cheap = sender({ price: 1 });
          expect(heldAfter(45, (text) => send(cheap, at(text), pause_ms))).not.toBeNull();
        },
      ),
      { numRuns: 40 },
    );
  });

  it('in even steps through a country are held as well, and others to it pass', () => {
    const one = sender();
    expect(heldAfter(25, (text) => send(one, 99_890_000_0000 + text * 10_007, 1_000))).not.toBeNull();
    expect(send(one, 99_891_234_5678, 1_000).kind).toBe('pass');
  });

  it('to anybody within one block or two are held within 400 texts', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 }), fc.integer(), (blocks, seed) => {
        const random = randomOf(seed);
        const one = sender();
        expect(heldAfter(400, () => send(one, anybody(random, blocks), 1_000))).not.toBeNull();
      }),
      { numRuns: 20 },
    );
  });

  it('are found among ten times as many ordinary ones, which pass', () => {
    const random = randomOf(11);
    const one = sender();
    let next = 0;
    let pumped_held = 0;
    let others_held = 0;
    for (let text = 0; text < 6_000; text += 1) {
      if (text % 11 === 0) {
        next += 1 + Math.floor(random() * 5);
        if (send(one, 99_899_999_0000 + next, 500).kind !== 'pass') pumped_held += 1;
      } else if (send(one, anybody(random, 900), 500).kind !== 'pass') others_held += 1;
    }
    expect(pumped_held).toBeGreaterThan(480);
    expect(others_held).toBe(0);
  });

  it('are refused when they go on, and pass again some hours after they ended', () => {
    const one = sender();
    const kinds = Array.from({ length: 120 }, (_, text) => send(one, 99_890_123_0000 + text, 1_000).kind);
    expect(kinds.at(30)).toBe('hold');
    expect(kinds.at(-1)).toBe('refuse');
    expect(send(one, 99_890_123_0500, 4 * 3_600_000).kind).toBe('pass');
  });

  it('are held when a country suddenly gets far more than it usually does', () => {
    const random = randomOf(5);
    const one = sender();
    for (let text = 0; text < 2_880; text += 1) send(one, anybody(random, 800), 60_000);
    const held = heldAfter(2_000, () => send(one, anybody(random, 800), 500));
    expect(held).not.toBeNull();
    expect(held).toBeGreaterThan(300);
    expect(send(one, anybody(random, 800), 500)).toMatchObject({
      reason: expect.stringContaining('are usual') as string,
    });
  });

  it('are held when nobody enters them, where others do', () => {
    const random = randomOf(9);
    const one = sender();
    for (let text = 0; text < 500; text += 1) {
      send(one, anybody(random, 1_000), 1_000, 'DE');
      if (random() < 0.6) one.watch.converted(one.account, 'DE', one.now_ms);
    }
    const held = heldAfter(600, () => send(one, anybody(random, 1_000), 1_000));
    expect(held).not.toBeNull();
    expect(send(one, anybody(random, 1_000), 1_000)).toMatchObject({
      reason: expect.stringContaining('were entered at the login') as string,
    });
  });

  it('are held sooner the dearer they are', () => {
    const after = (price: number): number | null => {
      const one = sender({ price });
      return heldAfter(100, (text) => send(one, 99_890_123_0000 + text, 1_000));
    };
    const [cheap, dear, dearest] = [after(PRICE / 2), after(PRICE), after(PRICE * 2)];
    expect(cheap ?? 0).toBeGreaterThan(dear ?? 0);
    expect(dear ?? 0).toBeGreaterThan(dearest ?? 0);
  });

  it('are told in words with which a person can decide', () => {
    const one = sender();
    let verdict: PumpingVerdict = { kind: 'pass' };
    for (let text = 0; text < 25; text += 1) verdict = send(one, 99_890_123_0000 + text, 1_000);
    expect(verdict).toEqual({
      kind: 'hold',
      reason:
        'the login codes of this account to UZ look pumped (1.4 points, counted with a half-life of 30 minutes): ' +
        '24 went to neighbouring numbers of +99890123xxxx; 25 of 25 went to the one block +99890123xxxx; a segment costs 0.1',
    });
  });
});

describe('what is watched', () => {
  it('is of bounded size, and the account that was not seen for longest is forgotten', () => {
    const watch = new PumpingWatch({ ...PUMPING_DEFAULTS, countries_max: 50 });
    for (let account = 0; account < 500; account += 1) {
      send(sender({ watch, account: `account ${account}`, now_ms: START + account }), 99_890_000_0000, 0);
      send(sender({ watch, account: 'busy', now_ms: START + account * 120_000 }), 99_890_123_0000 + account * 500, 0);
      expect(watch.size).toBeLessThanOrEqual(50);
    }
    expect(watch.size).toBe(50);
  });

  it('is not forgotten of an account that is just sending, though it was seen first', () => {
    const watch = new PumpingWatch({ ...PUMPING_DEFAULTS, countries_max: 3 });
    const pumper = sender({ watch, account: 'pumper' });
    for (let text = 0; text < 30; text += 1) send(pumper, 99_890_123_0000 + text, 100);
    for (const account of ['b', 'c']) send(sender({ watch, account, now_ms: pumper.now_ms }), 99_890_000_0000, 0);
    send(pumper, 33_612_345_678, 100, 'FR');
    expect(watch.size).toBe(3);
    expect(send(pumper, 99_890_123_0030, 100).kind).toBe('hold');
  });

  it('keeps the accounts apart', () => {
    const watch = new PumpingWatch(PUMPING_DEFAULTS);
    const pumper = sender({ watch, account: 'pumper' });
    for (let text = 0; text < 200; text += 1) send(pumper, 99_890_123_0000 + text, 100);
    expect(send(sender({ watch, account: 'other', now_ms: pumper.now_ms }), 99_890_123_0201, 0).kind).toBe('pass');
  });
});
