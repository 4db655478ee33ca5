import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { databaseUrlOf } from './addresses.ts';
import { explainCall } from './explain_call.ts';
import type { Explanation } from './explain_call.ts';
import { newestCall } from './newest_call.ts';
import { plainJson } from './plain_json.ts';
import { tellCall } from './tell_call.ts';

const USAGE =
  'Say which call: npm run -s explain -- CALL_ID [--json], or last for the newest one. A call id stands in each line of the log of its call.';
const AWAY =
  'is not there, so no call can be explained: start Letsdial with npm start, or name its Postgres in DATABASE_URL.';

/** What stands in the way, in words, for the exit code 1. */
class Hindrance extends Error {}

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { json: { type: 'boolean' } },
    allowPositionals: true,
  });
  const [id, ...more] = positionals;
  if (id === undefined || more.length > 0) throw new Hindrance(USAGE);
  const explanation = await ask(await databaseUrl(), id);
  if (explanation.kind !== 'told') throw new Hindrance(whyNot(id, explanation));
  const { stories } = explanation;
  console.log(
    values.json === true ? plainJson({ stories }) : stories.map((story) => tellCall(story).join('\n')).join('\n\n'),
  );
  return 0;
}

async function databaseUrl(): Promise<string> {
  const given = process.env['DATABASE_URL'] ?? '';
  const kept = given === '' ? await databaseUrlOf(resolve(process.env['LETSDIAL_HOME'] || '.letsdial')) : given;
  if (kept === null) throw new Hindrance(`The database ${AWAY}`);
  return kept;
}

async function ask(url: string, id: string): Promise<Explanation> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  try {
    await client.connect();
  } catch (error) {
    const reason = error instanceof Error && error.message !== '' ? ` (${error.message})` : '';
    throw new Hindrance(`The database at ${new URL(url).host}${reason} ${AWAY}`);
  }
  try {
    const call_id = id === 'last' ? await newestCall(client) : id;
    if (call_id === null) throw new Hindrance('No call was made yet, so there is none to explain.');
    return await explainCall(client, call_id, Date.now());
  } finally {
    await client.end();
  }
}

function whyNot(id: string, explanation: Exclude<Explanation, { kind: 'told' }>): string {
  switch (explanation.kind) {
    case 'not_an_id':
      return `"${id}" is not the id of a call: give the whole id, or its first 8 or more hexadecimal digits.`;
    case 'unknown':
      return `There is no call ${id}: see that the id is complete, and that this is the database of the Letsdial that had the call.`;
    case 'ambiguous':
      return `Several calls begin with ${id}, so say more of the id: ${explanation.call_ids.join(', ')}.`;
  }
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
