import type { Queryable } from '../../domain/db/transaction.ts';
import type { DeckState } from './deck_state.ts';

export interface DeckRow {
  deck_id: number;
  name: string;
  service: 'calls' | 'texts';
  side: 'sell' | 'buy';
  carrier_id: number | null;
  carrier: string | null;
  currency: string;
  deck_version: number;
  /** As those see it who price by it. */
  deck_state: 'draft' | 'active' | 'retired';
  checksum: string | null;
  imported_at: Date;
  imported_by: string;
  /** Null for one that did not come by the desk. */
  state: DeckState | null;
  rate_count: number | null;
  uploaded_by: string | null;
  approved_by: string | null;
  approved_at: Date | null;
  valid_from: Date | null;
  margin_alarms: number | null;
  in_force_at: Date | null;
  version: number | null;
}

const columns = `d.id as deck_id, d.name, d.service, d.side, d.carrier_id, c.code as carrier, d.currency, d.version as deck_version,
  d.state as deck_state, d.checksum, d.imported_at, d.imported_by, g.state, g.rate_count, g.uploaded_by, g.approved_by, g.approved_at,
  g.valid_from, g.margin_alarms, g.in_force_at, g.version`;
const from = 'rate_deck d left join carrier c on c.id = d.carrier_id left join deck_change g on g.deck_id = d.id';

export async function readDeck(db: Queryable, deck_id: number): Promise<DeckRow | null> {
  const { rows } = await db.query<DeckRow>(`select ${columns} from ${from} where d.id = $1`, [deck_id]);
  return rows[0] ?? null;
}

/** That which a request has made before. */
export async function deckOfOperation(db: Queryable, operation_id: string): Promise<DeckRow | null> {
  const { rows } = await db.query<DeckRow>(`select ${columns} from ${from} where g.id = $1`, [operation_id]);
  return rows[0] ?? null;
}

/** The newest first. */
export async function listDecks(
  db: Queryable,
  {
    side,
    service,
    before,
    limit,
  }: { side: string | null; service: string | null; before: number | null; limit: number },
): Promise<DeckRow[]> {
  const { rows } = await db.query<DeckRow>(
    `select ${columns} from ${from}
      where ($1::text is null or d.side = $1) and ($2::text is null or d.service = $2) and ($3::integer is null or d.id < $3)
      order by d.id desc limit $4`,
    [side, service, before, limit],
  );
  return rows;
}

/** The deck whose place this one takes; null where there is none. */
export async function deckInForce(db: Queryable, deck: DeckRow): Promise<DeckRow | null> {
  const { rows } = await db.query<DeckRow>(
    `select ${columns} from ${from}
      where d.state = 'active' and d.service = $1 and (d.name = $2 or (d.side = 'buy' and d.carrier_id = $3)) and d.id <> $4
      order by d.name = $2 desc limit 1`,
    [deck.service, deck.name, deck.carrier_id, deck.deck_id],
  );
  return rows[0] ?? null;
}

export async function insertDeckChange(
  tx: Queryable,
  change: { id: string; deck_id: number; rate_count: number; uploaded_by: string; now: Date },
): Promise<void> {
  await tx.query(
    'insert into deck_change (id, deck_id, rate_count, uploaded_by, uploaded_at) values ($1, $2, $3, $4, $5)',
    [change.id, change.deck_id, change.rate_count, change.uploaded_by, change.now],
  );
}

/** Nobody else moves it until the transaction ends. */
export async function lockDeckChange(
  tx: Queryable,
  deck_id: number,
): Promise<{ state: DeckState; uploaded_by: string; version: number } | null> {
  const { rows } = await tx.query<{ state: DeckState; uploaded_by: string; version: number }>(
    'select state, uploaded_by, version from deck_change where deck_id = $1 for no key update',
    [deck_id],
  );
  return rows[0] ?? null;
}

export async function approveDeck(
  tx: Queryable,
  deck_id: number,
  approval: { approved_by: string; valid_from: Date; margin_alarms: number; now: Date },
): Promise<void> {
  await tx.query(
    `update deck_change set state = 'approved', approved_by = $2, approved_at = $3, valid_from = $4, margin_alarms = $5, version = version + 1
      where deck_id = $1`,
    [deck_id, approval.approved_by, approval.now, approval.valid_from, approval.margin_alarms],
  );
}

export async function withdrawDeck(tx: Queryable, deck_id: number): Promise<void> {
  await tx.query(`update deck_change set state = 'withdrawn', version = version + 1 where deck_id = $1`, [deck_id]);
}

/** False where its time has not come, or it is in force already. */
export async function putDeckInForce(tx: Queryable, deck_id: number, now: Date): Promise<boolean> {
  const { rows } = await tx.query<{ done: boolean }>('select put_deck_in_force($1, $2) as done', [deck_id, now]);
  return rows[0]?.done ?? false;
}

/** The version that is in force now instead; null where there is none to go back to. */
export async function rollDeckBack(tx: Queryable, deck_id: number): Promise<number | null> {
  const { rows } = await tx.query<{ former: number | null }>('select roll_deck_back($1) as former', [deck_id]);
  return rows[0]?.former ?? null;
}

export async function dueDecks(db: Queryable, now: Date): Promise<number[]> {
  const { rows } = await db.query<{ deck_id: number }>(
    `select deck_id from deck_change where state = 'approved' and valid_from <= $1 order by valid_from, deck_id`,
    [now],
  );
  return rows.map(({ deck_id }) => deck_id);
}
