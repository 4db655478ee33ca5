import pg from 'pg';
import { freshDatabase } from '../../../../deploy/testing/database.ts';
import { parseCurrency, type Currency } from '../../../money/currency.ts';
import { parseE164, type E164 } from '../../../numbers/e164.ts';
import type { DeckFile } from '../import_deck.ts';

/** A database with the carriers 1 and 2, for decks to be imported into. */
export interface DeckStage {
  pool: pg.Pool;
  database_url: string;
  end: () => Promise<void>;
}

export async function deckStage(): Promise<DeckStage> {
  const database = await freshDatabase();
  const pool = new pg.Pool({ connectionString: database.url, max: 4 });
  await pool.query(
    `insert into carrier (id, code, name, currency) values (1, 'alpha', 'Alpha', 'EUR'), (2, 'beta', 'Beta', 'EUR')`,
  );
  const end = async (): Promise<void> => {
    await pool.end();
    await database.drop();
  };
  return { pool, database_url: database.url, end };
}

/** A name of its own for the deck of each test. */
export function deckNameOf(task: { id: string }): string {
  return `deck-${task.id.replaceAll(/[^a-z0-9]/g, '-')}`;
}

/** A deck in euros of what customers pay. */
export function sellFile(name: string): DeckFile & { side: 'sell' } {
  return { name, currency: euro(), imported_by: 'test', side: 'sell', carrier_id: null };
}

/** A deck in euros of what a carrier takes. */
export function buyFile(name: string, carrier_id: number): DeckFile & { side: 'buy' } {
  return { name, currency: euro(), imported_by: 'test', side: 'buy', carrier_id };
}

function euro(): Currency {
  const currency = parseCurrency('EUR');
  if (!currency) throw new Error('EUR should be a currency.');
  return currency;
}

export function number(text: string): E164 {
  const parsed = parseE164(text);
  if (!parsed) throw new Error(`${text} should be a number.`);
  return parsed;
}

/** In pieces of seven bytes, so that every rule meets a cut in the middle of a line or a character. */
export async function* inPieces(text: string | Buffer, piece_bytes = 7): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += piece_bytes) yield bytes.subarray(at, at + piece_bytes);
}
