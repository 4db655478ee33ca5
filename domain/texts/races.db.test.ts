import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokenInvariants } from '../ledger/invariants.ts';
import { acceptMessages } from './accept_messages.ts';
import type { NewMessage } from './accept_messages.ts';
import { receivePart } from './arrivals.ts';
import { cancelMessage } from './decisions.ts';
import { recordOutcomes } from './outcomes.ts';
import { claimMessages, claimStranded, expireMessages, recoverMessages } from './queue.ts';
import { receiveReceipts, sweepParked } from './receipts.ts';
import { balanceOf, eventsOf, receiptOf, stateOf, submitted, takeOver, textBooks } from './testing/texts.ts';
import type { TextBooks } from './testing/texts.ts';

/** So many connections ask at the same moment. */
const SIDES = 8;

let books: TextBooks;

beforeAll(async () => {
  books = await textBooks();
  // Connected beforehand, so that all of them really ask at once.
  const clients = await Promise.all(Array.from({ length: SIDES + 2 }, () => books.pool.connect()));
  for (const client of clients) client.release();
});

afterAll(async () => {
  expect(await brokenInvariants(books.pool)).toEqual([]);
  await books.end();
});

const now = (): Date => new Date();
/** After whatever a test does, however slow the machine is. */
const soon = (): Date => new Date(Date.now() + 3_600_000);
const times = <T>(n: number, make: (n: number) => T): T[] => Array.from({ length: n }, (_, at) => make(at));

/** Resolves when so many wait for locks that others have. */
async function untilWaiting(sides: number): Promise<void> {
  const waiting = async () => {
    const { rows } = await books.pool.query<{ sides: number }>(
      `select count(distinct pid)::int as sides from pg_locks
        where not granted and pid in (select pid from pg_stat_activity where datname = current_database())`,
    );
    return rows[0]?.sides;
  };
  await expect.poll(waiting).toBe(sides);
}

/** Does the first in a transaction that is still open while the second is asked for. */
async function meanwhile<A, B>(first: (open: pg.PoolClient) => Promise<A>, second: () => Promise<B>): Promise<[A, B]> {
  const client = await books.pool.connect();
  try {
    await client.query('begin');
    const done = await first(client);
    const other = await second();
    await client.query('commit');
    return [done, other];
  } finally {
    client.release();
  }
}

const outcome = (...items: Parameters<typeof recordOutcomes>[4]) =>
  recordOutcomes(books.pool, books.lease, randomUUID(), now(), items);
const receive = (...ids: string[]) =>
  receiveReceipts(
    books.pool,
    books.lease,
    now(),
    ids.map((id) => receiptOf(books, id)),
  );

