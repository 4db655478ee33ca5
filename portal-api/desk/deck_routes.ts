import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import type { AuditActor } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import { parseCurrency } from '../../domain/money/currency.ts';
import { draftDeck } from '../../domain/rating/import/import_deck.ts';
import type { DeckFile, Imported } from '../../domain/rating/import/import_deck.ts';
import { draftTextDeck } from '../../domain/texts/prices/import_text_deck.ts';
import type { PortalContext } from '../context.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../http/cursor.ts';
import { currency, instant } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { enqueue } from '../jobs/task.ts';
import { adminActor } from '../identity/whose.ts';
import { countDifferences, listDifferences } from './deck_comparison.ts';
import type { Difference } from './deck_comparison.ts';
import {
  approveDeck,
  deckInForce,
  deckOfOperation,
  insertDeckChange,
  listDecks,
  lockDeckChange,
  putDeckInForce,
  readDeck,
  rollDeckBack,
  withdrawDeck,
} from './deck_rows.ts';
import type { DeckRow } from './deck_rows.ts';
import { deckOf, deckShape, difference, differenceOf, marginAlarm, marginAlarmOf, notImported } from './deck_shapes.ts';
import { marginAlarms } from './margin_alarms.ts';
import { stepDeck } from './deck_state.ts';
import type { DeckEvent } from './deck_state.ts';

const WHO_LOOKS = { admin: ['finance', 'operations', 'owner'] } as const;
const WHO_APPROVES = { admin: ['finance', 'owner'], step_up: true } as const;
const FILE_BYTES_MAX = 50_000_000;

const params = z.object({ deck_id: z.coerce.number().int().min(1).max(2_147_483_647) });

export function deckRoutes(context: PortalContext): Route[] {
  return [
    ...[list(context), upload(context), read(context), compare(context), margins(context)],
    ...[approve(context), withdraw(context), rollBack(context)],
  ];
}

function list({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/rate-decks',
      operation_id: 'admin_list_rate_decks',
      summary: 'Every version of every rate deck.',
      tag: 'admin rates',
      policy: WHO_LOOKS,
      query: pageQuery.extend({
        side: z.enum(['sell', 'buy']).optional(),
        service: z.enum(['calls', 'texts']).optional(),
      }),
      answers: { 200: { description: 'The newest first.', json: pageOf(deckShape) } },
    },
    async ({ query }) => {
      const before = decodeCursor(query.cursor, z.tuple([z.int().min(1).max(2_147_483_647)]))?.[0] ?? null;
      const { side = null, service = null, limit } = query;
      const rows = await listDecks(pool, { side, service, before, limit: limit + 1 });
      return { status: 200, body: page(rows, limit, { key: ({ deck_id }) => [deck_id], item: deckOf }) };
    },
  );
}

const uploadFields = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,59}$/u),
  service: z.enum(['calls', 'texts']),
  side: z.enum(['sell', 'buy']),
  /** Of what we buy. */
  carrier_id: z.coerce.number().int().min(1).max(2_147_483_647).optional(),
  currency,
});

function upload({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/rate-decks',
      operation_id: 'admin_upload_rate_deck',
      summary: 'Bring a rate file (CSV). It becomes a draft, or its every wrong line is told.',
      tag: 'admin rates',
      policy: WHO_LOOKS,
      pace: 'costly',
      idempotent: true,
      upload: { bytes_max: FILE_BYTES_MAX, fields: uploadFields },
      answers: {
        200: { description: 'Nothing was written, and why.', json: notImported },
        201: { description: 'The draft, and its ETag. It waits for another admin.', json: deckShape },
      },
    },
    async ({ upload: { bytes, fields }, identity, operation_id, now }) => {
      const made = await deckOfOperation(pool, operation_id);
      if (made !== null) return { status: 201, body: deckOf(made), version: made.version ?? 1 };
      const actor = adminActor(identity);
      const file = await deckFileOf(pool, fields, actor);
      const draft = fields.service === 'calls' ? draftDeck : draftTextDeck;
      const outcome = await draft(pool, file, whole(bytes), async (tx, { deck_id, version, rows }) => {
        await insertDeckChange(tx, { id: operation_id, deck_id, rate_count: rows, uploaded_by: actor.id, now });
        const detail = { name: fields.name, service: fields.service, deck_version: version, rates: rows };
        await audit(tx, actor, 'rate_deck.upload', deck_id, now, detail);
      });
      if (outcome.kind !== 'imported') return { status: 200, body: notImportedOf(outcome) };
      const row = await knownDeck(pool, outcome.deck_id);
      return { status: 201, body: deckOf(row), version: row.version ?? 1 };
    },
  );
}

