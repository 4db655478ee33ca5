import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Customer } from '../../deploy/world/people.ts';
import { brokenInvariants } from '../ledger/invariants.ts';
import { acceptMessages } from './accept_messages.ts';
import type { NewMessage } from './accept_messages.ts';
import { decideHeldMessage } from './decisions.ts';
import { recordOutcomes } from './outcomes.ts';
import { claimMessages } from './queue.ts';
import type { ClaimedMessage } from './queue.ts';
import { replaceMessage } from './replace_message.ts';
import type { Replacement } from './replace_message.ts';
import { balanceOf, stateOf, submitted, textBooks } from './testing/texts.ts';
import type { TextBooks } from './testing/texts.ts';

let books: TextBooks;

beforeAll(async () => {
  books = await textBooks();
});

afterAll(async () => {
  expect(await brokenInvariants(books.pool)).toEqual([]);
  await books.end();
});

const now = new Date('2026-01-15T12:00:00Z');
const later = (ms: number): Date => new Date(now.getTime() + ms);

/** Accepted, and waiting in its lane where it is not said otherwise. */
async function waiting(
  wishes: Partial<NewMessage> = {},
): Promise<{ customer: Customer; text: NewMessage; replace: Replacing }> {
  const customer = await books.customer(10_000n);
  const text = books.text(customer, { epoch: null, ...wishes });
  await acceptMessages(books.pool, now, [text]);
  const replacement = {
    ...{ account_id: customer.account_id, message_id: text.id, body: 'Другое', encoding: 'ucs2' as const, segments: 1 },
    ...{ wants_receipt: false, due_at: null, valid_until: null },
  };
  return {
    customer,
    text,
    replace: (changes) => replaceMessage(books.pool, { ...replacement, ...changes }, later(10)),
  };
}

type Replacing = (changes?: Partial<Replacement>) => ReturnType<typeof replaceMessage>;

/** As a gateway would claim it at that moment; other tests have left texts of theirs. */
async function claim({ id }: NewMessage, at: Date): Promise<ClaimedMessage | undefined> {
  const claimed = await claimMessages(books.pool, books.lease, books.carrier_id, at, 100);
  return claimed.find(({ message_id }) => message_id === id);
}

async function rowOf(id: string): Promise<unknown> {
  const { rows } = await books.pool.query<Record<string, unknown>>(
    `select m.body, m.encoding, m.wants_receipt, m.due_at, m.valid_until = q.valid_until as is_same_validity
       from message m join message_queue q on q.message_id = m.id where m.id = $1`,
    [id],
  );
  return rows[0];
}

