import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { acceptMessages } from '../../../domain/texts/accept_messages.ts';
import { recordOutcomes } from '../../../domain/texts/outcomes.ts';
import { receiveReceipts } from '../../../domain/texts/receipts.ts';
import { receiptOf, submitted, textBooks } from '../../../domain/texts/testing/texts.ts';
import type { TextBooks } from '../../../domain/texts/testing/texts.ts';
import { gatherEvidence } from './evidence.ts';

let books: TextBooks;
let home: string;

beforeAll(async () => {
  books = await textBooks();
  home = await mkdtemp(join(tmpdir(), 'letsdial-evidence-'));
});

afterAll(async () => {
  await books.end();
  await rm(home, { recursive: true });
});

it('a last receipt that was acknowledged and is not stored counts as lost, though one before it is', async () => {
  const customer = await books.customer(10_000n);
  const texts = ['kept', 'lost'].map((name) => ({ name, text: books.text(customer) }));
  await acceptMessages(
    books.pool,
    new Date(),
    texts.map(({ text }) => text),
  );
  const taken = texts.map(({ name, text }) => submitted(books, text.id, name));
  await recordOutcomes(books.pool, books.lease, randomUUID(), new Date(), taken);
  await receiveReceipts(books.pool, books.lease, new Date(), [
    receiptOf(books, 'kept', { state: 'enroute' }),
    receiptOf(books, 'lost', { state: 'enroute' }),
    receiptOf(books, 'kept'),
    receiptOf(books, 'parked', { state: 'undeliverable' }),
  ]);
  const log_file = join(home, 'alpha.log');
  const acks = [
    ...['kept ENROUTE', 'kept DELIVRD', 'kept DELIVRD', 'lost ENROUTE', 'lost DELIVRD'],
    ...['parked UNDELIV', 'parked DELIVRD'],
  ].map((ack, at) => {
    const [id, stat] = ack.split(' ');
    return JSON.stringify({ at, t: 'receipt_ack', id, stat, copy: 1, try: 1, conn: 1, status: 0 });
  });
  await writeFile(log_file, `${acks.join('\n')}\n`);
  const carriers = new Map([['alpha', { carrier_id: books.carrier_id, log_file }]]);
  const evidence = await gatherEvidence({ pool: books.pool, carriers }, 0, []);
  expect([evidence.receipts_acknowledged, evidence.receipts_stored]).toEqual([6, 4]);
});
