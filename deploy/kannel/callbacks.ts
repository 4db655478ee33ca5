import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** A receipt as Kannel tells it. */
export interface KannelReceipt {
  /** What whoever sent the text called it. */
  id: string;
  /** Kannel's kinds: 1 delivered, 2 not delivered, 4 still under way, 8 taken by the SMSC, 16 refused by it. */
  kind: number;
  /** What the SMSC said, with Kannel's own word before it. */
  words: string;
}

/** A text of a phone as Kannel tells it. */
export interface KannelText {
  from: string;
  to: string;
  text: string;
}

/** The customer's own web server, which Kannel calls. */
export class KannelCallbacks {
  /** In the order in which they came. */
  readonly receipts: KannelReceipt[] = [];
  readonly texts: KannelText[] = [];
  readonly #server: http.Server;
  readonly #address: string;

  private constructor(address: string) {
    this.#address = address;
    this.#server = http.createServer((request, response) => {
      this.#take(request.url ?? '');
      response.end();
    });
  }

  static async listen(address: string): Promise<KannelCallbacks> {
    const callbacks = new KannelCallbacks(address);
    await new Promise<void>((resolve, reject) => {
      callbacks.#server.once('error', reject);
      callbacks.#server.listen(0, address, resolve);
    });
    return callbacks;
  }

  get text_url(): string {
    return `${this.#origin}/text`;
  }

  /** To be given to Kannel along with a text. */
  receiptUrl(id: string): string {
    return `${this.#origin}/receipt?id=${encodeURIComponent(id)}&kind=%d&words=%A`;
  }

  async end(): Promise<void> {
    // Kannel keeps its connections open for the next call.
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get #origin(): string {
    return `http://${this.#address}:${(this.#server.address() as AddressInfo).port}`;
  }

  #take(url: string): void {
    const [path, query = ''] = url.split('?', 2);
    const octets = octetsByName(query);
    const words = (name: string): string => (octets.get(name) ?? Buffer.alloc(0)).toString('utf8');
    if (path === '/receipt') {
      this.receipts.push({ id: words('id'), kind: Number(words('kind')), words: words('words') });
    }
    if (path === '/text') {
      const text = decoded(octets.get('text') ?? Buffer.alloc(0), words('charset'));
      this.texts.push({ from: words('from'), to: words('to'), text });
    }
  }
}

/** The text may stand there in UTF-16, which is no query of UTF-8 as URLs commonly hold. */
function octetsByName(query: string): Map<string, Buffer> {
  const pairs = query.split('&').map((pair): [string, Buffer] => {
    const [name = '', value = ''] = pair.split('=', 2);
    return [name, octetsOf(value)];
  });
  return new Map(pairs);
}

function octetsOf(escaped: string): Buffer {
  const plain = escaped.replace(/\+/gu, ' ');
  return Buffer.from(
    plain.replace(/%([0-9a-f]{2})/giu, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))),
    'latin1',
  );
}

function decoded(octets: Buffer, charset: string): string {
  if (!/^utf-?16/iu.test(charset)) return octets.toString('utf8');
  return Buffer.from(octets.subarray(0, octets.length & ~1))
    .swap16()
    .toString('utf16le');
}
