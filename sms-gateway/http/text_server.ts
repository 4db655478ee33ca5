import { hash } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { Outage } from '../../domain/db/batch.ts';
import type { Acceptance, Acceptor } from '../accept/acceptor.ts';
import type { TextPayer } from '../accept/payer.ts';
import type { CancelVerdict } from '../../domain/texts/decisions.ts';
import type { DeadLetterDesk } from './dead_letter_desk.ts';
import type { MessageView } from './message_view.ts';
import type { ReplacementDesk } from './replacement_desk.ts';
import { problem, problemOf, retryAfterS } from './problem.ts';
import { NO_TEXT, replyOf, wrongMethod } from './reply.ts';
import type { Reply } from './reply.ts';
import { KEY_LENGTH_MAX, readBody, readText } from './text_body.ts';

export interface TextServerOptions {
  host: string;
  port: number;
  acceptor: Acceptor;
  /** By the SHA-256 of the key in hex; null for none that may send texts. */
  payerOfKey: (secret_sha256: string) => Promise<TextPayer | null>;
  /** Whether that address has guessed too many keys to be answered now. */
  guesses: { tooMany: (address: string) => boolean; wrong: (address: string) => void };
  view: (account_id: string, message_id: string) => Promise<MessageView | null>;
  cancel: (account_id: string, message_id: string) => Promise<CancelVerdict>;
  replacements: Pick<ReplacementDesk, 'replace'>;
  /** The code of that text was entered at the login; false where the account sent none by that id. */
  converted: (account_id: string, message_id: string) => Promise<boolean>;
  dead_letters: Pick<DeadLetterDesk, 'list' | 'replay'>;
  log: Logger;
}

const BODY_OCTETS_MAX = 2_000_000;
const TEXT = /^\/v1\/messages\/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(\/converted)?$/u;

/**
 * The HTTP port for customers' programs: texts singly and in batches, what became of one, to replace one or take it back, that its code
 * was entered, and what could not be told. Plain node:http, for a text may cost 200 µs in all.
 */
export class TextServer {
  readonly #options: TextServerOptions;
  readonly #server: http.Server;
  #is_closing = false;

