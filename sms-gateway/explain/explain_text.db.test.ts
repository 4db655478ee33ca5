import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseLogin } from '../../deploy/parts/database_login.ts';
import type { Customer } from '../../deploy/world/people.ts';
import { makeCarrier, makeCustomer } from '../../deploy/world/people.ts';
import { brokenInvariants } from '../../domain/ledger/invariants.ts';
import { acceptMessages } from '../../domain/texts/accept_messages.ts';
import type { NewMessage } from '../../domain/texts/accept_messages.ts';
import { receiveMessages } from '../../domain/texts/arrivals.ts';
import { cancelMessage, decideHeldMessage } from '../../domain/texts/decisions.ts';
import { MessageIds } from '../../domain/texts/message_id.ts';
import { recordOutcomes } from '../../domain/texts/outcomes.ts';
import type { Outcome } from '../../domain/texts/outcomes.ts';
import { expireMessages, recoverMessages } from '../../domain/texts/queue.ts';
import { receiveReceipts } from '../../domain/texts/receipts.ts';
import type { Receipt } from '../../domain/texts/receipts.ts';
import { decideStray } from '../../domain/texts/testing/decide_stray.ts';
import { receiptOf, submitted, takeOver, textBooks } from '../../domain/texts/testing/texts.ts';
import type { TextBooks } from '../../domain/texts/testing/texts.ts';
import { STATUS } from '../smpp/status.ts';
import { explainText, newestText } from './explain_text.ts';
import { tellText } from './tell_text.ts';
import type { TextStory } from './text_story.ts';

let books: TextBooks;
let beta_id: number;
/** Logged in as the command is. */
let reader: pg.Pool;
const ids = new MessageIds(Date.now);

beforeAll(async () => {
  books = await textBooks();
  const { password } = new URL(books.database_url);
  const url = await databaseLogin({ database_url: books.database_url, group: 'letsdial_explain', password });
  reader = new pg.Pool({ connectionString: url, max: 2 });
  beta_id = await makeCarrier(books.pool, { carrier: 'beta', trunk: 'trunk-beta', address: '127.0.0.6', port: 1 });
});

afterAll(async () => {
  expect(await brokenInvariants(books.pool)).toEqual([]);
  await reader.end();
  await books.end();
});

const LONG = 'a'.repeat(214);
const now = (): Date => new Date();

async function accept(...messages: NewMessage[]): Promise<void> {
  const answers = await acceptMessages(books.pool, now(), messages);
  expect(answers.map(({ verdict }) => verdict)).toEqual(messages.map(() => 'accepted'));
}

async function record(...outcomes: Outcome[]): Promise<void> {
  expect(await recordOutcomes(books.pool, books.lease, randomUUID(), now(), outcomes)).toBe(true);
}

async function receive(...receipts: Receipt[]): Promise<string[]> {
  return receiveReceipts(books.pool, books.lease, now(), receipts);
}

/** Nothing of the text was taken, or nothing more. */
const notTaken = { carrier_message_id: null, cost: null };

/** What becomes of the whole. */
function ends(text: NewMessage, then_state: Outcome['then_state'], refund_segments: number): Outcome {
  const whole = { ...notTaken, part_no: 0, kind: null, carrier_id: null, bind_id: null, status: null };
  return submitted(books, text.id, '', { ...whole, then_state, refund_segments });
}

async function storyOf(id: string): Promise<TextStory> {
  const explanation = await explainText(reader, id, false);
  if (explanation.kind !== 'told') throw new Error(`${id} is ${explanation.kind}`);
  return explanation.story;
}

/** Every one of these has to add up. */
async function told(id: string): Promise<{ story: TextStory; words: string }> {
  const story = await storyOf(id);
  expect(story.contradictions).toEqual([]);
  return { story, words: tellText(story).join('\n') };
}

async function aCustomer(): Promise<Customer> {
  return books.customer(100_000n);
}

