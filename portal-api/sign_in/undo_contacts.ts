import { appendAudit } from '../../domain/audit/append_audit.ts';
import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { emailSpelling, unseal } from '../../domain/privacy/sealing.ts';
import type { PortalContext } from '../context.ts';
import { queueNotice } from '../notices/queue_notice.ts';
import { setEmail, setPhone } from '../profile/contact_changes.ts';
import { readProfile } from '../profile/read_profile.ts';

/** `taken`: somebody else signs in with that address by now, so it was left as it is. */
type SetBack = 'unchanged' | 'set_back' | 'taken';

export interface ContactsBack {
  email: SetBack;
  phone: SetBack;
}

export interface Disowning {
  user_id: string;
  /** When the sign-in was that is disowned. */
  since: Date;
  /** The network address of whoever says so. */
  address: string;
}

/** Whoever was reached at an address before has heard at once that it is another one, and has had so long to object. */
const RECENT_MS = 30 * 86_400_000;

/**
 * Sets back where somebody is reached where that was changed since a sign-in that is disowned: the code for a new password is mailed
 * there, and must not go to whoever came in by that sign-in. To be called before that code is asked for.
 *
 * A thief who holds a session can disown sign-ins too, also one of the owner's that came before his own. So it does not go back to what
 * counted at that sign-in, which the thief may have put there before, and been put out since: it goes back to what counted a month ago, or
 * at the first change within it. Nothing that came within that month can come to count again by this, and what is older was theirs while
 * nobody objected. He would need the mailbox itself that was theirs within the month; and the address that counts no more is told. Whoever
 * moved within it and is robbed is mailed where they were reached before: if they do not read there any more, support has to look, and
 * the thief has nothing.
 */
export async function setContactsBack(
  context: PortalContext,
  tx: Transaction,
  now: Date,
  { user_id, since, address }: Disowning,
): Promise<ContactsBack> {
  await endContactCodes(tx, now, user_id);
  const profile = await readProfile(context, tx, user_id, { lock: true });
  const changes = await selectRecent(tx, user_id, new Date(now.getTime() - RECENT_MS));
  const former = (field: RecentChange['field']): RecentChange | null => {
    const of_field = changes.filter((change) => change.field === field);
    return of_field.some(({ at }) => at >= since) ? (of_field[0] ?? null) : null;
  };
  const opened = ({ change_id, before_sealed: sealed }: RecentChange): string | null =>
    sealed === null ? null : unseal(profile.key, `profile_change.before:${change_id}`, sealed).toString();
  const back: ContactsBack = { email: 'unchanged', phone: 'unchanged' };
  const [email_change, phone_change] = [former('email'), former('phone')];
  const email = email_change === null ? null : opened(email_change);
  if (email_change !== null && email !== null && emailSpelling(email) !== emailSpelling(profile.email)) {
    const change = { target: email, verified_at: email_change.at, address };
    back.email = (await setEmail(context, tx, now, profile, change)) === 'taken' ? 'taken' : 'set_back';
  }
  if (phone_change !== null && opened(phone_change) !== profile.phone) {
    const change = { target: opened(phone_change), verified_at: phone_change.at, address };
    await setPhone(context, tx, now, profile, change);
    back.phone = 'set_back';
  }
  await tell(tx, { user_id, since }, back);
  return back;
}

interface RecentChange {
  change_id: string;
  field: 'email' | 'phone';
  at: Date;
  before_sealed: Buffer | null;
}

async function selectRecent(db: Queryable, user_id: string, from: Date): Promise<RecentChange[]> {
  const { rows } = await db.query<RecentChange>(
    `select id as change_id, field, at, before_sealed from profile_change
      where user_id = $1 and at >= $2 and field in ('email', 'phone') order by at, id`,
    [user_id, from],
  );
  return rows;
}

/** Those by which an address or a number was to be changed. */
async function endContactCodes(db: Queryable, now: Date, user_id: string): Promise<void> {
  await db.query(
    `update verification_code set ended_at = $2
      where purpose in ('email_change', 'phone_change') and subject_id = $1 and ended_at is null`,
    [user_id, now],
  );
}

async function tell(
  tx: Queryable,
  { user_id, since }: { user_id: string; since: Date },
  { email, phone }: ContactsBack,
): Promise<void> {
  const facts = { how: 'set back', since: since.toISOString() };
  if (email === 'set_back') {
    const changed = 'the address for mail';
    await queueNotice(tx, { to: { user_id }, template: 'taken_back', facts: { changed, ...facts } });
  }
  if (phone === 'set_back') {
    const changed = 'the phone number';
    await queueNotice(tx, { to: { user_id }, template: 'taken_back', facts: { changed, ...facts } });
  }
}

/** For each account that they may act for, as each is open to whoever signs in as them. Comes last in its transaction. */
export async function auditContactsBack(tx: Transaction, at: Date, user_id: string, back: ContactsBack): Promise<void> {
  if (back.email === 'unchanged' && back.phone === 'unchanged') return;
  const { rows } = await tx.query<{ account_id: string | null; kind: 'customer' | 'admin' }>(
    `select m.account_id, u.kind from portal_user u left join membership m on m.user_id = u.id where u.id = $1 order by m.account_id`,
    [user_id],
  );
  for (const { account_id, kind } of rows) {
    await appendAudit(tx, {
      ...{ at, actor: { kind, id: user_id }, action: 'sign_in.set_contacts_back', account_id },
      ...{ subject: `portal_user:${user_id}`, detail: { ...back } },
    });
  }
}
