import type { Transaction } from '../../db/transaction.ts';
import type { Service } from '../index/load_index.ts';
import type { DatedPrefix } from '../rate_deck.ts';
import type { DeckFile } from './import_deck.ts';

export type LatestDeck = {
  readonly id: number;
  readonly version: number;
  readonly side: string;
  readonly carrier_id: number | null;
  readonly currency: string;
  readonly checksum: string | null;
  readonly active: boolean;
  readonly service: Service;
};

/** Imports of one deck take turns until the commit, so that each gets a version of its own. */
export async function lockDeckName(tx: Transaction, name: string): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(hashtext('rate_deck'), hashtext($1))`, [name]);
}

export async function selectLatest(tx: Transaction, name: string): Promise<LatestDeck | null> {
  const { rows } = await tx.query<LatestDeck>(
    `select id, version, side, carrier_id, currency, checksum, state = 'active' as active, service
       from rate_deck where name = $1 order by version desc limit 1`,
    [name],
  );
  return rows[0] ?? null;
}

export async function insertDraft(tx: Transaction, service: Service, file: DeckFile, version: number): Promise<number> {
  const { rows } = await tx.query<{ id: number }>(
    `insert into rate_deck (service, name, side, carrier_id, currency, version, imported_by)
     values ($1, $2, $3, $4, $5, $6, $7) returning id`,
    [service, file.name, file.side, file.carrier_id, file.currency, version, file.imported_by],
  );
  const [made] = rows;
  if (!made) throw new Error('Postgres gave no id for a new rate deck.');
  return made.id;
}

export async function setChecksum(tx: Transaction, deck_id: number, checksum: string): Promise<void> {
  await tx.query(`update rate_deck set checksum = $2 where id = $1`, [deck_id, checksum]);
}

/**
 * Puts a draft in force and takes the version before it, or the carrier's deck of another name, out of force; those of the other
 * service stay. A trigger notifies `rates` at the commit.
 */
export async function activateDeck(tx: Transaction, deck_id: number, service: Service, file: DeckFile): Promise<void> {
  await tx.query(
    `update rate_deck set state = 'retired'
      where state = 'active' and service = $1 and (name = $2 or (side = 'buy' and carrier_id = $3))`,
    [service, file.name, file.carrier_id],
  );
  await tx.query(`update rate_deck set state = 'active' where id = $1`, [deck_id]);
}

/** What rows of every kind have, as arrays of the columns prefix, destination, effective_from and effective_to. */
export function datedArrays(rows: readonly DatedPrefix[]): [string[], string[], string[], (string | null)[]] {
  return [
    rows.map((row) => row.prefix),
    rows.map((row) => row.destination),
    rows.map((row) => instant(row.effective_from_ms)),
    rows.map((row) => (row.effective_to_ms === null ? null : instant(row.effective_to_ms))),
  ];
}

function instant(instant_ms: number): string {
  return instant_ms === Number.NEGATIVE_INFINITY ? '-infinity' : new Date(instant_ms).toISOString();
}
