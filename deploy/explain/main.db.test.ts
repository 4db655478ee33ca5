import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { acceptMessages } from '../../domain/texts/accept_messages.ts';
import { textBooks } from '../../domain/texts/testing/texts.ts';
import type { TextBooks } from '../../domain/texts/testing/texts.ts';
import { databaseLogin } from '../parts/database_login.ts';

let books: TextBooks;
let message_id: string;
/** Of the role that the command logs in by. */
let database_url: string;

beforeAll(async () => {
  books = await textBooks();
  const { password } = new URL(books.database_url);
  database_url = await databaseLogin({ database_url: books.database_url, group: 'letsdial_explain', password });
  const text = books.text(await books.customer(100_000n), { body: 'Your code is 4711' });
  message_id = text.id;
  await acceptMessages(books.pool, new Date(), [text]);
});

afterAll(() => books.end());

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

function run(...args: string[]): Promise<{ code: number; out: string; complaint: string }> {
  const env = { ...process.env, DATABASE_URL: database_url };
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', MAIN, ...args], { env }, (error, out, complaint) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, complaint });
    });
  });
}

it('tells the last text, and what it says to whoever asks for that', async () => {
  const told = await run('last');
  expect(told).toMatchObject({ code: 0, complaint: '' });
  expect(told.out).toContain(`Text out ${message_id}\n`);
  expect(told.out).toContain('Now: a gateway has it in its hands, for alpha, attempt 1.');
  expect(told.out).not.toContain('4711');
  expect((await run(message_id, '--body')).out).toContain('Your code is 4711');
});

it('tells machines the same', async () => {
  const { out } = await run(message_id.slice(0, 13), '--json');
  expect(JSON.parse(out)).toMatchObject({
    stories: [{ message_id, body: null, charged_micros: 1_000, paid_micros: 1_000, contradictions: [] }],
  });
  expect(out).not.toContain('4711');
});

it.each([
  [[], 'what a text says is personal, and is shown with --body only'],
  [['last', '--loudly'], 'Say which call or text'],
  [['0123'], '"0123" is not the id of a call or a text'],
  [['00000000'], 'There is no call and no text 00000000'],
])('says of %j what is wrong', async (args, words) => {
  const { code, out, complaint } = await run(...args);
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(complaint.toLowerCase()).toContain(words.toLowerCase());
});