describe('a text that waits', () => {
  it('is replaced at the price that was paid, and the first one is kept nowhere', async () => {
    const { customer, text, replace } = await waiting();
    expect(await replace()).toBe('replaced');
    expect(await rowOf(text.id)).toEqual({
      ...{ body: 'Другое', encoding: 'ucs2', wants_receipt: false, due_at: null, is_same_validity: true },
    });
    const { rows } = await books.pool.query('select kind, detail from message_event where message_id = $1', [text.id]);
    expect(rows).toEqual([{ kind: 'replaced', detail: 'another text, another wish for a receipt' }]);
    expect(await balanceOf(books.pool, customer)).toBe(9_000n);
    expect(await stateOf(books.pool, text.id)).toBe('queued');
  });

  it('says in its event what was replaced, and that where it was nothing', async () => {
    const { text, replace } = await waiting();
    const same = { body: 'Hello', encoding: 'gsm7', wants_receipt: true } as const;
    expect(await replace({ ...same, due_at: later(60_000), valid_until: later(120_000) })).toBe('replaced');
    expect(await replace({ ...same, wants_receipt: false })).toBe('replaced');
    expect(await replace({ ...same, wants_receipt: false })).toBe('replaced');
    expect(await replace({ ...same, body: 'World', wants_receipt: false })).toBe('replaced');
    const { rows } = await books.pool.query<{ detail: string }>(
      'select detail from message_event where message_id = $1 order by n',
      [text.id],
    );
    expect(rows.map(({ detail }) => detail)).toEqual([
      'another time, another validity',
      'another wish for a receipt',
      'nothing new',
      'another text',
    ]);
  });

  it('is not claimed in the second in which a claim could still read the first one', async () => {
    const { text, replace } = await waiting();
    await replace();
    expect(await claim(text, later(1_000))).toBeUndefined();
    expect(await claim(text, later(1_010))).toMatchObject({ body: 'Другое', encoding: 'ucs2' });
  });

  it('may be due at another time, and valid until another', async () => {
    const { text, replace } = await waiting({ due_at: later(60_000) });
    expect(await stateOf(books.pool, text.id)).toBe('scheduled');
    expect(await replace({ due_at: later(120_000), valid_until: later(180_000) })).toBe('replaced');
    expect(await rowOf(text.id)).toMatchObject({ due_at: later(120_000), is_same_validity: true });
    expect(await claim(text, later(119_999))).toBeUndefined();
    expect(await claim(text, later(120_000))).toMatchObject({ valid_until_ms: later(180_000).getTime() });
  });

  it('is replaced by its own account only, and by a text of the same length', async () => {
    const { text, replace } = await waiting();
    const { account_id } = await books.customer(0n);
    expect(await replace({ account_id })).toBe('not_found');
    expect(await replace({ message_id: randomUUID() })).toBe('not_found');
    expect(await replace({ segments: 2 })).toBe('other_length');
    expect(await rowOf(text.id)).toMatchObject({ body: 'Hello' });
  });
});

describe('a text is not replaced any more', () => {
  it('once a gateway has it', async () => {
    const { replace } = await waiting({ epoch: books.lease.epoch });
    expect(await replace()).toBe('too_late');
  });

  it('while a person looks at it', async () => {
    const { text, replace } = await waiting({ hold_reason: 'a test' });
    expect(await replace()).toBe('too_late');
    await decideHeldMessage(books.pool, { message_id: text.id, release: true, by: 'ops', reason: 'good' }, now);
    expect(await replace()).toBe('replaced');
  });

  it('once a part of it was taken, or may have been', async () => {
    const { text, replace } = await waiting({ segments: 2 });
    const part = submitted(books, text.id, randomUUID(), { then_state: null });
    await recordOutcomes(books.pool, books.lease, randomUUID(), now, [part]);
    expect(await replace({ segments: 2 })).toBe('too_late');
    const doubtful = await waiting();
    await books.pool.query('update message_queue set attempt = 2 where message_id = $1', [doubtful.text.id]);
    expect(await doubtful.replace()).toBe('too_late');
  });

  it('while somebody claims it', async () => {
    const { text, replace } = await waiting();
    const client = await books.pool.connect();
    try {
      await client.query('begin');
      await client.query('select 1 from message_queue where message_id = $1 for update', [text.id]);
      expect(await replace()).toBe('too_late');
    } finally {
      await client.query('rollback');
      client.release();
    }
  });

  it('without the event that says so, nor in anything but its text and times', async () => {
    const { text } = await waiting();
    const change = (what: string) => `update message set ${what} where id = '${text.id}'`;
    const event = `insert into message_event (message_id, at, kind) values ('${text.id}', now(), 'replaced')`;
    await expect(books.pool.query(change(`body = 'x'`))).rejects.toThrow('a text is written once');
    await expect(books.pool.query(`${event}; ${change(`recipient = '+4912345'`)}`)).rejects.toThrow('written once');
    await expect(books.pool.query(`${event}; ${change('net_micros = 0')}`)).rejects.toThrow('written once');
    await books.pool.query(`${event}; ${change(`body = 'x'`)}`);
    // That an earlier transaction replaced it is no leave for this one.
    await expect(books.pool.query(change(`body = 'y'`))).rejects.toThrow('a text is written once');
    await books.pool.query(change('body = null'));
  });
});
