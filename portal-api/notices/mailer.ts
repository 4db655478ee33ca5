import { createTransport } from 'nodemailer';

export interface Mail {
  to: string;
  subject: string;
  text: string;
}

/** Where mail goes out. It resolves when somebody else is responsible for it. */
export interface Mailer {
  send(mail: Mail): Promise<void>;
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
    send: async ({ to, subject, text }) => {
      // An object is taken as it is; a string would be read as a list of addresses.
      await transport.sendMail({ from, to: { name: '', address: to }, subject, text });
    },
  };
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
