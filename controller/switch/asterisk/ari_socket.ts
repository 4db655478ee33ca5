import WebSocket from 'ws';
import { STASIS_APP } from '../../../dialplan/asterisk/contract.ts';
import { ARI_EVENT_TYPES, parseAriMessage } from './ari_event.ts';
import type { AriEvent } from './ari_event.ts';
import { SwitchLost } from '../lost.ts';
import type { AsteriskSwitchOptions } from './options.ts';
import { Pending } from './pending.ts';

export interface AriReply {
  status: number;
  body: string;
}

export interface AriListener {
  event: (event: AriEvent) => void;
  /** Called once, however the connection ended. */
  closed: (reason: string) => void;
}

/**
 * One websocket that carries both the events and the requests of ARI (REST over websocket, Asterisk >= 22.2). It hears of the
 * channels that are in Stasis and subscribes to no other: the switch would write each step of each call as JSON to tell it.
 */
export class AriSocket {
  readonly #socket: WebSocket;
  readonly #pending: Pending<AriReply>;
  readonly #listener: AriListener;
  #closed = false;

  private constructor(socket: WebSocket, options: AsteriskSwitchOptions, listener: AriListener) {
    this.#socket = socket;
    this.#pending = new Pending(options.request_timeout_ms);
    this.#listener = listener;
    socket.on('message', (data: Buffer) => this.#receive(data.toString('utf8')));
    socket.on('error', (error) => this.#close(error.message));
    socket.on('close', (code) => this.#close(`ARI closed the websocket with code ${code}`));
  }

  static async open(options: AsteriskSwitchOptions, listener: AriListener): Promise<AriSocket> {
    const { url, user, password } = options.ari;
    const address = `${url.replace(/^http/u, 'ws')}/ari/events?app=${STASIS_APP}`;
    const socket = new WebSocket(address, {
      headers: { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` },
      handshakeTimeout: options.request_timeout_ms,
      perMessageDeflate: false,
      // An event is a few kilobytes; a peer that sends more is not Asterisk.
      maxPayload: 16 * 1024 * 1024,
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    const ari = new AriSocket(socket, options, listener);
    await ari.#setFilter();
    return ari;
  }

  /** `body` is sent as JSON. Rejects with SwitchLost when no reply comes. */
  request(method: 'GET' | 'POST' | 'PUT' | 'DELETE', uri: string, body?: unknown): Promise<AriReply> {
    if (this.#closed) return Promise.reject(new SwitchLost('The connection to ARI is closed.'));
    const { id, reply } = this.#pending.open(`${method} ${uri.replace(/\?.*/u, '')}`);
    const content = body === undefined ? {} : { content_type: 'application/json', message_body: JSON.stringify(body) };
    this.#socket.send(JSON.stringify({ type: 'RESTRequest', request_id: id, method, uri, ...content }));
    return reply;
  }

  close(): void {
    this.#socket.close();
    this.#close('closed by us');
    this.#socket.terminate();
  }

  async #setFilter(): Promise<void> {
    const allowed = ARI_EVENT_TYPES.map((type) => ({ type }));
    const reply = await this.request('PUT', `applications/${STASIS_APP}/eventFilter`, { allowed });
    if (reply.status !== 200) throw new Error(`ARI refused the event filter: ${reply.status} ${reply.body}`);
  }

  #receive(text: string): void {
    const message = parseAriMessage(text);
    if (message === null) return;
    if (message.type === 'RESTResponse') {
      this.#pending.settle(message.request_id, { status: message.status_code, body: message.message_body ?? '' });
      return;
    }
    this.#listener.event(message);
  }

  #close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pending.failAll(`The connection to ARI was lost: ${reason}.`);
    this.#listener.closed(reason);
  }
}
