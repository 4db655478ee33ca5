/** What the gateway answered to a text. */
export interface TextReply {
  status: number;
  id: string;
  state: string;
  segments: number;
  encoding: string;
  price: { net_micros: string; tax_micros: string; currency: string };
  /** Of a refusal. */
  type: string;
  detail: string;
}

export interface TextWish {
  from: string;
  to: string;
  text?: string;
  [field: string]: unknown;
}

/** A customer's program at the gateway's HTTP port. */
export class TextClient {
  readonly #url: string;
  readonly #api_key: string;

  constructor(url: string, api_key: string) {
    this.#url = url;
    this.#api_key = api_key;
  }

  async send(wish: TextWish, headers: Readonly<Record<string, string>> = {}): Promise<TextReply> {
    const response = await this.#ask('POST', '/v1/messages', wish, headers);
    return { ...((await response.json()) as Omit<TextReply, 'status'>), status: response.status };
  }

  async sendAll(messages: readonly TextWish[]): Promise<TextReply[]> {
    const response = await this.#ask('POST', '/v1/messages', { messages });
    return ((await response.json()) as { messages: TextReply[] }).messages;
  }

  async view(id: string): Promise<Record<string, unknown>> {
    return (await (await this.#ask('GET', `/v1/messages/${id}`)).json()) as Record<string, unknown>;
  }

  /** Puts another text, or another time, in the place of what waits. */
  async replace(id: string, wish: Readonly<Record<string, unknown>>): Promise<number> {
    const response = await this.#ask('PATCH', `/v1/messages/${id}`, wish);
    await response.body?.cancel();
    return response.status;
  }

  async cancel(id: string): Promise<number> {
    const response = await this.#ask('DELETE', `/v1/messages/${id}`);
    await response.body?.cancel();
    return response.status;
  }

  /** The code of that text was entered at the login. */
  async converted(id: string): Promise<number> {
    const response = await this.#ask('POST', `/v1/messages/${id}/converted`);
    await response.body?.cancel();
    return response.status;
  }

  async deadLetters(): Promise<{ dead_letters: Record<string, string>[]; next: string | null }> {
    return (await (await this.#ask('GET', '/v1/dead-letters')).json()) as Awaited<
      ReturnType<TextClient['deadLetters']>
    >;
  }

  async replayDeadLetters(wishes?: { since?: string; message_id?: string }): Promise<unknown> {
    return (await this.#ask('POST', '/v1/dead-letters/replay', wishes)).json();
  }

  #ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    return fetch(`${this.#url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#api_key}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
}
