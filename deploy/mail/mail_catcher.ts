import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';

/** A mail as whoever it is for would read it. */
export interface CaughtMail {
  from: string;
  to: readonly string[];
  subject: string;
  text: string;
  /** As `<…@…>`. */
  message_id: string;
  caught_at: string;
}

/** What a server says that does not take a mail: when it hears whom it is for, or when it has it. */
export interface RefusedMail {
  at: 'recipient' | 'content';
  smtp_code: number;
  words: string;
}

export interface MailCatcherOptions {
  host: string;
  smtp_port: number;
  /** Where they are read. */
  http_port: number;
}

const KEPT_MAX = 500;
const MAIL_BYTES_MAX = 1_000_000;

/** Takes every mail, sends none on, and shows the newest to whoever asks on the same machine: for demonstrations and tests. */
export class MailCatcher {
  readonly #smtp: SMTPServer;
  readonly #http: Server;
  readonly #mails: CaughtMail[] = [];
  readonly #refused = new Map<string, RefusedMail>();

  private constructor() {
    this.#smtp = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      size: MAIL_BYTES_MAX,
      logger: false,
      onRcptTo: ({ address }, _session, done) => done(this.#refusalOf('recipient', [address])),
      onData: (stream, session, done) => {
        const to = session.envelope.rcptTo.map(({ address }) => address);
        const refusal = this.#refusalOf('content', to);
        if (refusal !== null) {
          stream.resume();
          stream.once('end', () => done(refusal));
          return;
        }
        this.#take(stream, to).then(
          () => done(),
          (error: unknown) => done(error instanceof Error ? error : new Error('the mail was not read')),
        );
      },
    });
    // Somebody who hangs up in the middle is no concern of a catcher.
    this.#smtp.on('error', () => undefined);
    this.#http = createServer((request, response) => this.#answer(request, response));
  }

  static async begin({ host, smtp_port, http_port }: MailCatcherOptions): Promise<MailCatcher> {
    const catcher = new MailCatcher();
    await new Promise<void>((resolve, reject) => {
      catcher.#smtp.server.once('error', reject);
      catcher.#smtp.listen(smtp_port, host, resolve);
    });
    await new Promise<void>((resolve, reject) => {
      catcher.#http.once('error', reject);
      catcher.#http.listen(http_port, host, resolve);
    });
    return catcher;
  }

  get ports(): { smtp: number; http: number } {
    const portOf = (address: AddressInfo | string | null): number => (address as AddressInfo).port;
    return { smtp: portOf(this.#smtp.server.address()), http: portOf(this.#http.address()) };
  }

  /** The newest last; all, or those to one address. */
  mails(to?: string): readonly CaughtMail[] {
    return to === undefined ? this.#mails : this.#mails.filter((mail) => mail.to.includes(to));
  }

  /** Takes no mail to that address any more, as a server that says so; null: takes it again. */
  refuse(address: string, refusal: RefusedMail | null): void {
    if (refusal === null) this.#refused.delete(address);
    else this.#refused.set(address, refusal);
  }

  async end(): Promise<void> {
    this.#http.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#http.close(() => resolve());
    });
    await new Promise<void>((resolve) => {
      this.#smtp.close(() => resolve());
    });
  }

  #refusalOf(at: RefusedMail['at'], to: readonly string[]): Error | null {
    const refused = to.map((address) => this.#refused.get(address)).find((one) => one?.at === at);
    if (refused === undefined) return null;
    return Object.assign(new Error(refused.words), { responseCode: refused.smtp_code });
  }

  async #take(stream: Readable, to: readonly string[]): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    const mail = await PostalMime.parse(Buffer.concat(chunks));
    const caught = { from: mail.from?.address ?? '', to, subject: mail.subject ?? '', text: mail.text ?? '' };
    this.#mails.push({ ...caught, message_id: mail.messageId ?? '', caught_at: new Date().toISOString() });
    if (this.#mails.length > KEPT_MAX) this.#mails.shift();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://mail');
    if (request.method !== 'GET') {
      response.writeHead(405).end();
    } else if (url.pathname === '/mails') {
      const body = JSON.stringify({ items: this.mails(url.searchParams.get('to') ?? undefined).toReversed() });
      response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    } else if (url.pathname === '/') {
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(this.#asText());
    } else {
      response.writeHead(404).end();
    }
  }

  #asText(): string {
    const shown = this.#mails
      .toReversed()
      .map(({ caught_at, to, subject, text }) => `${caught_at}  to ${to.join(', ')}\n${subject}\n\n${text}`);
    return shown.length === 0 ? 'No mail yet.\n' : shown.join(`\n${'-'.repeat(72)}\n\n`);
  }
}