describe('many sides at once', () => {
  it('spend what a wallet has and no more', async () => {
    const customer = await books.customer(37_500n);
    const batches = times(5 * SIDES, () => times(4, () => books.text(customer)));
    const answers = await Promise.all(batches.map((batch) => acceptMessages(books.pool, now(), batch)));
    const accepted = answers.flat().filter(({ verdict }) => verdict === 'accepted');
    const refused = answers.flat().filter(({ verdict }) => verdict === 'no_money');
    expect([accepted.length, refused.length]).toEqual([37, 20 * SIDES - 37]);
    expect(await balanceOf(books.pool, customer)).toBe(500n);
  });

  it('make one text of one request', async () => {
    const customer = await books.customer(9_000n);
    const idempotency = { key: 'order-7', content_sha256: 'a' };
    const asked = times(SIDES, () => acceptMessages(books.pool, now(), [books.text(customer, { idempotency })]));
    const answers = (await Promise.all(asked)).flat();
    expect(answers.map(({ verdict }) => verdict).sort()).toEqual(['accepted', ...times(SIDES - 1, () => 'replay')]);
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(await balanceOf(books.pool, customer)).toBe(8_000n);
  });

  it('make one text of one request, though it names another wallet of the account', async () => {
    const customer = await books.customer(9_000n);
    const { rows } = await books.pool.query<{ id: string }>(
      `insert into wallet (account_id, currency) values ($1, 'USD') returning id`,
      [customer.account_id],
    );
    const idempotency = { key: 'order-8', content_sha256: 'a' };
    const dollars = { wallet_id: BigInt(rows[0]?.id ?? 0), net_micros: 0n, rate: null };
    const [first, { again }] = await meanwhile(
      (open) => acceptMessages(open, now(), [books.text(customer, { idempotency })]),
      async () => {
        const asked = acceptMessages(books.pool, now(), [books.text(customer, { idempotency, ...dollars })]);
        await untilWaiting(1);
        return { again: asked };
      },
    );
    expect(first).toMatchObject([{ verdict: 'accepted' }]);
    expect(await again).toMatchObject([{ verdict: 'replay', id: first[0]?.id }]);
  });

  it('claim each text once', async () => {
    const customer = await books.customer(100_000n);
    const waiting = times(60, () => books.text(customer, { epoch: null }));
    await acceptMessages(books.pool, now(), waiting);
    const claims = times(SIDES, () => claimMessages(books.pool, books.lease, books.carrier_id, now(), 10));
    const claimed = (await Promise.all(claims)).flat().map(({ message_id }) => message_id);
    expect(new Set(claimed).size).toBe(claimed.length);
    const rest = await claimMessages(books.pool, books.lease, books.carrier_id, now(), 100);
    expect(claimed.length + rest.length).toBe(60);
    await outcome(...waiting.map(({ id }) => submitted(books, id, id)));
  });

  it.each([
    ['that is there', () => claimMessages(books.pool, books.lease, books.carrier_id, soon(), 10)],
    ['that is away', () => claimStranded(books.pool, books.lease, books.carrier_id, soon(), soon(), 10)],
  ])('claim for a carrier %s a text that is accepted in the middle of the claim, and know it', async (_, claim) => {
    const text = books.text(await books.customer(9_000n), { epoch: null });
    // A lease that is being taken makes a claim wait after it began, and what it finds then is younger than itself.
    const [, { claims }] = await meanwhile(
      (open) =>
        open.query(`select pg_advisory_xact_lock(hashtext('switch_lease'), hashtext($1))`, [books.lease.gateway_id]),
      async () => {
        const claims = claim();
        await untilWaiting(1);
        await acceptMessages(books.pool, now(), [text]);
        return { claims };
      },
    );
    expect(await claims).toMatchObject([{ message_id: text.id, body: text.body }]);
    await outcome(submitted(books, text.id, text.id));
  });

  it('write the same batch of outcomes once', async () => {
    const customer = await books.customer(9_000n);
    const text = books.text(customer, { segments: 2 });
    await acceptMessages(books.pool, now(), [text]);
    const refused = { kind: 'refused', carrier_message_id: null, cost: null } as const;
    const batch = [
      submitted(books, text.id, 'once', { then_state: null }),
      submitted(books, text.id, '', { ...refused, part_no: 2, then_state: 'rejected', refund_segments: 1 }),
    ];
    const id = randomUUID();
    await Promise.all(times(SIDES, () => recordOutcomes(books.pool, books.lease, id, now(), batch)));
    expect(await eventsOf(books.pool, text.id)).toEqual(['final', 'refunded', 'refused', 'submitted']);
    expect(await balanceOf(books.pool, customer)).toBe(8_000n);
  });

  it('write what a carrier said once, though the batch comes again before the first is done', async () => {
    const text = books.text(await books.customer(9_000n));
    await acceptMessages(books.pool, now(), [text]);
    const id = randomUUID();
    const throttled = submitted(books, text.id, '', { kind: 'throttled', cost: null, then_state: null });
    const [, { again }] = await meanwhile(
      (open) => recordOutcomes(open, books.lease, id, now(), [throttled]),
      async () => {
        const asked = recordOutcomes(books.pool, books.lease, id, now(), [throttled]);
        await untilWaiting(1);
        return { again: asked };
      },
    );
    expect(await again).toBe(true);
    expect(await eventsOf(books.pool, text.id)).toEqual(['throttled']);
    await outcome(submitted(books, text.id, text.id));
  });

  it('take the wallet before what hangs on it', async () => {
    const customer = await books.customer(9_000n);
    const text = books.text(customer, { epoch: null });
    await acceptMessages(books.pool, now(), [text]);
    const [, { both }] = await meanwhile(
      (open) => open.query('select 1 from wallet where id = $1 for update', [customer.wallet_id.toString()]),
      async () => {
        const cancelled = cancelMessage(books.pool, customer.account_id, text.id, now());
        await untilWaiting(1);
        const refused = { kind: 'refused', cost: null, then_state: 'rejected', refund_segments: 1 } as const;
        const refusal = outcome(submitted(books, text.id, '', refused));
        await untilWaiting(2);
        return { both: Promise.all([cancelled, refusal]) };
      },
    );
    expect(await both).toEqual(['cancelled', true]);
    expect(await stateOf(books.pool, text.id)).toBe('cancelled');
    expect(await balanceOf(books.pool, customer)).toBe(9_000n);
  });

  it('never wait for each other in a circle', async () => {
    const customers = [
      await books.customer(10n ** 9n),
      await books.customer(10n ** 9n),
      await books.customer(10n ** 9n),
    ];
    const texts = (n: number, wishes: Partial<NewMessage> = {}) =>
      times(n / customers.length, () => customers.map((customer) => books.text(customer, wishes))).flat();
    for (let round = 0; round < 8; round += 1) {
      const [sent, waiting] = [texts(24), texts(24, { epoch: null, valid_until: now() })];
      await acceptMessages(books.pool, now(), [...sent, ...waiting]);
      const backwards = [...sent].reverse();
      const took = ({ id }: NewMessage) => submitted(books, id, id);
      const failed = ({ id }: NewMessage) =>
        submitted(books, id, '', { kind: 'refused', cost: null, then_state: 'rejected', refund_segments: 1 });
      await Promise.all([
        outcome(...sent.slice(0, 12).map(took)),
        outcome(...sent.slice(12).map(failed)),
        outcome(...backwards.slice(0, 12).map(failed)),
        receive(...sent.map(({ id }) => id)),
        receive(...backwards.map(({ id }) => id)),
        expireMessages(books.pool, books.lease, now(), 100),
        ...waiting.slice(0, 3).map(({ id, account_id }) => cancelMessage(books.pool, account_id, id, now())),
        acceptMessages(books.pool, now(), texts(24).reverse()),
      ]);
      await sweepParked(books.pool, books.lease, now(), 100);
      const states = await Promise.all(sent.slice(0, 12).map(({ id }) => stateOf(books.pool, id)));
      expect(new Set(states)).toEqual(new Set(['delivered']));
    }
    expect(await brokenInvariants(books.pool)).toEqual([]);
  });
});

