import { createTransport } from 'nodemailer';
import { bounceClass, enhancedStatus } from './bounce_class.ts';
import type { BounceClass } from './bounce_class.ts';

export interface Mail {
  to: string;
  subject: string;
  text: string;
  /** As `<…@…>`: by which a report of what became of it is known to be about it. */
  message_id: string;
}

export interface Refusal {
  class: BounceClass;
  smtp_code: number;
  status: string | null;
}

/** `taken`: somebody else is responsible for it. `refused`: for good, so it is not handed over again. */
export type Handed = { kind: 'taken' } | ({ kind: 'refused' } & Refusal);

/** Where mail goes out. It throws where it may go well another time. */
export interface Mailer {
  send(mail: Mail): Promise<Handed>;
}

export interface SmtpMailerOptions {
  smtp_url: string;
  from: string;
}

const TIMEOUT_MS = 10_000;

/** Hands mail to a server by SMTP; whoever calls tries again where it is away. */
export function smtpMailer({ smtp_url, from }: SmtpMailerOptions): Mailer {
  const transport = createTransport({
    ...serverOf(new URL(smtp_url)),
    ...{ connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS },
  });
  return {
    send: async ({ to, subject, text, message_id: messageId }) => {
      try {
        // An object is taken as it is; a string would be read as a list of addresses.
        await transport.sendMail({ from, to: { name: '', address: to }, subject, text, messageId });
        return { kind: 'taken' };
      } catch (error) {
        const refusal = refusalOf(error);
        if (refusal === null) throw new MailNotTaken(error);
        return { kind: 'refused', ...refusal };
      }
    },
  };
}

/** As nodemailer tells of what a server answered. */
interface Answered {
  /** Its own word for what went wrong: `EENVELOPE`. */
  code: string;
  responseCode: number;
  response: string;
  command: string;
}

/**
 * Why the server did not take a mail this time. Of its reply only the numbers: its words repeat the address now and then, and what is thrown
 * in a task stands in our log and with the task.
 */
export class MailNotTaken extends Error {
  override readonly name = 'MailNotTaken';

  constructor(error: unknown) {
    const { code, responseCode, response = '', command } = error as Partial<Answered>;
    const known = [
      ...(/^[A-Z]{2,20}$/u.test(code ?? '') ? [code] : []),
      ...(responseCode === undefined ? [] : [responseCode, enhancedStatus(response)]),
      ...(/^[A-Z ]{2,20}$/u.test(command ?? '') ? [`at ${command}`] : []),
    ].filter((word) => word !== null);
    super(`The mail server did not take it: ${known.length === 0 ? 'nobody knows why' : known.join(' ')}.`);
  }
}

/** Null where it may go well another time, or is not about this mail: a password that is wrong, a sender who is not known. */
function refusalOf(error: unknown): Refusal | null {
  const { responseCode: smtp_code, response = '', command } = error as Partial<Answered>;
  if (smtp_code === undefined || smtp_code < 500 || smtp_code > 599) return null;
  const at = command === 'RCPT TO' ? 'recipient' : command === 'DATA' ? 'content' : null;
  if (at === null) return null;
  const status = enhancedStatus(response);
  return { class: bounceClass(smtp_code, status, at, response), smtp_code, status };
}

interface Server {
  host: string;
  port: number;
  secure: boolean;
  auth?: { user: string; pass: string };
}

function serverOf(url: URL): Server {
  const secure = url.protocol === 'smtps:';
  const server = { host: url.hostname, port: url.port === '' ? (secure ? 465 : 587) : Number(url.port), secure };
  if (url.username === '') return server;
  return { ...server, auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } };
}
