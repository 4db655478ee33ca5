import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { WebhookHeaders } from '../signature.ts';

export interface Hit {
  path: string;
  headers: http.IncomingHttpHeaders;
  signed: WebhookHeaders;
  body: string;
}

/** Answers one request, or keeps it unanswered by doing nothing. */
export type Answering = (response: http.ServerResponse, hit: Hit) => void;

export const status =
  (code: number, headers: http.OutgoingHttpHeaders = {}): Answering =>
  (response) => {
    response.writeHead(code, headers).end('whatever');
  };

export const silence: Answering = () => undefined;

/** A customer's server: remembers what came, and answers as it is told to. */
export class CustomerServer {
  readonly hits: Hit[] = [];
  connections = 0;
  /** For the requests of a path, in their order; then `otherwise`. */
  readonly answers = new Map<string, Answering[]>();
  otherwise: Answering = status(204);
  readonly #server: http.Server;
  readonly #scheme: string;
  readonly #sockets = new Set<Socket>();
  #heard: (() => void)[] = [];

  constructor(tls: { key: string | Buffer; cert: string | Buffer } | null = null) {
    const hear = (request: http.IncomingMessage, response: http.ServerResponse): void => {
      void this.#hear(request, response);
    };
    this.#scheme = tls === null ? 'http' : 'https';
    this.#server = tls === null ? http.createServer(hear) : https.createServer(tls, hear);
    this.#server.on('connection', (socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  async listen(): Promise<this> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(path = '/hook'): string {
    return `${this.#scheme}://127.0.0.1:${this.port}${path}`;
  }

  hitsOn(path: string): Hit[] {
    return this.hits.filter((hit) => hit.path === path);
  }

  async untilHits(count: number, path: string | null = null): Promise<void> {
    const isSo = (): boolean => (path === null ? this.hits : this.hitsOn(path)).length >= count;
    while (!isSo()) await new Promise<void>((resolve) => this.#heard.push(resolve));
  }

  /** Cuts what is open, answered or not. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #hear(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const header = (name: string): string => request.headers[name]?.toString() ?? '';
    const path = request.url ?? '';
    const hit: Hit = {
      path,
      headers: request.headers,
      signed: {
        'webhook-id': header('webhook-id'),
        'webhook-timestamp': header('webhook-timestamp'),
        'webhook-signature': header('webhook-signature'),
      },
      body: Buffer.concat(chunks).toString(),
    };
    this.hits.push(hit);
    (this.answers.get(path)?.shift() ?? this.otherwise)(response, hit);
    for (const heard of this.#heard.splice(0)) heard();
  }
}
