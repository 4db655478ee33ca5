import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokenInvariants } from '../ledger/invariants.ts';
import { termsWithOwner } from '../accounts/testing/terms.ts';
import { acceptMessages } from './accept_messages.ts';
import type { AcceptVerdict, NewMessage } from './accept_messages.ts';
import { abandonedParts, receiveMessages, receivePart } from './arrivals.ts';
import { cancelMessage, decideHeldMessage } from './decisions.ts';
import { recordOutcomes } from './outcomes.ts';
import { claimMessages, expireMessages, recoverMessages, releaseMessages } from './queue.ts';
import { receiveReceipts, sweepParked } from './receipts.ts';
import type { Receipt } from './receipts.ts';
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

async function accept(...messages: NewMessage[]): Promise<AcceptVerdict[]> {
  return (await acceptMessages(books.pool, now(), messages)).map(({ verdict }) => verdict);
}

/** Accepted and taken by the carrier under that id. */
async function sent(carrier_message_id: string, wishes: Partial<NewMessage> = {}): Promise<NewMessage> {
  const customer = await books.customer(10_000n);
  const text = books.text(customer, wishes);
  expect(await accept(text)).toEqual(['accepted']);
  await recordOutcomes(books.pool, books.lease, randomUUID(), now(), [submitted(books, text.id, carrier_message_id)]);
  return text;
}

function receipt(id: string, more: Partial<Receipt> = {}): Receipt {
  return {
    carrier_id: books.carrier_id,
    carrier_message_ids: [id],
    state: 'delivered',
    error: null,
    done_at: now(),
    ...more,
  };
}

const receive = (...receipts: Receipt[]) => receiveReceipts(books.pool, books.lease, now(), receipts);

describe('accepting', () => {
  it('charges and stores what the wallet can pay, in the order of the batch, and refuses the rest', async () => {
    const customer = await books.customer(3_500n);
    const texts = [1, 2, 1, 1].map((segments) => books.text(customer, { segments }));
    expect(await accept(...texts)).toEqual(['accepted', 'accepted', 'no_money', 'no_money']);
    expect(await balanceOf(books.pool, customer)).toBe(500n);
    const { rows } = await books.pool.query('select 1 from message where account_id = $1', [customer.account_id]);
    expect(rows).toHaveLength(2);
  });

  it('finds a batch whose answer was lost, and charges nothing again', async () => {
    const customer = await books.customer(5_000n);
    const texts = [books.text(customer), books.text(customer)];
    expect(await accept(...texts)).toEqual(['accepted', 'accepted']);
    expect(await accept(...texts)).toEqual(['replay', 'replay']);
    expect(await balanceOf(books.pool, customer)).toBe(3_000n);
  });

  it('makes one text of a repeated key, and refuses another content under it', async () => {
    const customer = await books.customer(9_000n);
    const key = (content: string) => ({ key: 'order-7', content_sha256: content });
    const first = books.text(customer, { idempotency: key('a') });
    const again = books.text(customer, { idempotency: key('a') });
    const other = books.text(customer, { idempotency: key('b') });
    const answers = await acceptMessages(books.pool, now(), [first, again, other]);
    expect(answers.map(({ verdict }) => verdict)).toEqual(['accepted', 'replay', 'key_conflict']);
    expect(answers[1]?.id).toBe(first.id);
    expect(await balanceOf(books.pool, customer)).toBe(8_000n);
  });

  it('refuses what is not the sender’s to send', async () => {
    const customer = await books.customer(9_000n);
    const other = await books.customer(9_000n);
    expect(await accept(books.text(customer, { sender: other.number }))).toEqual(['sender_not_yours']);
    expect(await accept(books.text(customer, { sender: 'ACME' }))).toEqual(['sender_not_yours']);
    await books.pool.query(`insert into text_sender (account_id, sender) values ($1, 'ACME')`, [customer.account_id]);
    expect(await accept(books.text(customer, { sender: 'ACME' }))).toEqual(['accepted']);
    await books.pool.query(`insert into opt_out values ($1, '+447700900123', 'ACME', now())`, [customer.account_id]);
    expect(await accept(books.text(customer, { sender: 'ACME' }), books.text(customer))).toEqual([
      'opted_out',
      'accepted',
    ]);
    // From a moment ago on: this process counts whole milliseconds, and the database's now() lies within the present one.
    await books.pool.query(
      `insert into restriction (id, account_id, scope, reason, starts_at)
       values ($1, $2, 'sms', 'a test', now() - interval '1 second')`,
      [randomUUID(), customer.account_id],
    );
    expect(await accept(books.text(customer))).toEqual(['restricted']);
    await books.pool.query(`update account set state = 'suspended' where id = $1`, [customer.account_id]);
    expect(await accept(books.text(customer))).toEqual(['account_inactive']);
  });

  it('asks for agreement to the terms in force, of each account of a batch by itself; the operator’s own replies go', async () => {
    const [debtor, other] = [await books.customer(9_000n), await books.customer(9_000n)];
    const terms = await termsWithOwner(books.pool, debtor.account_id);
    await terms.publish({ version: 1 });
    const reply = books.text(debtor, { source: 'system', net_micros: 0n, tax_micros: 0n });
    const texts = [books.text(debtor), books.text(other), books.text(debtor), reply];
    expect(await accept(...texts)).toEqual(['terms_required', 'accepted', 'terms_required', 'accepted']);
    expect(await balanceOf(books.pool, debtor)).toBe(9_000n);
    await terms.agree(1);
    const text = books.text(debtor);
    expect(await accept(text)).toEqual(['accepted']);
    // What was accepted before is not refused when it is asked for again.
    await terms.publish({ version: 2 });
    expect(await accept(text, books.text(debtor))).toEqual(['replay', 'terms_required']);
  });

  it('keeps to the spend limits of the account, which calls share', async () => {
    const customer = await books.customer(9_000n);
    await books.pool.query('update call_limit set spend_micros_per_hour_max = 2500 where account_id = $1', [
      customer.account_id,
    ]);
    const texts = [1, 2, 3].map(() => books.text(customer));
    expect(await accept(...texts)).toEqual(['accepted', 'accepted', 'spend_hour']);
    expect(await accept(books.text(customer))).toEqual(['spend_hour']);
  });
});

