import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { tellCall } from '../../controller/explain/tell_call.ts';
import { plainJson } from '../../domain/telling/plain_json.ts';
import { tellText } from '../../sms-gateway/explain/tell_text.ts';
import { databaseUrlOf } from './addresses.ts';
import { explain } from './explain.ts';
import type { Explanation } from './explain.ts';

const USAGE =
  'Say which call or text: npm run -s explain -- ID [--json] [--body], or last for the newest one. A call id stands in each line of the log of its call, the id of a text in the answer to whoever sent it. What a text says is personal, and is shown with --body only.';
const AWAY =
  'is not there, so nothing can be explained: start Letsdial with npm start, or name its Postgres in DATABASE_URL.';

/** What stands in the way, in words, for the exit code 1. */
class Hindrance extends Error {}

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { json: { type: 'boolean', default: false }, body: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const [id, ...more] = positionals;
  if (id === undefined || more.length > 0) throw new Hindrance(USAGE);
  console.log(told(id, await ask(await databaseUrl(), id, values.body), values.json));
  return 0;
}

async function databaseUrl(): Promise<string> {
  const given = process.env['DATABASE_URL'] ?? '';
  const kept = given === '' ? await databaseUrlOf(resolve(process.env['LETSDIAL_HOME'] || '.letsdial')) : given;
  if (kept === null) throw new Hindrance(`The database ${AWAY}`);
  return kept;
}

async function ask(url: string, id: string, with_body: boolean): Promise<Explanation> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  try {
    await client.connect();
  } catch (error) {
    const reason = error instanceof Error && error.message !== '' ? ` (${error.message})` : '';
    throw new Hindrance(`The database at ${new URL(url).host}${reason} ${AWAY}`);
  }
  try {
    return await explain(client, { id, with_body, now_ms: Date.now() });
  } finally {
    await client.end();
  }
}

function told(id: string, explanation: Explanation, as_json: boolean): string {
  switch (explanation.kind) {
    case 'call': {
      const { stories } = explanation;
      return as_json ? plainJson({ stories }) : stories.map((story) => tellCall(story).join('\n')).join('\n\n');
    }
    case 'text': {
      const { story } = explanation;
      return as_json ? plainJson({ stories: [story] }) : tellText(story).join('\n');
    }
    case 'nothing_yet':
      throw new Hindrance('No call was made and no text was sent yet, so there is none to explain.');
    case 'not_an_id':
      throw new Hindrance(
        `"${id}" is not the id of a call or a text: give the whole id, or its first 8 or more hexadecimal digits.`,
      );
    case 'unknown':
      throw new Hindrance(
        `There is no call and no text ${id}: see that the id is complete, and that this is the database of the Letsdial that had it.`,
      );
    case 'ambiguous':
      throw new Hindrance(`Several begin with ${id}, so say more of the id: ${namesOf(explanation)}.`);
  }
}

function namesOf({ call_ids, message_ids }: Extract<Explanation, { kind: 'ambiguous' }>): string {
  return [...call_ids.map((id) => `call ${id}`), ...message_ids.map((id) => `text ${id}`)].join(', ');
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof Hindrance) console.error(error.message);
  else if (error instanceof TypeError && 'code' in error && error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION')
    console.error(USAGE);
  else throw error;
  process.exitCode = 1;
}
