import { createHash } from 'node:crypto';
import type pg from 'pg';
import { inTransaction, type Transaction } from '../../db/transaction.ts';
import type { Currency } from '../../money/currency.ts';
import { Overlaps } from './overlaps.ts';
import { Problems, type Problem } from './problem.ts';
import { readRows } from './read_rows.ts';
import { CALL_DECK } from './call_deck.ts';
import type { DeckKind } from './deck_kind.ts';
import { activateDeck, insertDraft, lockDeckName, selectLatest, setChecksum } from './deck_rows.ts';
import type { DatedPrefix } from '../rate_deck.ts';

const BATCH_ROWS = 10_000;

/** Which deck a file is for. The deck keeps its side, carrier and currency through all its versions. */
export type DeckFile = {
  /** Small letters, digits and hyphens. */
  readonly name: string;
  readonly currency: Currency;
  readonly imported_by: string;
} & ({ readonly side: 'sell'; readonly carrier_id: null } | { readonly side: 'buy'; readonly carrier_id: number });

export type Imported =
  | { readonly kind: 'imported'; readonly deck_id: number; readonly version: number; readonly rows: number }
  /** The very same file is in force already. */
  | { readonly kind: 'unchanged'; readonly deck_id: number; readonly version: number }
  /** Nothing was written. `problems` are the first of `problem_count`, in the order of the file. */
  | { readonly kind: 'refused'; readonly problems: readonly Problem[]; readonly problem_count: number };

/** Imports a rate file of calls; see `importDeckOf`. */
export function importDeck(pool: pg.Pool, file: DeckFile, source: AsyncIterable<Uint8Array>): Promise<Imported> {
  return importDeckOf(CALL_DECK, pool, file, source);
}

/**
 * Imports a rate file as a new version of its deck and puts it in force in one transaction: calls or texts are rated by the
 * old version wholly until the commit and by the new one wholly after the services, woken by NOTIFY `rates`, have loaded it.
 * The file is read once, as a stream; one bad line refuses all of it.
 */
export async function importDeckOf<Row extends DatedPrefix>(
  kind: DeckKind<Row>,
  pool: pg.Pool,
  file: DeckFile,
  source: AsyncIterable<Uint8Array>,
): Promise<Imported> {
  try {
    return await inTransaction(pool, (tx) => importInto(tx, kind, file, source));
  } catch (error) {
    if (error instanceof Refusal) return error.refused;
    throw error;
  }
}

/** A version that was written and is not in force. */
export interface DraftedDeck {
  readonly deck_id: number;
  readonly version: number;
  readonly rows: number;
}

/** Every line that is wrong, as whoever corrects the file wants them, up to a length that somebody reads. */
const DRAFT_PROBLEMS_MAX = 10_000;

/** As `importDeckOf`, but the new version stays a draft; `noted` runs in the transaction that writes it. */
export async function draftDeckOf<Row extends DatedPrefix>(
  kind: DeckKind<Row>,
  pool: pg.Pool,
  file: DeckFile,
  source: AsyncIterable<Uint8Array>,
  noted: (tx: Transaction, deck: DraftedDeck) => Promise<void>,
): Promise<Imported> {
  try {
    return await inTransaction(pool, async (tx) => {
      const deck = await draftInto(tx, kind, file, source, new Problems(DRAFT_PROBLEMS_MAX));
      await noted(tx, deck);
      return { kind: 'imported', ...deck };
    });
  } catch (error) {
    if (error instanceof Refusal) return error.refused;
    throw error;
  }
}

/** Drafts a rate file of calls; see `draftDeckOf`. */
export function draftDeck(
  pool: pg.Pool,
  file: DeckFile,
  source: AsyncIterable<Uint8Array>,
  noted: (tx: Transaction, deck: DraftedDeck) => Promise<void>,
): Promise<Imported> {
  return draftDeckOf(CALL_DECK, pool, file, source, noted);
}

async function importInto<Row extends DatedPrefix>(
  tx: Transaction,
  kind: DeckKind<Row>,
  file: DeckFile,
  source: AsyncIterable<Uint8Array>,
): Promise<Imported> {
  const deck = await draftInto(tx, kind, file, source, new Problems());
  await activateDeck(tx, deck.deck_id, kind.service, file);
  return { kind: 'imported', ...deck };
}

async function draftInto<Row extends DatedPrefix>(
  tx: Transaction,
  kind: DeckKind<Row>,
  file: DeckFile,
  source: AsyncIterable<Uint8Array>,
  problems: Problems,
): Promise<DraftedDeck> {
  await lockDeckName(tx, file.name);
  const latest = await selectLatest(tx, file.name);
  if (latest !== null && latest.service !== kind.service) {
    problems.add(0, null, '', `is under the name of a deck of ${latest.service}.`, 'a deck of another name.');
  }
  for (const field of ['side', 'carrier_id', 'currency'] as const) {
    if (latest && latest[field] !== file[field]) {
      problems.add(
        0,
        null,
        '',
        `is for a deck with another ${field}: ${String(latest[field])}.`,
        'the same, or a deck of another name.',
      );
    }
  }
  const version = (latest?.version ?? 0) + 1;
  if (problems.count > 0) throw new Refusal(problems);
  const deck_id = await insertDraft(tx, kind.service, file, version);
  const hash = createHash('sha256');
  const rows = await writeRows(tx, kind, deck_id, hashed(source, hash), problems);
  if (problems.count === 0 && rows === 0)
    problems.add(0, null, '', 'It has no rates.', 'a header row and at least one rate.');
  if (problems.count > 0) throw new Refusal(problems);
  const checksum = hash.digest('hex');
  if (latest?.active && latest.checksum === checksum)
    throw new Refusal({ deck_id: latest.id, version: latest.version });
  await setChecksum(tx, deck_id, checksum);
  return { deck_id, version, rows };
}

/** Ends the transaction without a trace: `inTransaction` rolls back whatever throws. */
class Refusal extends Error {
  readonly refused: Imported;

  constructor(why: Problems | { deck_id: number; version: number }) {
    super('The import wrote nothing.');
    this.refused =
      why instanceof Problems
        ? { kind: 'refused', problems: why.kept, problem_count: why.count }
        : { kind: 'unchanged', ...why };
  }
}

/** Writes the rows as they are read, until the first problem; from there on it only looks for more. */
async function writeRows<Row extends DatedPrefix>(
  tx: Transaction,
  kind: DeckKind<Row>,
  deck_id: number,
  source: AsyncIterable<Uint8Array>,
  problems: Problems,
): Promise<number> {
  const overlaps = new Overlaps();
  let batch: Row[] = [];
  let rows = 0;
  for await (const { line, row } of readRows(source, kind, problems)) {
    overlaps.check(row, line, problems);
    if (problems.count > 0) continue;
    rows += 1;
    batch.push(row);
    if (batch.length < BATCH_ROWS) continue;
    await kind.insert(tx, deck_id, batch);
    batch = [];
  }
  if (problems.count === 0 && batch.length > 0) await kind.insert(tx, deck_id, batch);
  return rows;
}

async function* hashed(
  source: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array> {
  for await (const bytes of source) {
    hash.update(bytes);
    yield bytes;
  }
}