describe('the parts of a text that arrive at the same moment', () => {
  it('make a text, though neither saw the other', async () => {
    const part = (part_no: number) => ({
      ...{ carrier_id: books.carrier_id, sender: '+447700900777', recipient: '+4930777777', reference: 5 },
      ...{ part_count: 2, part_no, data_coding: 0, payload: Buffer.from([part_no]) },
    });
    const [first, { second }] = await meanwhile(
      (open) => receivePart(open, books.lease, now(), part(1)),
      async () => {
        const asked = receivePart(books.pool, books.lease, now(), part(2));
        await untilWaiting(1);
        return { second: asked };
      },
    );
    expect(first).toBeNull();
    expect(await second).toHaveLength(2);
  });
});

describe('a receipt that is stored at the same moment as its submission', () => {
  async function raced(): Promise<NewMessage> {
    const text = books.text(await books.customer(9_000n));
    await acceptMessages(books.pool, now(), [text]);
    const [verdicts] = await meanwhile(
      (open) => receiveReceipts(open, books.lease, now(), [receiptOf(books, text.id)]),
      () => outcome(submitted(books, text.id, text.id)),
    );
    expect(verdicts).toEqual(['parked']);
    expect(await stateOf(books.pool, text.id)).toBe('submitted');
    return text;
  }

  it('is parked, and found when somebody looks', async () => {
    const [one, other] = [await raced(), await raced()];
    await receive('nobody-1', 'nobody-2', 'nobody-3');
    expect(await sweepParked(books.pool, { ...books.lease, epoch: 0 }, now(), 10)).toBe(0);
    // So few that only what is nobody's would be looked at, did it count.
    expect(await sweepParked(books.pool, books.lease, now(), 1)).toBe(1);
    expect(await sweepParked(books.pool, books.lease, now(), 1)).toBe(1);
    expect(await sweepParked(books.pool, books.lease, now(), 10)).toBe(0);
    expect(await stateOf(books.pool, one.id)).toBe('delivered');
    expect(await stateOf(books.pool, other.id)).toBe('delivered');
  });

  it('is counted once, though all look at once', async () => {
    const texts = [await raced(), await raced()];
    const found = await Promise.all(times(SIDES, () => sweepParked(books.pool, books.lease, now(), 10)));
    expect(found.reduce((sum, n) => sum + n, 0)).toBe(2);
    for (const { id } of texts) expect(await eventsOf(books.pool, id)).toEqual(['final', 'receipt', 'submitted']);
  });
});

describe('a gateway that accepts a text for itself when another one has taken over', () => {
  it('leaves it to be recovered by the other, whenever that looks again', async () => {
    const text = books.text(await books.customer(9_000n));
    await takeOver(books);
    await recoverMessages(books.pool, books.lease, now());
    await claimMessages(books.pool, books.lease, books.carrier_id, now(), 1_000);
    await acceptMessages(books.pool, now(), [text]);
    expect(await claimMessages(books.pool, books.lease, books.carrier_id, now(), 100)).toEqual([]);
    expect(await recoverMessages(books.pool, books.lease, now())).toMatchObject({ resent: 1 });
    expect(await claimMessages(books.pool, books.lease, books.carrier_id, now(), 100)).toMatchObject([
      { message_id: text.id, attempt: 2 },
    ]);
    await outcome(submitted(books, text.id, 'stale', { attempt: 2 }));
  });
});