  constructor(options: TextServerOptions) {
    this.#options = options;
    this.#server = http.createServer((request, response) => {
      this.#answer(request).then(
        (reply) => this.#send(response, reply),
        (error: unknown) => this.#send(response, this.#failure(error)),
      );
    });
    this.#server.keepAliveTimeout = 60_000;
    this.#server.requestTimeout = 30_000;
    this.#server.maxRequestsPerSocket = 0;
  }

  listen(): Promise<number> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  /** Answers what came, and takes no more. */
  close(): Promise<void> {
    this.#is_closing = true;
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeIdleConnections();
    });
  }

  async #answer(request: http.IncomingMessage): Promise<Reply> {
    const address = request.socket.remoteAddress ?? '';
    if (this.#options.guesses.tooMany(address)) {
      return { ...replyOf(problem(429, 'too_many_guesses', GUESSES)), retry_after_s: 60 };
    }
    const payer = await this.#payer(request.headers.authorization);
    if (payer === null) {
      this.#options.guesses.wrong(address);
      return replyOf(
        problem(
          401,
          'unauthorized',
          'The API key is missing, unknown or revoked: send it as Authorization: Bearer KEY.',
        ),
      );
    }
    const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
    if (path === '/v1/messages') {
      if (request.method !== 'POST') return wrongMethod('Texts are sent by POST.');
      return this.#post(request, payer);
    }
    const [, message_id, converted] = TEXT.exec(path) ?? [];
    if (message_id !== undefined) {
      return converted === undefined
        ? this.#ofText(request, payer, message_id)
        : this.#converted(request.method, payer, message_id);
    }
    return this.#ofDeadLetters(request, payer, path, query);
  }

  async #ofText(request: http.IncomingMessage, payer: TextPayer, message_id: string): Promise<Reply> {
    switch (request.method) {
      case 'GET':
        return this.#get(payer, message_id);
      case 'DELETE':
        return this.#delete(payer, message_id);
      case 'PATCH': {
        const octets = await readAll(request);
        return octets === null ? replyOf(TOO_LARGE) : this.#options.replacements.replace(payer, message_id, octets);
      }
      default:
        return wrongMethod('A text can be looked at (GET), replaced (PATCH) and taken back (DELETE).');
    }
  }

  async #converted(method: string | undefined, { account_id }: TextPayer, message_id: string): Promise<Reply> {
    if (method !== 'POST') return wrongMethod('That the code of a text was entered is told by POST.');
    const is_known = await this.#options.converted(account_id, message_id);
    return is_known ? { status: 204, body: null } : replyOf(NO_TEXT);
  }

  async #ofDeadLetters(
    request: http.IncomingMessage,
    { account_id }: TextPayer,
    path: string,
    query: string,
  ): Promise<Reply> {
    const { dead_letters } = this.#options;
    if (path === '/v1/dead-letters') {
      if (request.method !== 'GET') return wrongMethod('Dead letters are looked at by GET.');
      return dead_letters.list(account_id, query);
    }
    if (path !== '/v1/dead-letters/replay') {
      return replyOf(problem(404, 'not_found', 'There is nothing at this address.'));
    }
    if (request.method !== 'POST') return wrongMethod('Dead letters are told again by POST.');
    const octets = await readAll(request);
    return octets === null ? replyOf(TOO_LARGE) : dead_letters.replay(account_id, octets);
  }

  async #payer(authorization: string | undefined): Promise<TextPayer | null> {
    if (authorization?.startsWith('Bearer ') !== true) return null;
    return this.#options.payerOfKey(hash('sha256', authorization.slice(7), 'hex'));
  }

  async #post(request: http.IncomingMessage, payer: TextPayer): Promise<Reply> {
    const octets = await readAll(request);
    if (octets === null) return replyOf(TOO_LARGE);
    const read = readBody(octets);
    if (read.kind === 'invalid') return replyOf(problem(400, 'invalid_request', read.detail));
    const header = request.headers['idempotency-key'];
    const key = typeof header === 'string' ? header : null;
    // Of a batch each text has the key of its place; one that is dropped without a word would have a retry charged again.
    const keys = read.kind === 'one' ? [key] : read.bodies.map((_, place) => key && `${key}/${place}`);
    if (key === '' || keys.some((one) => one !== null && one.length > KEY_LENGTH_MAX)) {
      return replyOf(problem(400, 'invalid_request', WRONG_KEY));
    }
    if (read.kind === 'one') return this.#accept(read.body, payer, key);
    const replies = await Promise.all(
      read.bodies.map((body, place) =>
        // What one of them meets with on our side is not what became of the others.
        this.#accept(body, payer, keys[place] ?? null).catch((error: unknown) => this.#failure(error)),
      ),
    );
    const reply = {
      status: 207,
      body: { messages: replies.map(({ status, body }) => ({ status, ...(body as object) })) },
    };
    // Those that are to be sent again may be sent again together.
    const retry_after_s = Math.max(0, ...replies.map((one) => one.retry_after_s ?? 0));
    return retry_after_s === 0 ? reply : { ...reply, retry_after_s };
  }

  async #accept(body: unknown, payer: TextPayer, key: string | null): Promise<Reply> {
    const text = readText(body, key);
    if (text.kind === 'invalid') return replyOf(problem(400, 'invalid_request', text.detail));
    return replyTo(await this.#options.acceptor.accept(text.request, payer));
  }

  async #get({ account_id }: TextPayer, message_id: string): Promise<Reply> {
    const view = await this.#options.view(account_id, message_id);
    return view === null ? replyOf(NO_TEXT) : { status: 200, body: view };
  }

  async #delete({ account_id }: TextPayer, message_id: string): Promise<Reply> {
    switch (await this.#options.cancel(account_id, message_id)) {
      case 'cancelled':
        return { status: 200, body: { id: message_id, state: 'cancelled' } };
      case 'not_found':
        return replyOf(NO_TEXT);
      case 'too_late':
        return replyOf(
          problem(409, 'too_late', 'The text is on its way or has ended, so it can no longer be taken back.'),
        );
    }
  }

  #failure(error: unknown): Reply {
    if (Outage.is(error)) return { ...replyOf(problem(503, 'unavailable', AWAY)), retry_after_s: 2 };
    this.#options.log.error({ err: error }, 'a request failed');
    return replyOf(
      problem(
        500,
        'fault',
        'Something failed on our side, and we were told: try again, and ask the support if it stays.',
      ),
    );
  }

  #send(response: http.ServerResponse, { status, body, retry_after_s }: Reply): void {
    const headers: http.OutgoingHttpHeaders = { 'cache-control': 'no-store' };
    if (retry_after_s !== undefined) headers['retry-after'] = String(retry_after_s);
    if (this.#is_closing) headers['connection'] = 'close';
    if (body === null) {
      response.writeHead(status, headers).end();
      return;
    }
    const text = JSON.stringify(body);
    headers['content-type'] = status >= 400 ? 'application/problem+json' : 'application/json';
    headers['content-length'] = Buffer.byteLength(text);
    response.writeHead(status, headers);
    response.end(text);
  }
}

const WRONG_KEY = `Idempotency-Key has 1 to ${KEY_LENGTH_MAX} characters, with the number of each text in a batch.`;
const AWAY = 'The database cannot be asked at the moment: try again in a moment.';
const GUESSES = 'Too many wrong keys came from this address, so it is not answered for a minute.';
const TOO_LARGE = problem(413, 'too_large', `A request has at most ${BODY_OCTETS_MAX} octets.`);

function replyTo(acceptance: Acceptance): Reply {
  if (acceptance.kind === 'refused') {
    const reply = replyOf(problemOf(acceptance.refusal));
    const retry_after_s = retryAfterS(acceptance.refusal.code);
    return retry_after_s === null ? reply : { ...reply, retry_after_s };
  }
  const { id, segments, encoding, net_micros, tax_micros, currency, is_held } = acceptance;
  return {
    status: 202,
    body: {
      id,
      state: is_held ? 'held' : 'queued',
      segments,
      encoding,
      price: { net_micros: net_micros.toString(), tax_micros: tax_micros.toString(), currency },
    },
  };
}

/** Null where it is longer than allowed; the rest of it is not read. */
function readAll(request: http.IncomingMessage): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length_octets = 0;
    request.on('data', (chunk: Buffer) => {
      length_octets += chunk.length;
      if (length_octets > BODY_OCTETS_MAX) {
        request.pause();
        resolve(null);
        return;
      }
      chunks.push(chunk);
    });
    request.on('end', () =>
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
    );
    request.on('error', reject);
  });
}
