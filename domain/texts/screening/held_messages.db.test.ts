import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokenInvariants } from '../../ledger/invariants.ts';
import { acceptMessages, type NewMessage } from '../accept_messages.ts';
import { decideHeldMessage } from '../decisions.ts';
import { recordOutcomes } from '../outcomes.ts';
import { submitted, textBooks, type TextBooks } from '../testing/texts.ts';
import { heldCounts, heldMessages } from './held_messages.ts';

let books: TextBooks;

beforeAll(async () => {
  books = await textBooks();
});

afterAll(async () => {
  expect(await brokenInvariants(books.pool)).toEqual([]);
  await books.end();
});

async function accept(texts: readonly NewMessage[]): Promise<string[]> {
  await acceptMessages(books.pool, new Date(), texts);
  return texts.map(({ id }) => id);
}

describe('texts that wait for a decision', () => {
  it('are read page by page, the oldest first, and leave the list with the decision', async () => {
    const customer = await books.customer(100_000n);
    const texts = Array.from({ length: 5 }, (_, n) =>
      books.text(customer, { body: `text ${n}`, hold_reason: `reason ${n}`, epoch: null }),
    );
    const ids = await accept([...texts, books.text(customer)]);
    const { account_id } = customer;
    const first = await heldMessages(books.pool, { after: null, rows_max: 2, account_id });
    expect(first.map(({ message_id }) => message_id)).toEqual(ids.slice(0, 2));
    expect(first[0]).toMatchObject({
      state: 'held',
      body: 'text 0',
      reason: 'reason 0',
      net_micros: 1_000n,
      account_id,
    });
    const second = await heldMessages(books.pool, { after: ids[1] ?? null, rows_max: 2, account_id });
    expect(second.map(({ message_id }) => message_id)).toEqual(ids.slice(2, 4));
    const decision = { message_id: ids[1] ?? '', release: false, by: 'ann', reason: 'no' };
    expect(await decideHeldMessage(books.pool, decision, new Date())).toBe('refused');
    const rest = await heldMessages(books.pool, { after: ids[1] ?? null, rows_max: 10, account_id });
    expect(rest.map(({ message_id }) => message_id)).toEqual(ids.slice(2, 5));
    const again = await heldMessages(books.pool, { after: null, rows_max: 10, account_id: null });
    expect(again.map(({ message_id }) => message_id)).toEqual([ids[0], ...ids.slice(2, 5)]);
  });

  it('are counted by account, those in doubt apart', async () => {
    const [few, many] = [await books.customer(100_000n), await books.customer(100_000n)];
    await accept([books.text(few, { hold_reason: 'why', epoch: null })]);
    await accept(Array.from({ length: 7 }, () => books.text(many, { hold_reason: 'why', epoch: null })));
    const doubtful = books.text(few, { on_doubt: 'hold' });
    await accept([doubtful]);
    await recordOutcomes(books.pool, books.lease, randomUUID(), new Date(), [
      submitted(books, doubtful.id, 'none', {
        ...{ kind: 'in_doubt', carrier_message_id: null, status: null, cost: null },
        ...{ then_state: 'doubt', detail: 'no answer: timeout' },
      }),
    ]);
    const [most] = await heldCounts(books.pool, 1);
    expect(most).toMatchObject({ account_id: many.account_id, held: 7, in_doubt: 0 });
    const of_few = (await heldCounts(books.pool, 10)).find(({ account_id }) => account_id === few.account_id);
    expect(of_few).toMatchObject({ held: 1, in_doubt: 1 });
    const page = await heldMessages(books.pool, { after: null, rows_max: 10, account_id: few.account_id });
    expect(page.at(-1)).toMatchObject({ state: 'in_doubt', reason: 'no answer: timeout' });
  });
});
