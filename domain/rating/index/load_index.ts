import pg from 'pg';
import { parseCurrency } from '../../money/currency.ts';
import type { RateDeck } from '../rate_deck.ts';
import { RateIndexBuilder } from './build_index.ts';
import { COPY_COLUMNS, COPY_COLUMNS_OF_TEXTS, CopyRows } from './copy_rows.ts';
import type { RateIndex } from './rate_index.ts';

/**
 * A pool that answers callers gives up a question within seconds; reading all decks takes some, and millions of rates of many carriers
 * more. Longer than this, it is the database that does not answer.
 */
const LOAD_MS_MAX = 120_000;

/** The client's own patience with a question, which pg's types do not know of. */
const PATIENT = { query_timeout: LOAD_MS_MAX };

/** Of what the decks are. A rate of texts is read as one whose price is that of a segment, and whose terms are none. */
export type Service = 'calls' | 'texts';

const SOURCES: Readonly<Record<Service, { table: string; columns: string }>> = {
  calls: { table: 'rate', columns: COPY_COLUMNS },
  texts: { table: 'text_rate', columns: COPY_COLUMNS_OF_TEXTS },
};

/**
 * Reads all decks in force from Postgres and builds the index that holds at the instant `at_ms`. Decks, rates and the
 * next change are read in one snapshot, so an import that commits meanwhile is wholly in or wholly out; LISTEN on
 * `rates` before the call, and load again on a notification or at `next_change_at_ms`.
 */
export async function loadIndex(pool: pg.Pool, at_ms: number, service: Service = 'calls'): Promise<RateIndex> {
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    await client.query('begin isolation level repeatable read read only');
    await client.query(`set local statement_timeout = ${LOAD_MS_MAX}`);
    const index = await readIndex(client, at_ms, service);
    await client.query('commit');
    return index;
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    // A connection that failed in the middle of a COPY is closed instead of being lent to others.
    client.release(failure);
  }
}

async function readIndex(client: pg.PoolClient, at_ms: number, service: Service): Promise<RateIndex> {
  const builder = new RateIndexBuilder(at_ms, await estimateRows(client, service));
  const deck_numbers = new Map<number, number>();
  for (const deck of await selectDecks(client, service)) deck_numbers.set(deck.id, builder.addDeck(deck));
  const next_change_at_ms = await selectNextChange(client, at_ms, service);
  if (next_change_at_ms !== null) builder.changesAt(next_change_at_ms);
  const rows = new CopyRows(builder, deck_numbers);
  await copyOut(client, ratesAt(at_ms, service), (chunk) => rows.feed(chunk));
  rows.end();
  return builder.build();
}

type DeckRecord = {
  id: number;
  name: string;
  version: number;
  currency: string;
  side: 'sell' | 'buy';
  carrier_id: number | null;
};

async function selectDecks(client: pg.PoolClient, service: Service): Promise<RateDeck[]> {
  const { rows } = await client.query<DeckRecord>(
    `select id, name, version, currency, side, carrier_id from rate_deck where state = 'active' and service = $1 order by id`,
    [service],
  );
  return rows.map(toDeck);
}

function toDeck({ carrier_id, currency, side, ...rest }: DeckRecord): RateDeck {
  const known = parseCurrency(currency);
  if (!known) throw new Error(`Rate deck ${rest.name} is in ${currency}, which is no currency of ISO 4217.`);
  const deck = { ...rest, currency: known };
  if (side === 'sell') return { ...deck, side, carrier_id: null };
  if (carrier_id === null) throw new Error(`Buy deck ${deck.name} has no carrier.`);
  return { ...deck, side, carrier_id };
}

/** About how many rates there are: the planner's estimate, which costs nothing, and some more than it may miss. */
async function estimateRows(client: pg.PoolClient, service: Service): Promise<number> {
  const { rows } = await client.query<{ estimate: number }>(
    `select (greatest(reltuples, 0) * 1.03)::int + 1000 as estimate from pg_class where oid = $1::regclass`,
    [SOURCES[service].table],
  );
  return rows[0]?.estimate ?? 0;
}

async function selectNextChange(client: pg.PoolClient, at_ms: number, service: Service): Promise<number | null> {
  const { rows } = await client.query<{ next_change_at_ms: string | null }>({
    text: `select ceil(extract(epoch from min(least(
              case when r.effective_from > $1 then r.effective_from end,
              case when r.effective_to > $1 then r.effective_to end))) * 1000)::text as next_change_at_ms
       from ${SOURCES[service].table} r join rate_deck d on d.id = r.deck_id
      where d.state = 'active' and (r.effective_from > $1 or r.effective_to > $1)`,
    values: [new Date(at_ms)],
    ...PATIENT,
  });
  const next = rows[0]?.next_change_at_ms ?? null;
  return next === null ? null : Number(next);
}

/** COPY takes no parameters; an ISO instant and our own column names need no quoting. */
function ratesAt(at_ms: number, service: Service): string {
  const { table, columns } = SOURCES[service];
  const instant = `timestamptz '${new Date(at_ms).toISOString()}'`;
  return `copy (select ${columns} from ${table} r join rate_deck d on d.id = r.deck_id
    where d.state = 'active' and r.effective_from <= ${instant}
      and (r.effective_to is null or r.effective_to > ${instant})) to stdout`;
}

/** Runs a COPY … TO STDOUT, handing each piece to `take` as it comes. The piece is only valid during the call. */
function copyOut(client: pg.PoolClient, sql: string, take: (chunk: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let refused: Error | undefined;
    class CopyOut extends pg.Query {
      /** Read by the client, which would give up as soon as on any other question. */
      readonly query_timeout = LOAD_MS_MAX;

      /** pg's client calls this for each CopyData message. What is thrown here would end the process. */
      handleCopyData(message: { chunk: Buffer }): void {
        if (refused) return;
        try {
          take(message.chunk);
        } catch (error) {
          refused = error instanceof Error ? error : new Error(String(error));
        }
      }
    }
    client.query(
      new CopyOut(sql, (error: Error | undefined) => {
        const failure = error ?? refused;
        if (failure) reject(failure);
        else resolve();
      }),
    );
  });
}
