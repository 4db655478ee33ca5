import type { PortalContext } from '../context.ts';
import { smtpMailer } from './mailer.ts';
import { wordNotice } from './notice_words.ts';
import type { NoticeTemplate } from './notice_words.ts';

/** Sends a notice now, within a task. */
export type PostNotice = (
  to: string,
  template: NoticeTemplate,
  facts: Readonly<Record<string, string>>,
) => Promise<void>;

export function postingBy({ settings }: Pick<PortalContext, 'settings'>): PostNotice {
  const mailer = smtpMailer({ smtp_url: settings.SMTP_URL, from: settings.MAIL_FROM });
  const wording = { brand: settings.BRAND, origin: new URL(settings.PUBLIC_ORIGIN).origin };
  return (to, template, facts) => mailer.send({ to, ...wordNotice(template, facts, wording) });
}
