import { createRequire } from 'node:module';
import { Condition } from '../../sip/condition.ts';

/** A PDU of the npm package `smpp`, which has no types of its own. Texts are decoded by it into `message`. */
export interface NpmPdu {
  command: string;
  command_status: number;
  sequence_number: number;
  response(fields?: object): NpmPdu;
  message_id?: string;
  source_addr?: string;
  destination_addr?: string;
  esm_class?: number;
  data_coding?: number;
  message_state?: number;
  receipted_message_id?: string;
  sar_segment_seqnum?: number;
  sar_total_segments?: number;
  unsuccess_sme?: { destination_addr: string; error_status_code: number }[];
  short_message?: { message: string | Buffer; udh?: Buffer[] };
}

interface NpmSession {
  send(pdu: NpmPdu, onResponse?: (pdu: NpmPdu) => void): boolean;
  on(event: 'pdu', heard: (pdu: NpmPdu) => void): void;
  on(event: 'error', heard: (error: Error) => void): void;
  on(event: 'connect' | 'close', heard: () => void): void;
  destroy(): void;
}

interface NpmSmpp {
  connect(options: { host: string; port: number }): NpmSession;
  PDU: new (command: string, fields?: object) => NpmPdu;
}

const npm = createRequire(import.meta.url)('smpp') as NpmSmpp;

const WITHIN_MS = 10_000;

export interface EsmeOptions {
  address: string;
  port: number;
  system_id?: string;
  password?: string;
  as?: 'transmitter' | 'receiver' | 'transceiver';
  /** With which status a deliver_sm is acknowledged; null: not at all. */
  acknowledge?: (pdu: NpmPdu) => number | null;
}

/** An ESME by somebody else's hands. It keeps all PDUs that came, in their order. */
export class NpmEsme {
  readonly heard: NpmPdu[] = [];
  readonly closed = new Condition<void>('The end of the connection');
  readonly #session: NpmSession;
  #waits: { count: number; is: (pdu: NpmPdu) => boolean; condition: Condition<NpmPdu[]> }[] = [];

  private constructor(session: NpmSession, acknowledge: (pdu: NpmPdu) => number | null) {
    this.#session = session;
    session.on('pdu', (pdu) => {
      this.heard.push(pdu);
      const status = pdu.command === 'deliver_sm' ? acknowledge(pdu) : null;
      if (status !== null) session.send(pdu.response({ command_status: status }));
      this.#waits = this.#waits.filter(({ count, is, condition }) => {
        const found = this.heard.filter(is);
        if (found.length < count) return true;
        condition.meet(found);
        return false;
      });
    });
    session.on('close', () => this.closed.meet());
  }

  /** Connected, and not bound. */
  static async connect({ address, port, acknowledge = () => 0 }: EsmeOptions): Promise<NpmEsme> {
    const connected = new Condition<void>('The connection');
    const session = npm.connect({ host: address, port });
    const esme = new NpmEsme(session, acknowledge);
    session.on('connect', () => connected.meet());
    // After the connection stands, a reset is told by `closed`.
    session.on('error', (error) => connected.fail(error.message));
    await connected.within(WITHIN_MS);
    return esme;
  }

  static async bound(options: EsmeOptions): Promise<NpmEsme> {
    const esme = await NpmEsme.connect(options);
    const { command_status } = await esme.bind(options);
    if (command_status !== 0) throw new Error(`The bind was refused with ${command_status}.`);
    return esme;
  }

  bind({ system_id = 'ann', password = 'secret', as = 'transceiver' }: Partial<EsmeOptions>): Promise<NpmPdu> {
    return this.ask(`bind_${as}`, { system_id, password, interface_version: 0x34 });
  }

  /** The response to a request. */
  ask(command: string, fields: object = {}): Promise<NpmPdu> {
    const response = new Condition<NpmPdu>(`The response to ${command}`);
    this.send(command, fields, (pdu) => response.meet(pdu));
    return response.within(WITHIN_MS);
  }

  send(command: string, fields: object = {}, onResponse?: (pdu: NpmPdu) => void): void {
    this.#session.send(new npm.PDU(command, fields), onResponse);
  }

  submit(text: string, fields: object = {}): Promise<NpmPdu> {
    return this.ask('submit_sm', submitFields(text, fields));
  }

  /** The deliver_sm that have come, once there are so many. */
  deliveries(count: number, within_ms = WITHIN_MS): Promise<NpmPdu[]> {
    const is = (pdu: NpmPdu): boolean => pdu.command === 'deliver_sm';
    const condition = new Condition<NpmPdu[]>(`Delivery ${count}`);
    const found = this.heard.filter(is);
    if (found.length >= count) condition.meet(found);
    else this.#waits.push({ count, is, condition });
    return condition.within(within_ms);
  }

  end(): void {
    this.#session.destroy();
  }
}

/** A text that wants a receipt. */
export function submitFields(text: string, fields: object = {}): object {
  return {
    source_addr_ton: 5,
    source_addr: 'Letsdial',
    dest_addr_ton: 1,
    dest_addr_npi: 1,
    destination_addr: '447700900123',
    registered_delivery: 1,
    // Else the package chooses one.
    data_coding: 0,
    short_message: text,
    ...fields,
  };
}

export function textOf(pdu: NpmPdu | undefined): string {
  const message = pdu?.short_message?.message ?? '';
  return typeof message === 'string' ? message : message.toString('latin1');
}