describe('sending', () => {
  it('claims what waits in a lane by urgency, and gives back what it cannot send', async () => {
    const customer = await books.customer(9_000n);
    const waiting = { epoch: null };
    const bulk = books.text(customer, { ...waiting, class: 'bulk' });
    const normal = books.text(customer, waiting);
    const code = books.text(customer, { ...waiting, class: 'code' });
    const later = books.text(customer, { ...waiting, class: 'code', due_at: new Date(Date.now() + 60_000) });
    await accept(bulk, normal, code, later);
    expect(await stateOf(books.pool, later.id)).toBe('scheduled');
    const claimed = await claimMessages(books.pool, books.lease, books.carrier_id, now(), 10);
    expect(claimed.map(({ message_id }) => message_id)).toEqual([code.id, normal.id, bulk.id]);
    expect(await claimMessages(books.pool, books.lease, books.carrier_id, now(), 10)).toEqual([]);
    const back = { message_id: bulk.id, carrier_id: books.carrier_id, due_at: null, attempt: 1 };
    expect(await releaseMessages(books.pool, books.lease, [back])).toBe(1);
    expect(await claimMessages(books.pool, books.lease, books.carrier_id, now(), 10)).toMatchObject([
      { message_id: bulk.id },
    ]);
  });

  it('is refused to a gateway that was succeeded', async () => {
    const customer = await books.customer(9_000n);
    const text = books.text(customer);
    await accept(text);
    const older = { ...books.lease, epoch: books.lease.epoch - 1 };
    expect(await recordOutcomes(books.pool, older, randomUUID(), now(), [submitted(books, text.id, 'old')])).toBe(
      false,
    );
    expect(await receiveReceipts(books.pool, older, now(), [receipt('old')])).toEqual(['fenced']);
    expect(await stateOf(books.pool, text.id)).toBe('queued');
  });

  it('books what a carrier takes once, though the batch comes again', async () => {
    const text = await sent('once-1');
    await recordOutcomes(books.pool, books.lease, randomUUID(), now(), [submitted(books, text.id, 'once-1')]);
    const { rows } = await books.pool.query<{ count: string }>(
      `select count(*) from message_event where message_id = $1 and kind = 'submitted'`,
      [text.id],
    );
    expect(rows[0]?.count).toBe('1');
    expect(await stateOf(books.pool, text.id)).toBe('submitted');
  });

  it('gives back what no carrier took', async () => {
    const customer = await books.customer(9_000n);
    const text = books.text(customer, { segments: 3, tax_micros: 100n });
    await accept(text);
    const nothing = { carrier_message_id: null, cost: null };
    await recordOutcomes(books.pool, books.lease, randomUUID(), now(), [
      submitted(books, text.id, 'part-1', { then_state: null }),
      submitted(books, text.id, '', { ...nothing, part_no: 2, kind: 'refused', status: 0x0b, then_state: null }),
      submitted(books, text.id, '', { ...nothing, part_no: 0, kind: null, then_state: 'rejected', refund_segments: 2 }),
    ]);
    expect(await stateOf(books.pool, text.id)).toBe('rejected');
    expect(await balanceOf(books.pool, customer)).toBe(9_000n - 3_100n + 2_000n + 67n);
  });

  it('knows after a crash what may have been sent, and holds what must not go twice', async () => {
    const customer = await books.customer(9_000n);
    const twice = books.text(customer);
    const never = books.text(customer, { on_doubt: 'hold' });
    const unsent = books.text(customer, { on_doubt: 'hold' });
    await accept(twice, never, unsent);
    await books.pool.query('update message_queue set sending = true where message_id = $1', [never.id]);
    const { rows } = await books.pool.query<{ epoch: number }>(
      `update switch_lease set epoch = epoch + 1 where switch_id = 'sms' returning epoch`,
    );
    books.lease = { ...books.lease, epoch: rows[0]?.epoch ?? 0 };
    expect(await recoverMessages(books.pool, books.lease, now())).toMatchObject({ held: 1, waiting: 1 });
    expect(await stateOf(books.pool, never.id)).toBe('in_doubt');
    const claimed = await claimMessages(books.pool, books.lease, books.carrier_id, now(), 100);
    const attempts = new Map(claimed.map(({ message_id, attempt }) => [message_id, attempt]));
    expect([attempts.get(twice.id), attempts.get(unsent.id), attempts.get(never.id)]).toEqual([2, 2, undefined]);
    const flagged = await books.pool.query<{ message_id: string }>(
      `select message_id from message_event where kind = 'in_doubt' and message_id = any($1)`,
      [[twice.id, never.id, unsent.id]],
    );
    expect(flagged.rows.map(({ message_id }) => message_id).sort()).toEqual([twice.id, never.id].sort());
    expect(
      await decideHeldMessage(books.pool, { message_id: never.id, release: true, by: 'a', reason: 'b' }, now()),
    ).toBe('released');
  });

  it('ends what is past its validity and gives its price back', async () => {
    const customer = await books.customer(9_000n);
    const text = books.text(customer, { epoch: null, valid_until: new Date(Date.now() - 1) });
    await accept(text);
    expect(await expireMessages(books.pool, books.lease, now(), 100)).toBe(1);
    expect(await stateOf(books.pool, text.id)).toBe('expired');
    expect(await balanceOf(books.pool, customer)).toBe(9_000n);
  });
});

