import { MailCatcher } from '../mail/mail_catcher.ts';
import type { MailCatcherOptions } from '../mail/mail_catcher.ts';
import { claimTcp } from '../runtime/process/port.ts';
import { immortal } from '../runtime/running.ts';
import type { Running } from '../runtime/running.ts';
import type { Part } from '../supervise/part.ts';

export interface MailCatcherPart extends Running {
  smtp_url: string;
  catcher: MailCatcher;
}

/** Where the demonstration's mail goes: nobody gets any, and all of it can be read. */
export function mailCatcherPart(options: MailCatcherOptions): Part<MailCatcherPart> {
  return { name: 'Mail catcher', start: () => start(options) };
}

async function start(options: MailCatcherOptions): Promise<MailCatcherPart> {
  const { host, smtp_port, http_port } = options;
  await claimTcp(host, smtp_port, 'The mail catcher');
  await claimTcp(host, http_port, 'the mailbox of the mail catcher');
  const catcher = await MailCatcher.begin(options);
  const { smtp, http } = catcher.ports;
  return {
    describe: `Mail catcher on ${host}:${smtp}, to be read at http://${host}:${http}`,
    smtp_url: `smtp://${host}:${smtp}`,
    catcher,
    stop: () => catcher.end(),
    kill: () => void catcher.end(),
    died: immortal,
  };
}
