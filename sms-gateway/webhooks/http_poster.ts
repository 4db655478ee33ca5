import http from 'node:http';
import https from 'node:https';
import type { Clock } from '../smpp/clock.ts';
import { guardedLookup, openLookup, RefusedAddress, refusedLiteral } from './endpoint_address.ts';
import type { Resolve } from './endpoint_address.ts';
import type { HttpAnswer } from './http_answer.ts';

export interface HttpPosterOptions {
  clock: Clock;
  /** For all of it: looking up, connecting, sending, and hearing the answer to its end. */
  timeout_ms: number;
  /** What a server says beyond its status is of no use; more than this is not even listened to. */
  response_octets_max: number;
  /** Connections that nothing goes over are kept this long. */
  idle_ms: number;
  /** True where the endpoints are ours, as in tests: elsewhere customers would reach into our network. */
  allow_private_addresses: boolean;
  resolve: Resolve;
}

class Timeout extends Error {
  override readonly name = 'Timeout';
}

/** A kept connection may be closed by the other side just as something is sent over it. So often is another one taken. */
const STALE_CONNECTIONS_MAX = 3;

/** Posts JSON to customers' servers: over kept connections, without following redirects, with certificates checked. */
export class HttpPoster {
  readonly #options: HttpPosterOptions;
  readonly #http: http.Agent;
  readonly #https: https.Agent;
  #closed = false;

  constructor(options: HttpPosterOptions) {
    this.#options = options;
    const lookup = options.allow_private_addresses ? openLookup(options.resolve) : guardedLookup(options.resolve);
    const kept = { keepAlive: true, maxFreeSockets: 4, timeout: options.idle_ms, lookup };
    this.#http = new http.Agent(kept);
    this.#https = new https.Agent({ ...kept, rejectUnauthorized: true });
  }

  /** Never rejects: whatever happens on the way is an answer. */
  async post(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<HttpAnswer> {
    if (!URL.canParse(url)) return failed('connection', `${url} is not a URL.`);
    const target = new URL(url);
    const refused = this.#options.allow_private_addresses ? null : refusedLiteral(target);
    if (refused !== null) return failed('refused_address', refused.message);
    for (let stale = 0; stale < STALE_CONNECTIONS_MAX && !this.#closed; stale += 1) {
      const answer = await this.#exchange(target, headers, body);
      if (answer !== 'stale') return answer;
    }
    if (this.#closed) return failed('connection', 'The gateway was stopped.');
    return failed('connection', 'The server closes its connections as soon as something is sent.');
  }

  /** Closes the connections, those in use included: what waits for an answer fails at once. */
  close(): void {
    this.#closed = true;
    this.#http.destroy();
    this.#https.destroy();
  }

  #exchange(url: URL, headers: Readonly<Record<string, string>>, body: string): Promise<HttpAnswer | 'stale'> {
    const { clock, timeout_ms, response_octets_max } = this.#options;
    return new Promise((resolve) => {
      const options = { method: 'POST', headers: { ...headers } };
      const request =
        url.protocol === 'https:'
          ? https.request(url, { ...options, agent: this.#https })
          : http.request(url, { ...options, agent: this.#http });
      let answer: HttpAnswer | 'stale' | null = null;
      const takeBack = clock.after(timeout_ms, () =>
        request.destroy(new Timeout(`The server did not answer within ${timeout_ms / 1000} s.`)),
      );
      request.on('response', (response) => {
        answer = answered(response);
        dropBody(request, response, response_octets_max);
      });
      request.on('error', (error: NodeJS.ErrnoException) => (answer ??= failureOf(error, request.reusedSocket)));
      request.on('close', () => {
        takeBack();
        resolve(answer ?? failed('connection', 'The server closed the connection without an answer.'));
      });
      request.end(body);
    });
  }
}

function answered({ statusCode, headers }: http.IncomingMessage): HttpAnswer {
  return { kind: 'answered', status: statusCode ?? 0, retry_after: headers['retry-after'] ?? null };
}

/** The connection is kept when the body ends in time; the status counts in any case. */
function dropBody(request: http.ClientRequest, response: http.IncomingMessage, octets_max: number): void {
  let octets = 0;
  response.on('data', (chunk: Buffer) => {
    octets += chunk.length;
    if (octets > octets_max) request.destroy();
  });
  // A body that breaks off is dropped as well as a whole one.
  response.on('error', () => request.destroy());
}

function failureOf(error: NodeJS.ErrnoException, was_kept: boolean): HttpAnswer | 'stale' {
  if (error instanceof Timeout) return failed('timeout', error.message);
  if (error instanceof RefusedAddress) return failed('refused_address', error.message);
  if (was_kept && (error.code === 'ECONNRESET' || error.code === 'EPIPE')) return 'stale';
  // One that tried several addresses has no words of its own.
  const why = error.message === '' ? (error.code ?? error.name) : error.message;
  return failed('connection', why.slice(0, 300));
}

function failed(reason: Extract<HttpAnswer, { kind: 'failed' }>['reason'], why: string): HttpAnswer {
  return { kind: 'failed', reason, why };
}
