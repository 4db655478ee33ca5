import { randomUUID } from 'node:crypto';

export interface Reply<T = unknown> {
  status: number;
  headers: Headers;
  body: T;
}

export interface Wishes {
  body?: unknown;
  form?: FormData;
  /** A new one for each request by default; null: none. */
  idempotency_key?: string | null;
  /** Of If-Match. */
  version?: number;
  headers?: Readonly<Record<string, string>>;
}

/** A browser's side of the portal: keeps its cookie, and sends the token that goes with it. */
export class PortalClient {
  readonly #url: string;
  #cookie: string | null = null;
  #csrf_token: string | null = null;
  /** Sent as `Authorization: Bearer` instead of a cookie. */
  api_key: string | null = null;

  constructor(url: string) {
    this.#url = url;
  }

  /** Signed in as whoever has that session. */
  adopt(cookie: string, csrf_token: string): this {
    this.#cookie = cookie;
    this.#csrf_token = csrf_token;
    return this;
  }

  get<T>(path: string, wishes: Wishes = {}): Promise<Reply<T>> {
    return this.ask<T>('GET', path, wishes);
  }

  post<T>(path: string, body?: unknown, wishes: Wishes = {}): Promise<Reply<T>> {
    return this.ask<T>('POST', path, { body, ...wishes });
  }

  /** Text and JSON are told as such, everything else as bytes. */
  async ask<T>(method: string, path: string, wishes: Wishes = {}): Promise<Reply<T>> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: this.#headers(method, wishes),
      body: wishes.form ?? (wishes.body === undefined ? null : JSON.stringify(wishes.body)),
      redirect: 'manual',
    });
    for (const line of response.headers.getSetCookie()) this.#cookie = line.split(';')[0] ?? null;
    const reply = { status: response.status, headers: response.headers, body: (await bodyOf(response)) as T };
    const told = reply.body as { csrf_token?: unknown } | null;
    if (typeof told?.csrf_token === 'string') this.#csrf_token = told.csrf_token;
    return reply;
  }

  /** A stream of events, for as long as somebody reads it. */
  stream(path: string): Promise<Response> {
    return fetch(`${this.#url}${path}`, { headers: this.#headers('GET', {}) });
  }

  #headers(method: string, { body, form, idempotency_key, version, headers }: Wishes): Record<string, string> {
    const sent: Record<string, string> = {};
    if (body !== undefined && form === undefined) sent['content-type'] = 'application/json';
    if (this.api_key !== null) sent['authorization'] = `Bearer ${this.api_key}`;
    else if (this.#cookie !== null) sent['cookie'] = this.#cookie;
    if (method !== 'GET') {
      if (this.#csrf_token !== null) sent['x-csrf-token'] = this.#csrf_token;
      if (idempotency_key !== null) sent['idempotency-key'] = idempotency_key ?? randomUUID();
    }
    if (version !== undefined) sent['if-match'] = `"${version}"`;
    return { ...sent, ...headers };
  }
}

async function bodyOf(response: Response): Promise<unknown> {
  const type = response.headers.get('content-type') ?? '';
  // It ends when whoever listens leaves.
  if (type.startsWith('text/event-stream')) {
    await response.body?.cancel();
    return null;
  }
  if (type.includes('json')) return response.json();
  if (type.startsWith('text/')) return response.text();
  return Buffer.from(await response.arrayBuffer());
}