describe('the story of a text that goes out', () => {
  it('leads from its acceptance to its receipt, and names the charge that others share', async () => {
    const customer = await aCustomer();
    const text = books.text(customer, { tax_micros: 190n, client_ref: 'order-7' });
    await accept(text, books.text(customer), books.text(customer));
    const detail = 'alpha 400 EUR micros: may carry it; beta 500 EUR micros: may carry it';
    await record(submitted(books, text.id, 'd-1', { detail }));
    expect(await receive(receiptOf(books, 'd-1'), receiptOf(books, 'd-1'))).toContain('matched');
    const { story, words } = await told(text.id);
    expect(story).toMatchObject({
      state: 'delivered',
      charged_micros: 1_190n,
      refunded_micros: 0n,
      paid_micros: 1_190n,
    });
    expect(story.charge).toMatchObject({ texts: 3, net_micros: 3_000n, tax_micros: 190n });
    expect(story.events.map(({ kind }) => kind)).toEqual(['submitted', 'receipt', 'final']);
    expect(words).toContain('Accepted over the HTTP API.');
    expect(words).toContain('Attempt 1: alpha takes it over alpha-1 as d-1 (ESME_ROK, taken).');
    expect(words).toContain('Receipt: alpha says delivered');
    expect(words).toContain('alpha, 0.0004 EUR a segment: may carry it');
    expect(words).toContain('Rate deck "retail-texts", version 1: prefix 44, United Kingdom');
    expect(words).toContain('It says: 0.001 EUR a segment, plus 19% tax.');
    expect(words).toContain('1 segment of GSM 7: 5 characters, and 160 fit in one.');
    expect(words).toContain('0.00119 EUR of it for this text: 2 other texts of the same batch have the rest.');
    expect(words).toContain('alpha is owed 0.0004 EUR for 1 part');
    expect(words).toContain('Its sender calls it order-7.');
    expect(words).toContain('times in Europe/Berlin');
  });

  it('of several parts tells each, and what came back for the one that failed', async () => {
    const customer = await aCustomer();
    const text = books.text(customer, { body: LONG, segments: 2, tax_micros: 101n });
    await accept(text);
    const second = {
      ...notTaken,
      part_no: 2,
      kind: 'refused',
      status: STATUS.ESME_RINVDSTADR,
      then_state: null,
    } as const;
    await record(
      submitted(books, text.id, 'p-1', { then_state: null }),
      submitted(books, text.id, '', second),
      ends(text, 'rejected', 1),
    );
    const { story, words } = await told(text.id);
    expect(story).toMatchObject({
      charged_micros: 2_101n,
      refunded_micros: 1_051n,
      paid_micros: 1_050n,
      segments_refunded: 1,
    });
    expect(words).toContain('Part 1 of 2, attempt 1: alpha takes it over alpha-1 as p-1');
    expect(words).toContain(
      'Part 2 of 2, attempt 1: alpha refuses it over alpha-1: ESME_RINVDSTADR, it does not reach',
    );
    expect(words).toContain('2 segments of GSM 7: 214 characters, and 153 fit in each of several.');
    expect(words).toContain(
      `Given back: 0.001051 EUR, the price of 1 of 2 segments, by transaction ${story.refund?.tx_id ?? 0n} of the ledger.`,
    );
    expect(words).toMatch(/given back for 1 segment that did not go +-0\.001051 EUR/u);
    expect(words).toMatch(/What it cost +0\.00105 EUR/u);
  });

  it('goes on to the next carrier where one refuses it', async () => {
    const text = books.text(await aCustomer());
    await accept(text);
    const detail = 'alpha 400 EUR micros: may carry it; beta 500 EUR micros: may carry it';
    const at = (ms: number): Date => new Date(Date.now() + ms);
    const refused = { ...notTaken, kind: 'refused', status: STATUS.ESME_RSYSERR, then_state: null } as const;
    await record(submitted(books, text.id, '', { ...refused, detail, at: at(5) }));
    await record(submitted(books, text.id, 'b-1', { carrier_id: beta_id, bind_id: 'beta-1', detail, at: at(10) }));
    const { story, words } = await told(text.id);
    expect(story).toMatchObject({ state: 'submitted', refunded_micros: 0n });
    expect(words).toContain('alpha refuses it over alpha-1: ESME_RSYSERR, something on its side did not work.');
    expect(words).toContain('beta takes it over beta-1 as b-1');
    expect(words).toContain('Tried: alpha, then beta.');
    expect(words).not.toContain('passed over');
    expect(words).toContain('Nothing yet: a receipt follows when it has ended.');
  });

  it('says that it may have gone twice, and that it surely has once the late answer is there', async () => {
    const text = books.text(await aCustomer());
    await accept(text);
    const silence = {
      ...notTaken,
      kind: 'in_doubt',
      status: null,
      then_state: null,
      detail: 'no answer: timeout',
    } as const;
    await record(submitted(books, text.id, '', silence));
    await record(submitted(books, text.id, 'again', { attempt: 2 }));
    const doubtful = await told(text.id);
    expect(doubtful.story.gone_twice).toEqual([{ part_no: 1, is_certain: false }]);
    expect(doubtful.words).toContain('no answer of alpha over alpha-1: none came in time.');
    expect(doubtful.words).toContain('It may have gone twice');
    await record(submitted(books, text.id, 'first', { then_state: null }));
    expect((await told(text.id)).words).toContain('It was taken twice: the recipient may have got it twice.');
    // That one of the two failed is no end.
    await receive(receiptOf(books, 'again', { state: 'undeliverable' }));
    expect((await told(text.id)).story.state).toBe('submitted');
    await receive(receiptOf(books, 'first'));
    expect((await told(text.id)).story.state).toBe('delivered');
  });

  it('that a gateway had in its hands when it ended waits for a person, who has it sent once more', async () => {
    const text = books.text(await aCustomer(), { on_doubt: 'hold' });
    await accept(text);
    await books.pool.query('update message_queue set sending = true where message_id = $1', [text.id]);
    await takeOver(books);
    await recoverMessages(books.pool, books.lease, now());
    const { words } = await told(text.id);
    expect(words).toContain('In doubt: the gateway ended while this text was in its hands. It must not go twice');
    expect(words).toContain('Now: nobody knows whether a carrier has it, so it is held for a person');
    const decision = { message_id: text.id, release: true, by: 'ops', reason: 'the carrier has no trace of it' };
    expect(await decideHeldMessage(books.pool, decision, now())).toBe('released');
    const after = await told(text.id);
    expect(after.words).toContain(
      'Sent once more by decision, though it may arrive twice (ops: the carrier has no trace of it).',
    );
    expect(after.words).toContain('Now: it waits in the lane of alpha');
  });

  it('of the portal waits for a gateway to look at it', async () => {
    const text = books.text(await aCustomer(), { source: 'portal', carrier_id: null, epoch: null });
    await accept(text);
    expect((await told(text.id)).words).toContain('Now: it waits for a gateway to look at what it says');
  });

  it('that was held and refused says why, by whom, and that all of it came back', async () => {
    const text = books.text(await aCustomer(), { hold_reason: 'many codes to neighbouring numbers' });
    await accept(text);
    expect((await told(text.id)).words).toContain("Now: it is held for a person's decision, until");
    const decision = { message_id: text.id, release: false, by: 'ops', reason: 'a pump' };
    expect(await decideHeldMessage(books.pool, decision, now())).toBe('refused');
    const { story, words } = await told(text.id);
    expect(story).toMatchObject({ state: 'rejected', paid_micros: 0n, segments_refunded: 1 });
    expect(words).toContain('Held until a person has looked at it: many codes to neighbouring numbers.');
    expect(words).toContain('Refused by decision (ops refused it: a pump).');
    expect(words).toContain('Not delivered: it was refused (a pump).');
  });

  it('that expired, or was taken back, cost nothing', async () => {
    const customer = await aCustomer();
    const late = books.text(customer, { epoch: null, valid_until: new Date(Date.now() - 1) });
    const recalled = books.text(customer, { epoch: null, due_at: new Date(Date.now() + 3_600_000) });
    await accept(late, recalled);
    await expireMessages(books.pool, books.lease, now(), 100);
    const expired = await told(late.id);
    expect(expired.story).toMatchObject({ state: 'expired', paid_micros: 0n });
    expect(expired.words).toContain('Not delivered: its time was over before it could be.');
    expect((await told(recalled.id)).words).toMatch(/Accepted over the HTTP API, to be sent on .+ at /u);
    expect(await cancelMessage(books.pool, customer.account_id, recalled.id, now())).toBe('cancelled');
    const cancelled = await told(recalled.id);
    expect(cancelled.story).toMatchObject({ state: 'cancelled', paid_micros: 0n });
    expect(cancelled.words).toContain('Not sent: its sender took it back.');
  });

  it('finds a receipt that came before the answer of its carrier', async () => {
    const text = books.text(await aCustomer());
    await accept(text);
    expect(await receive(receiptOf(books, 'early', { done_at: new Date(Date.now() - 1_000) }))).toEqual(['parked']);
    await record(submitted(books, text.id, 'early'));
    const { story, words } = await told(text.id);
    expect(story.state).toBe('delivered');
    expect(words).toContain('alpha says delivered, which by its clock was before its answer.');
  });

  it('lists what the customer is still to be told, and what is given up', async () => {
    const customer = await aCustomer();
    const endpoints = [randomUUID(), randomUUID()];
    for (const id of endpoints) {
      await books.pool.query(
        `insert into webhook_endpoint (id, account_id, url, secret) values ($1, $2, 'http://127.0.0.1:1/', $3)`,
        [id, customer.account_id, `whsec_${'a'.repeat(40)}`],
      );
    }
    const text = books.text(customer);
    await accept(text);
    await record(submitted(books, text.id, 'w-1'));
    await receive(receiptOf(books, 'w-1'));
    await books.pool.query(
      `update customer_delivery set dead_at = now(), attempts = 9, last_error = 'status 500' where target = $1`,
      [endpoints[0]],
    );
    const { story, words } = await told(text.id);
    expect(story.deliveries).toHaveLength(2);
    expect(words).toMatch(/Webhook endpoint \S+ was not told, .+, after 9 attempts in vain: status 500\./u);
    expect(words).toMatch(/Webhook endpoint \S+ waits to be told/u);
    await books.pool.query('delete from customer_delivery where message_id = $1', [text.id]);
    expect((await told(text.id)).words).toContain('has been told; none is left.');
  });
});