describe('receipts', () => {
  it('end a text once, however often they come', async () => {
    const text = await sent('r-1');
    expect(await receive(receipt('r-1', { state: 'enroute' }))).toEqual(['matched']);
    expect(await stateOf(books.pool, text.id)).toBe('submitted');
    expect(await receive(receipt('r-1'), receipt('r-1'))).toContain('matched');
    expect(await receive(receipt('r-1'))).toEqual(['repeated']);
    expect(await stateOf(books.pool, text.id)).toBe('delivered');
    expect(await receive(receipt('r-1', { state: 'undeliverable' }))).toEqual(['matched']);
    expect(await stateOf(books.pool, text.id)).toBe('delivered');
  });

  it('that come before the answer to the submit_sm are parked and found', async () => {
    expect(await receive(receipt('early-1'))).toEqual(['parked']);
    const text = await sent('early-1');
    expect(await stateOf(books.pool, text.id)).toBe('delivered');
    const { rows } = await books.pool.query('select 1 from parked_receipt');
    expect(rows).toEqual([]);
  });

  it('that nobody was there for are no receipts of a text that gets the same id another day', async () => {
    expect(await receive(receipt('reused-1', { state: 'undeliverable' }))).toEqual(['parked']);
    await books.pool.query(`update parked_receipt set received_at = received_at - interval '1 hour'`);
    const text = await sent('reused-1');
    expect(await stateOf(books.pool, text.id)).toBe('submitted');
    await sweepParked(books.pool, books.lease, now(), 100);
    expect(await stateOf(books.pool, text.id)).toBe('submitted');
    expect(await receive(receipt('reused-1'))).toEqual(['matched']);
    expect(await stateOf(books.pool, text.id)).toBe('delivered');
    await books.pool.query('delete from parked_receipt');
  });

  it('that came before a text was given up keep its price from being given back', async () => {
    const customer = await books.customer(10_000n);
    const text = books.text(customer);
    await accept(text);
    const outcome = submitted(books, text.id, 'paid-1', { then_state: null });
    await recordOutcomes(books.pool, books.lease, randomUUID(), now(), [outcome]);
    const paid = await balanceOf(books.pool, customer);
    expect(await receive(receipt('paid-1'))).toEqual(['matched']);
    const given_up = {
      kind: null,
      carrier_message_id: null,
      cost: null,
      then_state: 'expired',
      refund_segments: 1,
    } as const;
    await recordOutcomes(books.pool, books.lease, randomUUID(), now(), [{ ...outcome, ...given_up }]);
    expect(await stateOf(books.pool, text.id)).toBe('delivered');
    expect(await balanceOf(books.pool, customer)).toBe(paid);
  });

  it('are found by the other form of their id', async () => {
    const text = await sent('4711');
    expect(await receive(receipt('1267', { carrier_message_ids: ['1267', '4711'] }))).toEqual(['matched']);
    expect(await stateOf(books.pool, text.id)).toBe('delivered');
  });

  it('of the parts make one of the text, which is delivered when all of it is', async () => {
    const customer = await books.customer(9_000n);
    const [whole, torn] = [books.text(customer, { segments: 2 }), books.text(customer, { segments: 2 })];
    await accept(whole, torn);
    for (const [text, name] of [
      [whole, 'whole'],
      [torn, 'torn'],
    ] as const) {
      await recordOutcomes(books.pool, books.lease, randomUUID(), now(), [
        submitted(books, text.id, `${name}-1`, { then_state: null }),
        submitted(books, text.id, `${name}-2`, { part_no: 2 }),
      ]);
    }
    await receive(receipt('whole-2'), receipt('torn-2', { state: 'undeliverable', error: '7' }));
    expect(await stateOf(books.pool, whole.id)).toBe('submitted');
    await receive(receipt('whole-1'), receipt('torn-1'));
    expect(await stateOf(books.pool, whole.id)).toBe('delivered');
    expect(await stateOf(books.pool, torn.id)).toBe('undeliverable');
  });

  it('of an attempt that failed end no text that another attempt may deliver', async () => {
    const customer = await books.customer(9_000n);
    const texts = ['arrives', 'fails', 'long'].map((name) => ({
      name,
      text: books.text(customer, { segments: name === 'long' ? 2 : 1 }),
    }));
    await accept(...texts.map(({ text }) => text));
    const states = () => Promise.all(texts.map(({ text }) => stateOf(books.pool, text.id)));
    for (const { name, text } of texts) {
      await recordOutcomes(books.pool, books.lease, randomUUID(), now(), [
        submitted(books, text.id, `${name}-first`, { then_state: null }),
        submitted(books, text.id, `${name}-second`, { attempt: 2, then_state: name === 'long' ? null : 'done' }),
        ...(name === 'long' ? [submitted(books, text.id, 'long-rest', { part_no: 2 })] : []),
      ]);
    }
    const failed = { state: 'undeliverable', error: '7' } as const;
    await receive(receipt('long-rest'), ...texts.map(({ name }) => receipt(`${name}-first`, failed)));
    expect(await states()).toEqual(['submitted', 'submitted', 'submitted']);
    // The same of the other attempt is another receipt, and the same once more is none.
    expect(await receive(receipt('fails-second', failed))).toEqual(['matched']);
    expect(await receive(receipt('fails-second', failed))).toEqual(['repeated']);
    await receive(receipt('arrives-second'), receipt('long-second'));
    expect(await states()).toEqual(['delivered', 'undeliverable', 'delivered']);
  });

  it('reach the endpoint of a customer who asked', async () => {
    const customer = await books.customer(9_000n);
    await books.pool.query(
      `insert into webhook_endpoint (id, account_id, url, secret) values ($1, $2, 'http://127.0.0.1:1/', $3)`,
      [randomUUID(), customer.account_id, `whsec_${'a'.repeat(40)}`],
    );
    const text = books.text(customer);
    await accept(text);
    await recordOutcomes(books.pool, books.lease, randomUUID(), now(), [submitted(books, text.id, 'hook-1')]);
    await receive(receipt('hook-1'));
    await receive(receipt('hook-1'));
    const { rows } = await books.pool.query('select kind, channel from customer_delivery where message_id = $1', [
      text.id,
    ]);
    expect(rows).toEqual([{ kind: 'receipt', channel: 'webhook' }]);
  });

  it('is not told by who sent it over HTTP and wants no receipt, nor to the bind of who wants none', async () => {
    const customer = await books.customer(9_000n);
    await books.pool.query(
      `insert into webhook_endpoint (id, account_id, url, secret) values ($1, $2, 'http://127.0.0.1:1/', $3)`,
      [randomUUID(), customer.account_id, `whsec_${'a'.repeat(40)}`],
    );
    const texts = [true, false].flatMap((wants_receipt) => [
      books.text(customer, { wants_receipt }),
      books.text(customer, { wants_receipt, source: 'smpp', system_id: 'acme' }),
    ]);
    await accept(...texts);
    for (const text of texts) {
      await recordOutcomes(books.pool, books.lease, randomUUID(), now(), [submitted(books, text.id, text.id)]);
      await receive(receipt(text.id));
    }
    const { rows } = await books.pool.query<{ message_id: string; channel: string }>(
      'select message_id, channel from customer_delivery where account_id = $1 order by id',
      [customer.account_id],
    );
    expect(rows).toEqual([
      { message_id: texts[0]?.id, channel: 'webhook' },
      { message_id: texts[1]?.id, channel: 'smpp' },
    ]);
  });
});

