import { Agent, request } from 'node:http';
import type { TextReply, TextWish } from '../../world/text_client.ts';

const CONNECTIONS = 32;

/**
 * A customer's program at the gateway's HTTP port over a fixed number of connections, each of which stays in use: were there as
 * many as requests happen to be under way, the files that the gateway has open would go up with every pause of anybody.
 */
export class KeptConnections {
  readonly #url: string;
  readonly #api_key: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS, scheduling: 'fifo' });

  private constructor(url: string, api_key: string) {
    this.#url = url;
    this.#api_key = api_key;
  }

  static async open(url: string, api_key: string): Promise<KeptConnections> {
    const connections = new KeptConnections(url, api_key);
    // All at once, so that each opens a connection.
    await Promise.all(Array.from({ length: CONNECTIONS }, () => connections.#ask('GET', '/v1/messages/none', '')));
    return connections;
  }

  /** Rejects with the error of the socket where nobody answered. */
  async send(wish: TextWish): Promise<TextReply> {
    const { status, body } = await this.#ask('POST', '/v1/messages', JSON.stringify(wish));
    return { ...(JSON.parse(body) as Omit<TextReply, 'status'>), status };
  }

  close(): void {
    this.#agent.destroy();
  }

  #ask(method: string, path: string, body: string): Promise<{ status: number; body: string }> {
    const headers = { authorization: `Bearer ${this.#api_key}`, 'content-type': 'application/json' };
    return new Promise((resolve, reject) => {
      const asked = request(`${this.#url}${path}`, { method, headers, agent: this.#agent }, (response) => {
        let received = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (received += chunk));
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: received }));
      });
      asked.on('error', reject);
      asked.end(body);
    });
  }
}