describe('what a text says', () => {
  it('is told to whoever asks for it, and to nobody else', async () => {
    const text = books.text(await aCustomer(), { body: 'Your code is 4711' });
    await accept(text);
    const { story, words } = await told(text.id);
    expect(JSON.stringify(story.body)).toBe('null');
    expect(words).not.toContain('4711');
    const asked = await explainText(reader, text.id, true);
    if (asked.kind !== 'told') throw new Error(asked.kind);
    expect(tellText(asked.story).join('\n')).toContain('What it says\n  Your code is 4711');
  });

  it('is told no more once it was erased, though the rest is', async () => {
    const text = books.text(await aCustomer(), { body: LONG, segments: 2 });
    await accept(text);
    await books.pool.query('update message set body = null where id = $1', [text.id]);
    expect((await told(text.id)).words).toContain('2 segments of GSM 7. What it says was erased');
  });
});

describe('the story of a text that comes in', () => {
  const arrival = (recipient: string, more: object = {}) => ({
    ...{ id: ids.next(), carrier_id: books.carrier_id, sender: '+447700900777', recipient, body: 'STOP' },
    ...{ encoding: 'gsm7' as const, segments: 1, keyword: null, concatenation: null, ...more },
  });

  it('tells whose it is, that STOP was obeyed, and who is to hear of it', async () => {
    const customer = await aCustomer();
    await books.pool.query(
      `insert into webhook_endpoint (id, account_id, url, secret) values ($1, $2, 'http://127.0.0.1:1/', $3)`,
      [randomUUID(), customer.account_id, `whsec_${'b'.repeat(40)}`],
    );
    const stop = arrival(customer.number, { keyword: 'stop' });
    await receiveMessages(books.pool, books.lease, now(), [stop]);
    const { story, words } = await told(stop.id);
    expect(story).toMatchObject({ direction: 'mo', state: 'received', charged_micros: 0n });
    expect(words).toContain(`Account ${customer.account_id} held ${customer.number}: it is theirs.`);
    expect(words).toContain(
      `It says STOP, and that was obeyed: texts from ${customer.number} to +447700900777 are refused until a START.`,
    );
    expect(words).toMatch(/Webhook endpoint \S+ waits to be told/u);
  });

  it('to a number that nobody held says that nobody was told', async () => {
    const stray = arrival('+4930999999', { segments: 3, body: 'x'.repeat(400) });
    await receiveMessages(books.pool, books.lease, now(), [stray]);
    const { words } = await told(stray.id);
    expect(words).toContain('It came over alpha in 3 parts');
    expect(words).toContain('Nobody held +4930999999: it is kept for the operator.');
    expect(words).toContain('Nobody: nobody held the number.');
    expect(words).toContain('times in UTC');
  });
});

