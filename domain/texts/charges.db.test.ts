import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Customer } from '../../deploy/world/people.ts';
import { givePromo } from '../calls/testing/ledger_rows.ts';
import { brokenInvariants } from '../ledger/invariants.ts';
import { acceptMessages } from './accept_messages.ts';
import type { NewMessage } from './accept_messages.ts';
import { cancelMessage, decideHeldMessage } from './decisions.ts';
import { recordOutcomes } from './outcomes.ts';
import { expireMessages, releaseMessages } from './queue.ts';
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

const now = (): Date => new Date();

async function accept(...messages: NewMessage[]): Promise<string[]> {
  return (await acceptMessages(books.pool, now(), messages)).map(({ verdict }) => verdict);
}

/** Carriers took the first part of a text, once in each of so many attempts, and the rest waits again. */
async function torn(customer: Customer, segments: number, attempts = 1): Promise<NewMessage> {
  const text = books.text(customer, { segments, tax_micros: 100n });
  expect(await accept(text)).toEqual(['accepted']);
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const part = submitted(books, text.id, `${text.id}-${attempt}`, { attempt, then_state: null });
    await recordOutcomes(books.pool, books.lease, randomUUID(), now(), [part]);
  }
  const back = { message_id: text.id, carrier_id: books.carrier_id, due_at: null, attempt: attempts };
  expect(await releaseMessages(books.pool, books.lease, [back])).toBe(1);
  return text;
}

const giveBack = (message_id: string, refund_segments: number) =>
  recordOutcomes(books.pool, books.lease, randomUUID(), now(), [
    submitted(books, message_id, '', { part_no: 0, kind: null, then_state: 'undeliverable', refund_segments }),
  ]);

describe('what no carrier took is given back, and no more,', () => {
  it('when a text is taken back', async () => {
    const customer = await books.customer(9_000n);
    const text = await torn(customer, 3);
    expect(await cancelMessage(books.pool, customer.account_id, text.id, now())).toBe('cancelled');
    expect(await balanceOf(books.pool, customer)).toBe(9_000n - 3_100n + 2_067n);
  });

  it('when it expires, though a part was taken in two attempts', async () => {
    const customer = await books.customer(9_000n);
    const text = await torn(customer, 1, 2);
    const later = new Date(Date.now() + 2 * 86_400_000);
    expect(await expireMessages(books.pool, books.lease, later, 100)).toBeGreaterThan(0);
    expect(await stateOf(books.pool, text.id)).toBe('expired');
    expect(await balanceOf(books.pool, customer)).toBe(9_000n - 1_100n);
  });

  it('when a person refuses what was held', async () => {
    const customer = await books.customer(9_000n);
    const text = books.text(customer, { segments: 2, on_doubt: 'hold' });
    await accept(text);
    await recordOutcomes(books.pool, books.lease, randomUUID(), now(), [
      submitted(books, text.id, 'half', { then_state: null }),
      submitted(books, text.id, '', { part_no: 2, kind: 'in_doubt', cost: null, then_state: 'doubt' }),
    ]);
    const decision = { message_id: text.id, release: false, by: 'Ann', reason: 'twice is worse' };
    expect(await decideHeldMessage(books.pool, decision, now())).toBe('refused');
    expect(await balanceOf(books.pool, customer)).toBe(9_000n - 1_000n);
  });

  it('whatever a gateway says', async () => {
    const customer = await books.customer(9_000n);
    const [one, other] = [books.text(customer), books.text(customer)];
    await accept(one, other);
    await expect(giveBack(one.id, 2)).rejects.toThrow(/2 segments of text .* which has 1/);
    expect(await balanceOf(books.pool, customer)).toBe(7_000n);
    expect(await giveBack(one.id, 1)).toBe(true);
    expect(await giveBack(other.id, 1)).toBe(true);
    expect(await balanceOf(books.pool, customer)).toBe(9_000n);
  });

  it('to the credit that paid, before the cash that did', async () => {
    const customer = await books.customer(5_000n);
    const expires_at = new Date(Date.now() + 3_600_000);
    const promo = { wallet_id: customer.wallet_id, currency: 'EUR', micros: 1_500n, spend_order: 50 } as const;
    await givePromo(books.pool, { ...promo, expires_at });
    const texts = [books.text(customer), books.text(customer)];
    await accept(...texts);
    const left = async () => {
      const { rows } = await books.pool.query<{ promo_micros: string }>(
        'select promo_micros from wallet where id = $1',
        [customer.wallet_id.toString()],
      );
      return [await balanceOf(books.pool, customer), BigInt(rows[0]?.promo_micros ?? '-1')];
    };
    expect(await left()).toEqual([4_500n, 0n]);
    await giveBack(texts[0]?.id ?? '', 1);
    expect(await left()).toEqual([5_500n, 1_000n]);
    await giveBack(texts[1]?.id ?? '', 1);
    expect(await left()).toEqual([6_500n, 1_500n]);
  });
});

