import { appendAudit } from '../../domain/audit/append_audit.ts';
import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import type { Revocation } from '../identity/sessions.ts';
import type { Facts } from '../notices/notice_words.ts';
import { queueNotice } from '../notices/queue_notice.ts';
import { dropCallersOf } from '../profile/verified_callers.ts';
import { queueRevocation } from '../session/revocations.ts';
import { findTraces } from './disowned_traces.ts';
import type { Traces } from './disowned_traces.ts';
import { dropBindPasswords } from './undo_at_binds.ts';
import { endMemberships, setRolesBack } from './undo_at_members.ts';
import { dropPortPins, endForwards, lockTouched, setTextRoutesBack, withdrawTransfers } from './undo_at_numbers.ts';

/** What is undone, by what it is. Nothing is deleted that its owner may want back: a phone or a webhook can be switched on again. */
const KINDS = [
  ...(['api_keys', 'invitations', 'members', 'devices', 'webhooks'] as const),
  ...(['forwards', 'text_routes', 'transfers', 'port_pins', 'roles', 'esmes'] as const),
];
type Kind = (typeof KINDS)[number];

const WORDS: Readonly<Record<Kind, Pick<Facts, 'changed' | 'how'>>> = {
  api_keys: { changed: 'API keys', how: 'revoked' },
  invitations: { changed: 'invitations', how: 'withdrawn' },
  members: { changed: 'people who were invited', how: 'removed' },
  devices: { changed: 'phones', how: 'switched off' },
  webhooks: { changed: 'webhooks', how: 'switched off' },
  forwards: { changed: 'forwarding of calls', how: 'switched off' },
  text_routes: { changed: 'routes of texts', how: 'set back' },
  transfers: { changed: 'offers of numbers', how: 'withdrawn' },
  port_pins: { changed: 'PINs of numbers', how: 'revoked' },
  roles: { changed: 'roles of people', how: 'set back' },
  esmes: { changed: 'passwords of binds over SMPP', how: 'revoked' },
};

interface Undone {
  kind: Kind;
  id: string;
  account_id: string;
}

/**
 * Undoes what was made by a sign-in that is disowned and would go on without it: keys, who was let in or may do more, phones, webhooks,
 * passwords of binds, where calls and texts go, and by what a number could be taken. The owners of each account are told. Says which sessions have to end when the transaction is committed. Carried out twice it undoes what came meanwhile.
 * Comes last in its transaction.
 */
export async function undoDisowned(
  context: Pick<PortalContext, 'ring'>,
  tx: Transaction,
  now: Date,
  { user_id, since }: { user_id: string; since: Date },
): Promise<Revocation[]> {
  const traces = await findTraces(tx, user_id, since);
  const undone = [
    ...(await revokeKeys(tx, now, traces)),
    ...(await withdrawInvitations(tx, now, traces)),
    ...undoneOf('roles', await setRolesBack(tx, traces)),
    ...undoneOf('members', await endMemberships(tx, traces)),
    ...(await switchOff(tx, 'devices', traces)),
    ...(await switchOff(tx, 'webhooks', traces)),
    ...(await undoAtNumbers(tx, now, since, traces)),
    ...undoneOf('esmes', await dropBindPasswords(tx, traces)),
  ];
  const account_ids = [...new Set(undone.map(({ account_id }) => account_id))];
  for (const account_id of account_ids) await tell(tx, { account_id, since }, undone);
  const revocations: Revocation[] = [];
  for (const { kind, id, account_id } of undone) {
    if (kind !== 'members' && kind !== 'roles') continue;
    await dropCallersOf(context, tx, { user_id: id, account_id });
    revocations.push(await queueRevocation(tx, { user_id: id, account_id, except: null }));
  }
  for (const account_id of account_ids) {
    const idsOf = (kind: Kind): string[] =>
      undone.filter((one) => one.kind === kind && one.account_id === account_id).map(({ id }) => id);
    await appendAudit(tx, {
      ...{ at: now, actor: { kind: 'customer', id: user_id }, action: 'sign_in.disown', account_id },
      subject: `portal_user:${user_id}`,
      detail: Object.fromEntries(KINDS.map((kind) => [kind, idsOf(kind)])),
    });
  }
  return revocations;
}

/** Not by the names that were given, as whoever gave them may want them read. */
async function tell(
  tx: Queryable,
  { account_id, since }: { account_id: string; since: Date },
  undone: readonly Undone[],
): Promise<void> {
  for (const kind of KINDS) {
    const count = undone.filter((one) => one.kind === kind && one.account_id === account_id).length;
    if (count === 0) continue;
    const facts = { ...WORDS[kind], total: String(count), since: since.toISOString() };
    await queueNotice(tx, { to: { account_id }, template: 'taken_back', facts });
  }
}

async function undoAtNumbers(tx: Transaction, now: Date, since: Date, traces: Traces): Promise<Undone[]> {
  await lockTouched(tx, traces);
  return [
    ...undoneOf('forwards', await endForwards(tx, traces)),
    ...undoneOf('text_routes', await setTextRoutesBack(tx, traces, since)),
    ...undoneOf('transfers', await withdrawTransfers(tx, now, traces)),
    ...undoneOf('port_pins', await dropPortPins(tx, now, traces, since)),
  ];
}

interface UndoneRow {
  id: string;
  account_id: string;
}

const undoneOf = (kind: Kind, rows: readonly UndoneRow[]): Undone[] => rows.map((row) => ({ kind, ...row }));

async function revokeKeys(tx: Queryable, now: Date, { api_keys }: Traces): Promise<Undone[]> {
  const { rows } = await tx.query<UndoneRow>(
    'update api_key set revoked_at = $2 where id = any($1::uuid[]) and revoked_at is null returning id, account_id',
    [[...api_keys], now],
  );
  return undoneOf('api_keys', rows);
}

async function withdrawInvitations(tx: Queryable, now: Date, { invitations }: Traces): Promise<Undone[]> {
  const { rows } = await tx.query<UndoneRow>(
    `update invitation set revoked_at = $2
      where id = any($1::uuid[]) and accepted_at is null and revoked_at is null returning id, account_id`,
    [[...invitations], now],
  );
  return undoneOf('invitations', rows);
}

const SWITCHED_OFF = {
  devices: 'update sip_device set enabled = false, version = version + 1',
  webhooks: 'update webhook_endpoint set enabled = false',
} as const;

async function switchOff(tx: Queryable, kind: keyof typeof SWITCHED_OFF, traces: Traces): Promise<Undone[]> {
  const { rows } = await tx.query<UndoneRow>(
    `${SWITCHED_OFF[kind]} where id = any($1::uuid[]) and enabled returning id, account_id`,
    [[...traces[kind]]],
  );
  return undoneOf(kind, rows);
}