describe('the story of a text to a number that nobody held', () => {
  const decide = (message_id: string, copy_id: string | null) => decideStray(books.pool, message_id, copy_id, now());

  const came = async (recipient: string): Promise<string> => {
    const id = ids.next();
    await receiveMessages(books.pool, books.lease, now(), [
      {
        ...{ id, carrier_id: books.carrier_id, sender: '+447700900777', recipient, body: 'Hello', encoding: 'gsm7' },
        ...{ segments: 1, keyword: null, concatenation: null },
      },
    ]);
    return id;
  };

  it('says to whom it was handed on, when and why, and that of the copy where it comes from', async () => {
    const number = '+4930888001';
    const id = await came(number);
    const { account_id } = await makeCustomer(books.pool, { balance_micros: 1n, number });
    const copy_id = ids.next();
    expect(await decide(id, copy_id)).toBe('done');
    const { words } = await told(id);
    expect(words).toContain(`Nobody held ${number}: it was kept for the operator.`);
    expect(words).toMatch(
      new RegExp(
        `It was handed on to account ${account_id}, which held the number by then, as ${copy_id}\\. Why: “A slip of ours\\.”`,
        'u',
      ),
    );
    const copy = (await told(copy_id)).words;
    expect(copy).toContain(`Nobody held ${number} then, and it was kept for the operator as ${id}.`);
    expect(copy).toContain('It was handed on. Why: “A slip of ours.”');
  });

  it('says that nobody was given it, where somebody dealt with it', async () => {
    const id = await came('+4930888002');
    expect(await decide(id, null)).toBe('done');
    expect((await told(id)).words).toContain('Somebody dealt with it, and nobody was given it. Why: “A slip of ours.”');
  });
});

describe('an id', () => {
  it('is found by its beginning, and says which begin alike', async () => {
    const customer = await aCustomer();
    // Their ids begin alike for a minute; more than are told, as the minute may have begun just now.
    const one = books.text(customer);
    const between = Array.from({ length: 10 }, () => books.text(customer));
    const other = books.text(customer);
    await accept(one, ...between, other);
    expect((await storyOf(one.id.slice(0, 23).toUpperCase())).message_id).toBe(one.id);
    const alike = await explainText(reader, other.id.slice(0, 8), false);
    expect(alike.kind === 'ambiguous' ? alike.message_ids.length : alike.kind).toBe(10);
    expect(await explainText(reader, randomUUID(), false)).toEqual({ kind: 'unknown' });
    expect(await explainText(reader, 'a text', false)).toEqual({ kind: 'not_an_id' });
    expect((await newestText(reader))?.message_id).toBe(other.id);
  });
});
