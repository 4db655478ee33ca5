import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { brokenInvariants } from '../ledger/invariants.ts';
import { histories } from './testing/history.ts';
import type { History } from './testing/history.ts';
import { Player } from './testing/player.ts';
import { textBooks } from './testing/texts.ts';
import type { TextBooks } from './testing/texts.ts';

const HISTORIES = 504;
/** So many are played at the same time, each in a database of its own: a gateway that takes over finds all that others had. */
const TOGETHER = 4;

let all_books: TextBooks[];

beforeAll(async () => {
  all_books = await Promise.all(Array.from({ length: TOGETHER }, () => textBooks()));
});

afterAll(async () => {
  await Promise.all(all_books.map((books) => books.end()));
});

let played = 0;
const seen: Record<string, number> = {};

function count(word: unknown): void {
  for (const one of Array.isArray(word) ? word : [word]) seen[String(one)] = (seen[String(one)] ?? 0) + 1;
}

async function playHistory(books: TextBooks, history: History): Promise<void> {
  const player = await Player.begin(books, history);
  for (const choice of history.choices) {
    const told = await player.play(choice);
    expect(told.tables, choice.kind).toEqual(told.model);
    if (choice.kind !== 'claim' && choice.kind !== 'mark') count(told.tables);
    const stands = await player.standing();
    expect(stands.tables, `after ${choice.kind}`).toEqual(stands.model);
    for (const text of stands.tables.texts) count(text.split(' ')[1]);
  }
  await player.end();
  const stands = await player.standing();
  expect({ ...stands.tables, parked: 0 }).toEqual({ ...stands.model, parked: 0 });
  played += 1;
}

test(
  `tables and model agree on every verdict, every state and every balance, in ${HISTORIES} histories`,
  { timeout: 180_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(histories, { minLength: TOGETHER, maxLength: TOGETHER, size: 'max' }),
        async (together) => {
          await Promise.all(
            together.map(async (history, n) => {
              const books = all_books[n];
              if (books === undefined) throw new Error('there are too few books');
              await playHistory(books, history);
              expect(await brokenInvariants(books.pool)).toEqual([]);
            }),
          );
        },
      ),
      { numRuns: HISTORIES / TOGETHER, seed: 20_260_115, endOnFailure: true },
    );
    expect(played).toBe(HISTORIES);
    const verdicts = ['accepted', 'replay', 'key_conflict', 'no_money', 'sender_not_yours', 'opted_out', 'fenced'];
    const others = [
      'matched',
      'repeated',
      'parked',
      'cancelled',
      'not_found',
      'too_late',
      'released',
      'refused',
      'not_held',
    ];
    const states = [
      'queued',
      'scheduled',
      'held',
      'in_doubt',
      'submitted',
      'delivered',
      'undeliverable',
      'rejected',
      'expired',
    ];
    for (const word of [...verdicts, ...others, ...states])
      expect(seen[word] ?? 0, word).toBeGreaterThan(HISTORIES / 50);
  },
);
