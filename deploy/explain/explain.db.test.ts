import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordUnheldCalls } from '../../domain/calls/hold.ts';
import type { CallRecord, Lease } from '../../domain/calls/hold.ts';
import { takeLease } from '../../domain/lease/lease.ts';
import { acceptMessages } from '../../domain/texts/accept_messages.ts';
import { MessageIds } from '../../domain/texts/message_id.ts';
import { textBooks } from '../../domain/texts/testing/texts.ts';
import type { TextBooks } from '../../domain/texts/testing/texts.ts';
import type { Customer } from '../world/people.ts';
import { databaseLogin } from '../parts/database_login.ts';
import { explain } from './explain.ts';
import type { Explanation } from './explain.ts';

let books: TextBooks;
let customer: Customer;
let lease: Lease;
/** Logged in as the command is. */
let reader: pg.Client;

beforeAll(async () => {
  books = await textBooks();
  const { password } = new URL(books.database_url);
  reader = new pg.Client({
    connectionString: await databaseLogin({ database_url: books.database_url, group: 'letsdial_explain', password }),
  });
  await reader.connect();
  customer = await books.customer(100_000n);
  const { epoch } = await takeLease(books.pool, 'asterisk-1', randomUUID(), new Date());
  lease = { switch_id: 'asterisk-1', epoch };
});

afterAll(async () => {
  await reader.end();
  await books.end();
});

const ask = (id: string): Promise<Explanation> => explain(reader, { id, with_body: false, now_ms: Date.now() });

async function aText(id: string, at: Date): Promise<void> {
  const answers = await acceptMessages(books.pool, at, [books.text(customer, { id })]);
  expect(answers.map(({ verdict }) => verdict)).toEqual(['accepted']);
}

/** A call that was refused at once. */
async function aCall(call_id: string, at: Date): Promise<void> {
  const record: CallRecord = {
    ...{ started_at: at, direction: 'outbound', device: null, dialled: '1', caller: null, callee: null },
    ...{ destination: null, answered_at: null, ended_at: at, duration_ms: 0, duration_source: 'none' },
    ...{ seconds_charged: 0, seconds_billed: 0, cost_micros: 0n, cost_currency: null, result: 'refused' },
    ...{
      refusal: 'not_a_number',
      cause: 28,
      blame: 'caller',
      pdd_ms: null,
      carrier_id: null,
      trunk_id: null,
      attempts: [],
    },
  };
  const identity = { leg_id: randomUUID(), call_id, account_id: customer.account_id, snapshot: {} };
  await recordUnheldCalls(books.pool, lease, [{ ...record, ...identity }]);
}

it('knows no last one before the first', async () => {
  expect(await ask('last')).toEqual({ kind: 'nothing_yet' });
});

it('finds calls and texts by the same kind of id, and the newest of both', async () => {
  const [call_id, later_call_id] = [randomUUID(), randomUUID()];
  const message_id = new MessageIds(Date.now).next();
  const at = (second: number): Date => new Date(Date.UTC(2026, 10, 24, 12, 0, second));
  await aCall(call_id, at(0));
  expect(await ask('last')).toMatchObject({ kind: 'call', stories: [{ call_id }] });
  await aText(message_id, at(1));
  expect(await ask('last')).toMatchObject({ kind: 'text', story: { message_id } });
  await aCall(later_call_id, at(2));
  expect(await ask('last')).toMatchObject({ kind: 'call', stories: [{ call_id: later_call_id }] });
  expect(await ask(call_id.slice(0, 13))).toMatchObject({ kind: 'call', stories: [{ call_id }] });
  expect(await ask(message_id.slice(0, 13).toUpperCase())).toMatchObject({ kind: 'text', story: { message_id } });
});

it('names every call and text that begins alike', async () => {
  const message_id = '019ab5c8-a600-7000-8000-0123456789ab';
  const call_id = '019ab5c8-0000-4000-8000-0123456789ab';
  await aText(message_id, new Date());
  await aCall(call_id, new Date());
  expect(await ask('019ab5c8')).toEqual({ kind: 'ambiguous', call_ids: [call_id], message_ids: [message_id] });
  expect(await ask('019ab5c8-a')).toMatchObject({ kind: 'text' });
});

it('says what is no id, and what is nobody’s', async () => {
  expect(await ask('0123')).toEqual({ kind: 'not_an_id' });
  expect(await ask(randomUUID())).toEqual({ kind: 'unknown' });
});