describe('a service of the version before', () => {
  it('has its texts accepted by the name and the type that it knows', async () => {
    const customer = await books.customer(9_000n);
    const text = books.text(customer);
    const { rate, net_micros, tax_micros, wallet_id, ...same } = text;
    const item = { ...same, ...rate, n: 0, priority: 1, net_micros: `${net_micros}`, tax_micros: `${tax_micros}` };
    const items = JSON.stringify([{ ...item, wallet_id: `${wallet_id}`, rate_micros_per_segment: `${net_micros}` }]);
    const ask = () =>
      books.pool.query<{ verdict: string; id: string }>('select verdict, id from accept_messages($1, $2::jsonb)', [
        now(),
        items,
      ]);
    expect((await ask()).rows).toEqual([{ verdict: 'accepted', id: text.id }]);
    expect((await ask()).rows).toEqual([{ verdict: 'replay', id: text.id }]);
    expect(await balanceOf(books.pool, customer)).toBe(9_000n - net_micros);
  });
});

describe('a person', () => {
  it('takes a text back that waits, and not one that is on its way', async () => {
    const customer = await books.customer(9_000n);
    const [waits, leaves] = [books.text(customer, { epoch: null }), books.text(customer)];
    await accept(waits, leaves);
    const stranger = await books.customer(0n);
    expect(await cancelMessage(books.pool, stranger.account_id, waits.id, now())).toBe('not_found');
    expect(await cancelMessage(books.pool, customer.account_id, waits.id, now())).toBe('cancelled');
    expect(await cancelMessage(books.pool, customer.account_id, waits.id, now())).toBe('too_late');
    expect(await cancelMessage(books.pool, customer.account_id, leaves.id, now())).toBe('too_late');
    expect(await balanceOf(books.pool, customer)).toBe(8_000n);
  });

  it('decides on what was held: let go, or refused and given back', async () => {
    const customer = await books.customer(9_000n);
    const held = { hold_reason: 'many codes to neighbouring numbers' };
    const [good, bad] = [books.text(customer, held), books.text(customer, held)];
    await accept(good, bad);
    expect(await stateOf(books.pool, good.id)).toBe('held');
    const decide = (message_id: string, release: boolean) =>
      decideHeldMessage(books.pool, { message_id, release, by: 'ops', reason: 'looked at it' }, now());
    expect(await decide(good.id, true)).toBe('released');
    expect(await decide(bad.id, false)).toBe('refused');
    expect(await decide(bad.id, false)).toBe('not_held');
    expect(await stateOf(books.pool, good.id)).toBe('queued');
    expect(await stateOf(books.pool, bad.id)).toBe('rejected');
    expect(await balanceOf(books.pool, customer)).toBe(8_000n);
  });
});

