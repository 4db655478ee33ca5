import { inTransaction } from '../../domain/db/transaction.ts';
import { blindIndex, emailSpelling } from '../../domain/privacy/sealing.ts';
import type { PortalContext } from '../context.ts';
import { holdBack, recordBounce } from './bounce_rows.ts';
import type { Reader } from './fact_words.ts';
import { newMailId } from './mail_id.ts';
import { smtpMailer } from './mailer.ts';
import { wordNotice } from './notice_words.ts';
import type { Facts, NoticeTemplate } from './notice_words.ts';

export interface PostWishes {
  /** English and UTC by default. */
  reader?: Reader;
  /** A code that somebody waits for: it goes also to an address from which mail came back. */
  is_asked_for?: boolean;
}

/** What somebody has to learn in any case: what may be another one's doing with what is his, and what binds him. */
const NEVER_HELD_BACK: ReadonlySet<NoticeTemplate> = new Set<NoticeTemplate>([
  ...(['new_sign_in', 'signed_out', 'credential_changed', 'email_changed', 'phone_changed', 'password_reset'] as const),
  ...(['taken_back', 'port_out_requested', 'transfer_done', 'terms_changed', 'terms_in_force'] as const),
  ...(['ownership_disputed', 'ownership_taken'] as const),
]);

/** Sends a notice now, within a task. */
export type PostNotice = (to: string, template: NoticeTemplate, facts: Facts, wishes?: PostWishes) => Promise<void>;

export const PLAIN_READER: Reader = { locale: 'en', time_zone: 'UTC' };

/**
 * What is refused for good is written down and not tried again; what the server takes from nobody like us is tried again, as that is ours
 * to put right.
 */
export function postingBy({
  settings,
  pool,
  ring,
  now,
}: Pick<PortalContext, 'settings' | 'pool' | 'ring' | 'now'>): PostNotice {
  const mailer = smtpMailer({ smtp_url: settings.SMTP_URL, from: settings.MAIL_FROM });
  const wording = { brand: settings.BRAND, origin: new URL(settings.PUBLIC_ORIGIN).origin };
  return async (to, template, facts, { reader = PLAIN_READER, is_asked_for = false } = {}) => {
    const address_index = blindIndex(ring, 'email', emailSpelling(to));
    const is_due = is_asked_for || NEVER_HELD_BACK.has(template);
    if (!is_due && (await holdBack(pool, address_index, now()))) return;
    const message_id = newMailId(ring, to, settings.MAIL_FROM);
    const handed = await mailer.send({ to, message_id, ...wordNotice(template, facts, wording, reader) });
    if (handed.kind === 'taken') return;
    const { class: bounce_class, smtp_code, status } = handed;
    const bounce = { address_index, class: bounce_class, smtp_code, status, report_sha256: null, at: now() };
    await inTransaction(pool, (tx) => recordBounce(tx, { ...bounce, source: 'refusal' }));
    if (bounce_class === 'policy') {
      throw new Error(`The mail server takes no such mail from us: ${smtp_code} ${status ?? 'without a status'}.`);
    }
  };
}