function notImportedOf(outcome: Exclude<Imported, { kind: 'imported' }>): z.input<typeof notImported> {
  if (outcome.kind === 'unchanged') return { verdict: 'unchanged', problem_count: 0, problems: [] };
  return { verdict: 'refused', problem_count: outcome.problem_count, problems: [...outcome.problems] };
}

/** In pieces, as the reader of files takes it. */
async function* whole(bytes: Buffer): AsyncGenerator<Uint8Array> {
  const piece_bytes = 65_536;
  for (let at = 0; at < bytes.length; at += piece_bytes) {
    // Requests of others come in between.
    await new Promise((resolve) => setImmediate(resolve));
    yield bytes.subarray(at, at + piece_bytes);
  }
}

async function deckFileOf(
  pool: PortalContext['pool'],
  { name, side, carrier_id, currency: code }: z.output<typeof uploadFields>,
  actor: AuditActor,
): Promise<DeckFile> {
  const known = parseCurrency(code);
  if (known === null) throw new Problem('invalid', 'currency is a code of ISO 4217, such as EUR.');
  const facts = { name, currency: known, imported_by: actor.id };
  if (side === 'sell') {
    if (carrier_id !== undefined) throw new Problem('invalid', 'What we sell is no carrier’s: leave carrier_id out.');
    return { ...facts, side, carrier_id: null };
  }
  const found = await pool.query('select 1 from carrier where id = $1', [carrier_id ?? null]);
  if (carrier_id === undefined || found.rows.length === 0) {
    throw new Problem('invalid', 'carrier_id is that of the carrier whose prices these are.');
  }
  return { ...facts, side, carrier_id };
}

function read({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/rate-decks/{deck_id}',
      operation_id: 'admin_read_rate_deck',
      summary: 'One version of a rate deck.',
      tag: 'admin rates',
      policy: WHO_LOOKS,
      params,
      answers: { 200: { description: 'The deck, and its ETag.', json: deckShape } },
    },
    async ({ params: { deck_id } }) => {
      const row = await knownDeck(pool, deck_id);
      return { status: 200, body: deckOf(row), version: row.version ?? 1 };
    },
  );
}

const comparison = pageOf(difference).extend({
  /** The deck in whose place it comes; null: there is none. */
  compared_with: deckShape.nullable(),
  added: z.int(),
  removed: z.int(),
  changed: z.int(),
});

function compare({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/rate-decks/{deck_id}/diff',
      operation_id: 'admin_compare_rate_deck',
      summary: 'What is different from the deck in force.',
      tag: 'admin rates',
      policy: WHO_LOOKS,
      pace: 'costly',
      params,
      query: pageQuery,
      answers: { 200: { description: 'In the order of the prefixes.', json: comparison } },
    },
    async ({ params: { deck_id }, query }) => {
      const deck = await knownDeck(pool, deck_id);
      const other = await deckInForce(pool, deck);
      const old_id = other?.deck_id ?? null;
      const key = z.tuple([z.string().regex(/^\d{1,15}$/u), z.string().regex(/^(-infinity|[0-9: .+-]{19,40})$/u)]);
      const after = decodeCursor(query.cursor, key);
      const counts = await countDifferences(pool, deck, old_id);
      const rows = await listDifferences(pool, deck, old_id, { after, limit: query.limit + 1 });
      const listed = page(rows, query.limit, {
        key: ({ prefix, sort_from }: Difference) => [prefix, sort_from],
        item: differenceOf,
      });
      return { status: 200, body: { compared_with: other === null ? null : deckOf(other), ...counts, ...listed } };
    },
  );
}

function margins({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/rate-decks/{deck_id}/margins',
      operation_id: 'admin_check_margins',
      summary:
        'Where, with this deck in force, a typical call or a text would be sold for less than the cheapest carrier takes.',
      tag: 'admin rates',
      policy: WHO_LOOKS,
      pace: 'costly',
      params,
      answers: { 200: { description: 'At most 1,000.', json: z.object({ alarms: z.array(marginAlarm) }) } },
    },
    async ({ params: { deck_id }, now }) => {
      const deck = await knownDeck(pool, deck_id);
      const alarms = await marginAlarms(pool, deck, deck.valid_from ?? now);
      return { status: 200, body: { alarms: alarms.map(marginAlarmOf) } };
    },
  );
}

