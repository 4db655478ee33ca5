import { EventEmitter, once } from 'node:events';
import { createRequire } from 'node:module';
import type { NpmPdu } from '../../smpp/testing/npm_smpp.ts';

type Fields = Readonly<Record<string, unknown>>;

interface NpmSession extends EventEmitter {
  bind_transmitter: Send;
  bind_receiver: Send;
  bind_transceiver: Send;
  submit_sm: Send;
  submit_multi: Send;
  data_sm: Send;
  query_sm: Send;
  cancel_sm: Send;
  replace_sm: Send;
  unbind: Send;
  send(pdu: NpmPdu): boolean;
  close(): void;
}

type Send = (fields: Fields, onResponse: (pdu: NpmPdu) => void) => boolean;

const smpp = createRequire(import.meta.url)('smpp') as { connect: (options: Fields) => NpmSession };

export type BindKind = 'bind_transmitter' | 'bind_receiver' | 'bind_transceiver';
export type Command = 'submit_sm' | 'submit_multi' | 'data_sm' | 'query_sm' | 'cancel_sm' | 'replace_sm';

/** A deliver_sm as the package read it. */
export interface Delivered {
  esm_class: number;
  source_addr: string;
  destination_addr: string;
  data_coding: number;
  short_message: { message: string | Buffer; udh?: Buffer | Buffer[] };
  receipted_message_id?: string;
  message_state?: number;
  user_message_reference?: number;
}

/** A customer's program, made with the npm package `smpp`: it shares nothing with what it is bound to. */
export class NpmEsme {
  /** In the order in which they came. */
  readonly delivered: Delivered[] = [];
  /** What it answers a deliver_sm with; null: nothing. */
  answer: number | null = 0;
  readonly closed: Promise<unknown>;
  readonly #session: NpmSession;
  readonly #heard = new EventEmitter();

  private constructor(session: NpmSession) {
    this.#session = session;
    session.on('error', () => session.close());
    this.closed = once(session, 'close');
    session.on('deliver_sm', (pdu: NpmPdu & { response: (fields: Fields) => NpmPdu }) => {
      this.delivered.push(pdu as unknown as Delivered);
      if (this.answer !== null) session.send(pdu.response({ command_status: this.answer }));
      this.#heard.emit('delivered');
    });
    session.on('unbind', (pdu: NpmPdu & { response: () => NpmPdu }) => {
      session.send(pdu.response());
      session.close();
    });
  }

  /** Over TLS it takes any certificate. */
  static async connect({ address, port, tls }: { address: string; port: number; tls?: boolean }): Promise<NpmEsme> {
    const session = smpp.connect({ host: address, port, ...(tls === true ? { tls, rejectUnauthorized: false } : {}) });
    const esme = new NpmEsme(session);
    await once(session, 'connect');
    return esme;
  }

  /** Resolves with the status of the response. */
  async bind(kind: BindKind, system_id: string, password: string, fields: Fields = {}): Promise<number> {
    const response = await this.#ask(kind, { system_id, password, interface_version: 0x34, ...fields });
    return response.command_status;
  }

  ask(command: Command, fields: Fields): Promise<NpmPdu> {
    return this.#ask(command, fields);
  }

  /** Resolves once so many came. */
  async hears(count: number): Promise<readonly Delivered[]> {
    while (this.delivered.length < count) await once(this.#heard, 'delivered');
    return this.delivered;
  }

  async unbind(): Promise<void> {
    await this.#ask('unbind', {});
    this.close();
    await this.closed;
  }

  /** Without a word. */
  close(): void {
    this.#session.close();
  }

  #ask(command: BindKind | Command | 'unbind', fields: Fields): Promise<NpmPdu> {
    return new Promise((resolve, reject) => {
      void this.closed.then(() => reject(new Error(`The connection ended before the ${command} was answered.`)));
      if (!this.#session[command](fields, resolve)) reject(new Error(`The ${command} could not be sent.`));
    });
  }
}
