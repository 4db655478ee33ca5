import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import type { AuditActor } from '../../domain/audit/append_audit.ts';
import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { ownHolding } from '../numbers/holdings/holding_rows.ts';
import { lockNumber } from '../numbers/lock_number.ts';
import { writeWav } from './wav.ts';
import type { Recording } from './wav.ts';

/** Whether a number takes messages, and who greets. */
export type Voicemail = { greeting: 'standard' | 'own' } | null;

export interface MailboxWisher {
  account_id: string;
  actor: AuditActor;
  /** Whether that one has proven lately to be it. */
  is_proven: boolean;
  now: Date;
}

export async function selectMailbox(
  db: Queryable,
  number: string,
  account_id: string,
): Promise<{ voicemail: Voicemail } | null> {
  const { rows } = await db.query<{ voicemail: 'standard' | 'own' | null }>(
    `select d.voicemail from did d join number_holding h on h.number = d.number and h.held_to is null
      where d.number = $1 and h.account_id = $2`,
    [number, account_id],
  );
  const row = rows[0];
  return row === undefined ? null : { voicemail: row.voicemail && { greeting: row.voicemail } };
}

/**
 * `no_greeting`: an own one is wanted where none was sent. The greeting that is not wanted any more is removed by whoever sweeps.
 * `unproven`: whoever has somebody's session could have codes spoken into a mailbox, as with forwarding, so switching it on asks for proof.
 */
export async function setMailbox(
  tx: Transaction,
  number: string,
  wanted: Voicemail | { greeting_id: string },
  { account_id, actor, is_proven, now }: MailboxWisher,
): Promise<'set' | 'not_found' | 'no_greeting' | 'unproven'> {
  await lockNumber(tx, number);
  const holding = await ownHolding(tx, number, account_id);
  const before = await selectMailbox(tx, number, account_id);
  if (holding === null || before === null) return 'not_found';
  const is_new = wanted !== null && 'greeting_id' in wanted;
  const greeting = wanted === null ? null : is_new ? 'own' : wanted.greeting;
  if (before.voicemail === null && greeting !== null && !is_proven) return 'unproven';
  if (!is_new && greeting === 'own') return before.voicemail?.greeting === 'own' ? 'set' : 'no_greeting';
  await tx.query('update did set voicemail = $2, voicemail_greeting = $3 where number = $1', [
    ...[number, greeting, is_new ? wanted.greeting_id : null],
  ]);
  await appendAudit(tx, {
    ...{ at: now, actor, action: 'number.voicemail', account_id, subject: `number_holding:${holding.id}` },
    detail: { before: before.voicemail?.greeting ?? 'off', after: greeting ?? 'off' },
  });
  return 'set';
}

/** Where the switch finds it: complete or not at all. */
export async function writeGreeting(folder: string, recording: Recording): Promise<string> {
  const id = randomUUID();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const unfinished = join(folder, `${id}.unfinished`);
  await writeFile(unfinished, writeWav(recording), { mode: 0o600 });
  await rename(unfinished, join(folder, `${id}.wav`));
  return id;
}

const GREETING = /^(?<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(?:wav|unfinished)$/u;

/** Removes the greetings that greet nobody any more: of numbers that were given back, or that are greeted otherwise now. */
export async function sweepGreetings(db: Queryable, folder: string, older_than: Date): Promise<void> {
  const ids = new Map<string, string>();
  for (const name of await readdir(folder).catch(() => [])) {
    const id = GREETING.exec(name)?.groups?.['id'];
    const written_ms = (await stat(join(folder, name)).catch(() => null))?.mtime.getTime() ?? Infinity;
    if (id !== undefined && written_ms < older_than.getTime()) ids.set(id, name);
  }
  const { rows } = await db.query<{ id: string }>(
    'select g.id from unnest($1::uuid[]) g(id) where not exists (select 1 from did d where d.voicemail_greeting = g.id)',
    [[...ids.keys()]],
  );
  for (const { id } of rows) await rm(join(folder, ids.get(id) ?? ''), { force: true });
}