function approve({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/rate-decks/{deck_id}/approval',
      operation_id: 'admin_approve_rate_deck',
      summary: 'Approve a deck that another admin brought, to be in force from a moment on.',
      tag: 'admin rates',
      policy: WHO_APPROVES,
      params,
      versioned: true,
      body: z.object({
        /** Null: at once. */
        valid_from: instant.nullable().default(null),
        /** Where it sells below cost, that has to be meant. */
        accept_margin_alarms: z.boolean().default(false),
      }),
      answers: { 200: { description: 'Approved, and in force where its time has come.', json: deckShape } },
      problems: ['too_late', 'second_approval_required', 'conflict'],
    },
    async ({ params: { deck_id }, body, version, identity, now }) => {
      const valid_from = body.valid_from === null ? now : new Date(body.valid_from);
      if (valid_from < now) throw new Problem('invalid', 'valid_from does not lie behind; null is at once.');
      const actor = adminActor(identity);
      const row = await inTransaction(pool, async (tx) => {
        const change = await lockedAt(tx, deck_id, version, 'approve');
        if (change.uploaded_by === actor.id) {
          throw new Problem('second_approval_required', 'You brought this deck, so another admin approves it.');
        }
        const { length: margin_alarms } = await marginAlarms(tx, await knownDeck(tx, deck_id), valid_from);
        if (margin_alarms > 0 && !body.accept_margin_alarms) {
          const told = `${margin_alarms} prefixes would be sold below cost; see …/margins. If that is meant, accept_margin_alarms.`;
          throw new Problem('conflict', told);
        }
        await approveDeck(tx, deck_id, { approved_by: actor.id, valid_from, margin_alarms, now });
        if (valid_from <= now) await putDeckInForce(tx, deck_id, now);
        else await enqueue(tx, { task: 'put_decks_in_force', payload: {}, run_at: valid_from });
        await audit(tx, actor, 'rate_deck.approve', deck_id, now, { valid_from, margin_alarms });
        return knownDeck(tx, deck_id);
      });
      return { status: 200, body: deckOf(row), version: row.version ?? 1 };
    },
  );
}

function withdraw({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/rate-decks/{deck_id}/withdrawal',
      operation_id: 'admin_withdraw_rate_deck',
      summary: 'Never put a deck in force that is not yet.',
      tag: 'admin rates',
      policy: WHO_LOOKS,
      params,
      versioned: true,
      answers: { 200: { description: 'Withdrawn.', json: deckShape } },
      problems: ['too_late'],
    },
    async ({ params: { deck_id }, version, identity, now }) => {
      const row = await inTransaction(pool, async (tx) => {
        await lockedAt(tx, deck_id, version, 'withdraw');
        await withdrawDeck(tx, deck_id);
        await audit(tx, adminActor(identity), 'rate_deck.withdraw', deck_id, now, {});
        return knownDeck(tx, deck_id);
      });
      return { status: 200, body: deckOf(row), version: row.version ?? 1 };
    },
  );
}

function rollBack({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/rate-decks/{deck_id}/rollback',
      operation_id: 'admin_roll_back_rate_deck',
      summary: 'Take the deck out of force and put the version before it back.',
      tag: 'admin rates',
      policy: WHO_APPROVES,
      params,
      answers: { 200: { description: 'The version that is in force now.', json: deckShape } },
      problems: ['conflict'],
    },
    async ({ params: { deck_id }, identity, now }) => {
      const row = await inTransaction(pool, async (tx) => {
        await knownDeck(tx, deck_id);
        const former = await rollDeckBack(tx, deck_id);
        if (former === null) throw new Problem('conflict', 'It is not in force, or there is no version before it.');
        await audit(tx, adminActor(identity), 'rate_deck.roll_back', deck_id, now, { back_to: former });
        return knownDeck(tx, former);
      });
      return { status: 200, body: deckOf(row), version: row.version ?? 1 };
    },
  );
}

async function knownDeck(db: Parameters<typeof readDeck>[0], deck_id: number): Promise<DeckRow> {
  const row = await readDeck(db, deck_id);
  if (row === null) throw new Problem('not_found');
  return row;
}

async function lockedAt(
  tx: Transaction,
  deck_id: number,
  version: number | null,
  event: DeckEvent,
): Promise<{ uploaded_by: string }> {
  const change = await lockDeckChange(tx, deck_id);
  if (change === null) throw new Problem('not_found');
  if (change.version !== version) throw new Problem('version_conflict', 'Somebody else has moved it. Read it again.');
  if (stepDeck(change.state, event) === null) throw new Problem('too_late', `It is ${change.state}.`);
  return change;
}

function audit(
  tx: Transaction,
  actor: AuditActor,
  action: string,
  deck_id: number,
  now: Date,
  detail: Readonly<Record<string, unknown>>,
): Promise<void> {
  return appendAudit(tx, { at: now, actor, action, account_id: null, subject: `rate_deck:${deck_id}`, detail });
}