describe('texts that arrive', () => {
  const arrival = (recipient: string, more: object = {}) => ({
    ...{ id: randomUUID(), carrier_id: books.carrier_id, sender: '+447700900999', recipient, body: 'Hi' },
    ...{ encoding: 'gsm7' as const, segments: 1, keyword: null, concatenation: null },
    ...more,
  });

  it('are the holder’s of their number, or nobody’s', async () => {
    const customer = await books.customer(0n);
    const answers = await receiveMessages(books.pool, books.lease, now(), [
      arrival(customer.number),
      arrival('+4930999999'),
    ]);
    expect(answers).toEqual([{ account_id: customer.account_id }, { account_id: null }]);
  });

  it('stop and start what is sent to their senders', async () => {
    const customer = await books.customer(9_000n);
    const to = { recipient: '+447700900999' };
    await receiveMessages(books.pool, books.lease, now(), [arrival(customer.number, { keyword: 'stop' })]);
    expect(await accept(books.text(customer, to))).toEqual(['opted_out']);
    await receiveMessages(books.pool, books.lease, now(), [arrival(customer.number, { keyword: 'start' })]);
    expect(await accept(books.text(customer, to))).toEqual(['accepted']);
  });

  it('in parts are whole when the last part is there, in whatever order', async () => {
    const part = (part_no: number) => ({
      ...{ carrier_id: books.carrier_id, sender: '+447700900998', recipient: '+4930888888', reference: 9 },
      ...{ part_count: 3, part_no, data_coding: 0, payload: Buffer.from([part_no]) },
    });
    expect(await receivePart(books.pool, books.lease, now(), part(3))).toBeNull();
    expect(await receivePart(books.pool, books.lease, now(), part(1))).toBeNull();
    expect(await receivePart(books.pool, books.lease, now(), part(1))).toBeNull();
    const whole = await receivePart(books.pool, books.lease, now(), part(2));
    expect(whole?.map(({ payload }) => payload[0])).toEqual([1, 2, 3]);
    await receiveMessages(books.pool, books.lease, now(), [
      arrival('+4930888888', { sender: '+447700900998', concatenation: { reference: 9, part_count: 3 } }),
    ]);
    expect(await receivePart(books.pool, books.lease, now(), part(1))).toBeNull();
  });

  it('in parts whose reference comes again, while one of the older text is missing, are two texts and lose nothing', async () => {
    const part = (text: string, part_no: number) => ({
      ...{ carrier_id: books.carrier_id, sender: '+447700900997', recipient: '+4930777777', reference: 7 },
      ...{ part_count: 2, part_no, data_coding: 0, payload: Buffer.from(`${text}${part_no}`) },
    });
    const words = (parts: { payload: Uint8Array }[] | undefined | null) =>
      parts?.map(({ payload }) => payload.toString());
    expect(await receivePart(books.pool, books.lease, now(), part('old', 1))).toBeNull();
    // Its acknowledgement was lost.
    expect(await receivePart(books.pool, books.lease, now(), part('old', 1))).toBeNull();
    expect(await receivePart(books.pool, books.lease, now(), part('new', 1))).toBeNull();
    expect(words(await receivePart(books.pool, books.lease, now(), part('new', 2)))).toEqual(['new1', 'new2']);
    const [left, ...others] = await abandonedParts(books.pool, new Date(0), 10);
    expect([words(left), others]).toEqual([['old1'], []]);
    const { reference = 0, part_count = 0 } = left?.[0] ?? {};
    expect(reference).toBeLessThan(0);
    const aside = arrival('+4930777777', { sender: '+447700900997', concatenation: { reference, part_count } });
    await receiveMessages(books.pool, books.lease, now(), [aside]);
    expect(await abandonedParts(books.pool, new Date(0), 10)).toEqual([]);
  });
});