describe('a batch', () => {
  it('may hold texts that cost nothing among those that do', async () => {
    const customer = await books.customer(9_000n);
    const free = books.text(customer, { net_micros: 0n, rate: null });
    expect(await accept(free, books.text(customer), books.text(customer))).toEqual([
      'accepted',
      'accepted',
      'accepted',
    ]);
    expect(await brokenInvariants(books.pool)).toEqual([]);
  });

  it('tells nobody what another one’s wallet holds, and knows no wallet that is not there', async () => {
    const [customer, other] = [await books.customer(9_000n), await books.customer(7_777n)];
    const answers = await acceptMessages(books.pool, now(), [
      books.text(customer, { wallet_id: other.wallet_id }),
      books.text(customer, { wallet_id: 999_999n }),
    ]);
    expect(answers).toMatchObject([
      { verdict: 'no_wallet', free_micros: 0n },
      { verdict: 'no_wallet', free_micros: 0n },
    ]);
  });

  it('is decided and charged wallet by wallet, each text with what those before it left', async () => {
    const [one, other] = [await books.customer(2_500n), await books.customer(1_000n)];
    const texts = [one, other, one, other, one].map((customer) => books.text(customer));
    const answers = await acceptMessages(books.pool, now(), texts);
    expect(answers.map(({ verdict, free_micros }) => `${verdict} ${free_micros}`)).toEqual([
      'accepted 1500',
      'accepted 0',
      'accepted 500',
      'no_money 0',
      'no_money 500',
    ]);
  });
});

describe('the spend limits', () => {
  const limit = (customer: Customer, change: string) =>
    books.pool.query(`update call_limit set ${change} where account_id = $1`, [customer.account_id]);

  it('count by the hour that calls count by, whatever zone the database keeps', async () => {
    const customer = await books.customer(9_000n);
    const client = await books.pool.connect();
    try {
      await client.query(`set timezone = 'Asia/Kolkata'`);
      const at = new Date('2026-03-01T10:15:00Z');
      await acceptMessages(client, at, [books.text(customer)]);
      const { rows } = await client.query('select spend_hour, spend_hour_micros from wallet where id = $1', [
        customer.wallet_id.toString(),
      ]);
      expect(rows).toEqual([{ spend_hour: new Date('2026-03-01T10:00:00Z'), spend_hour_micros: '1000' }]);
    } finally {
      client.release(true);
    }
  });

  it('begin anew with the hour and the day, of the account’s own zone', async () => {
    const customer = await books.customer(90_000n);
    await limit(customer, 'spend_micros_per_hour_max = 2000, spend_micros_per_day_max = 3000');
    const at = async (instant: string) =>
      (
        await acceptMessages(
          books.pool,
          new Date(instant),
          [1, 2].map(() => books.text(customer)),
        )
      ).map(({ verdict }) => verdict);
    // Berlin is an hour ahead in January.
    expect(await at('2026-01-15T20:59:59Z')).toEqual(['accepted', 'accepted']);
    expect(await at('2026-01-15T20:59:59Z')).toEqual(['spend_hour', 'spend_hour']);
    expect(await at('2026-01-15T21:00:00Z')).toEqual(['accepted', 'spend_day']);
    expect(await at('2026-01-15T22:59:59Z')).toEqual(['spend_day', 'spend_day']);
    expect(await at('2026-01-15T23:00:00Z')).toEqual(['accepted', 'accepted']);
    // A clock that is behind neither begins an hour that is over anew, nor the present one.
    expect(await at('2026-01-15T22:59:59Z')).toEqual(['spend_hour', 'spend_hour']);
    expect(await at('2026-01-15T23:00:01Z')).toEqual(['spend_hour', 'spend_hour']);
  });

  it('keep back no reply to a STOP, which costs nothing', async () => {
    const customer = await books.customer(9_000n);
    await limit(customer, 'spend_micros_per_hour_max = 500, spend_micros_per_day_max = 500');
    const client = await books.pool.connect();
    try {
      await client.query('update wallet set held_micros = 600 where id = $1', [customer.wallet_id.toString()]);
      const reply = books.text(customer, { source: 'system', net_micros: 0n, rate: null });
      expect(await accept(reply, books.text(customer))).toEqual(['accepted', 'spend_hour']);
    } finally {
      await client.query('update wallet set held_micros = 0 where id = $1', [customer.wallet_id.toString()]);
      client.release();
    }
  });

  it('of an account that has none are no leave to spend', async () => {
    const customer = await books.customer(9_000n);
    await books.pool.query('delete from call_limit where account_id = $1', [customer.account_id]);
    expect(await accept(books.text(customer))).toEqual(['spend_hour']);
  });
});
