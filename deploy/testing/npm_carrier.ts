import { once } from 'node:events';
import { createRequire } from 'node:module';
import type { Server } from 'node:net';

type Fields = Readonly<Record<string, unknown>>;

/** A PDU as the npm package `smpp` reads it; the package has no types of its own. */
interface NpmPdu {
  command: string;
  command_status: number;
  response(fields?: Fields): NpmPdu;
  system_id?: string;
  password?: string;
}

interface NpmSubmit extends NpmPdu {
  source_addr_ton: number;
  source_addr: string;
  destination_addr: string;
  data_coding: number;
  registered_delivery: number;
  /** Decoded by the package; `udh` are the information elements, each with its identifier and length. */
  short_message: { message: string; udh?: Buffer[] };
}

interface NpmSession {
  send(pdu: NpmPdu): boolean;
  deliver_sm(fields: Fields, onResponse: (pdu: NpmPdu) => void): boolean;
  unbind(onResponse: (pdu: NpmPdu) => void): boolean;
  close(): void;
  destroy(): void;
  on(event: 'pdu', heard: (pdu: NpmPdu) => void): void;
  on(event: 'error', heard: (error: Error) => void): void;
  on(event: 'close', heard: () => void): void;
}

interface NpmSmpp {
  createServer(onSession: (session: NpmSession) => void): Server;
}

const npm = createRequire(import.meta.url)('smpp') as NpmSmpp;

/** What this carrier took, as the package read it. */
export interface TakenPart {
  message_id: string;
  from: string;
  from_ton: number;
  to: string;
  data_coding: number;
  registered_delivery: number;
  text: string;
  /** From the information element 0x00 or 0x08 of its UDH (3GPP TS 23.040 section 9.2.3.24); null: it stands alone. */
  segment: { reference: number; of: number; part: number } | null;
}

export interface NpmCarrierOptions {
  address: string;
  port: number;
  system_id: string;
  password: string;
  /** How the number of a text is written in the submit_sm_resp, and in its receipt. */
  ids: { response: 'decimal' | 'hex'; receipt: 'decimal' | 'hex' };
  /** Where a receipt says what it says. */
  receipts: 'text' | 'tlv';
  first_number: number;
}

/** How a text ends that was sent to this carrier. `refused` is a command_status; the others are of SMPP 3.4 appendix B. */
export type Ending =
  { kind: 'receipt'; stat: 'DELIVRD' | 'UNDELIV'; err: string } | { kind: 'refused'; status: number };

const ARRIVED: Ending = { kind: 'receipt', stat: 'DELIVRD', err: '000' };
const STATE_OF = { DELIVRD: 2, UNDELIV: 5 } as const;
const RECEIPT = 4;
const ESME_RINVPASWD = 0x0e;

/** A carrier's SMSC made of the server of the npm package `smpp`: it shares nothing with the gateway that it is there to judge. */
export class NpmCarrier {
  /** In the order in which they came. */
  readonly taken: TakenPart[] = [];
  /** The statuses by which receipts were acknowledged. */
  readonly acknowledged: number[] = [];
  /** What the package could not read or write, and what befell its connections. */
  readonly errors: Error[] = [];
  ending: Ending = ARRIVED;
  readonly #options: NpmCarrierOptions;
  readonly #server: Server;
  /** By whether receipts and texts may be brought there. */
  readonly #bound = new Map<NpmSession, { hears: boolean }>();
  readonly #open = new Set<NpmSession>();
  #number: number;

  constructor(options: NpmCarrierOptions) {
    this.#options = options;
    this.#number = options.first_number;
    this.#server = npm.createServer((session) => this.#serve(session));
  }

  /** May be called again after `leave`. */
  async listen(): Promise<void> {
    this.#server.listen(this.#options.port, this.#options.address);
    await once(this.#server, 'listening');
  }

  /** How many are bound. */
  get binds(): number {
    return this.#bound.size;
  }

  /** Listens no more and ends every connection, after an unbind or without a word. */
  async leave(how: 'unbind' | 'without_a_word'): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const session of this.#open) {
      if (how === 'without_a_word') session.destroy();
      else session.unbind(() => session.close());
    }
    await closed;
  }

  /** A text of a phone, in the parts given; resolves with the status of each response. */
  bring(text: { from: string; to: string; parts: readonly string[]; data_coding: 0 | 8 }): Promise<number[]> {
    const { from, to, parts, data_coding } = text;
    this.#number += 1;
    const reference = this.#number & 0xff;
    return Promise.all(
      parts.map((message, n) =>
        this.#deliver({
          ...{ source_addr_ton: 1, source_addr_npi: 1, source_addr: from, data_coding },
          ...{ dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: to },
          short_message:
            parts.length === 1 ? message : { message, udh: Buffer.from([5, 0, 3, reference, parts.length, n + 1]) },
        }),
      ),
    );
  }

  #serve(session: NpmSession): void {
    this.#open.add(session);
    // Without a listener, one reset would end this process.
    session.on('error', (error) => this.errors.push(error));
    session.on('close', () => {
      this.#open.delete(session);
      this.#bound.delete(session);
    });
    session.on('pdu', (pdu) => {
      switch (pdu.command) {
        case 'bind_transmitter':
        case 'bind_receiver':
        case 'bind_transceiver':
          return this.#bind(session, pdu);
        case 'submit_sm':
          return this.#take(session, pdu as NpmSubmit);
        case 'enquire_link':
          session.send(pdu.response());
          return;
        case 'unbind':
          session.send(pdu.response());
          session.close();
      }
    });
  }

  #bind(session: NpmSession, pdu: NpmPdu): void {
    const { system_id, password } = this.#options;
    if (pdu.system_id !== system_id || pdu.password !== password) {
      session.send(pdu.response({ command_status: ESME_RINVPASWD }));
      session.close();
      return;
    }
    this.#bound.set(session, { hears: pdu.command !== 'bind_transmitter' });
    session.send(pdu.response({ system_id: 'npm' }));
  }

  #take(session: NpmSession, pdu: NpmSubmit): void {
    const { ending } = this;
    if (ending.kind === 'refused') {
      session.send(pdu.response({ command_status: ending.status }));
      return;
    }
    this.#number += 1;
    const number = this.#number;
    const message_id = written(number, this.#options.ids.response);
    this.taken.push({
      message_id,
      ...{ from: pdu.source_addr, from_ton: pdu.source_addr_ton, to: pdu.destination_addr },
      ...{ data_coding: pdu.data_coding, registered_delivery: pdu.registered_delivery },
      text: pdu.short_message.message,
      segment: segmentOf(pdu.short_message.udh ?? []),
    });
    session.send(pdu.response({ message_id }));
    this.#tell(pdu, written(number, this.#options.ids.receipt), ending).then(
      (status) => this.acknowledged.push(status),
      (error: unknown) => this.errors.push(error instanceof Error ? error : new Error(String(error))),
    );
  }

  #tell(pdu: NpmSubmit, id: string, { stat, err }: Extract<Ending, { kind: 'receipt' }>): Promise<number> {
    const dates = 'submit date:2606010000 done date:2606010000';
    const words = `id:${id} sub:001 dlvrd:${stat === 'DELIVRD' ? '001' : '000'} ${dates} stat:${stat} err:${err} text:`;
    return this.#deliver({
      ...{ source_addr_ton: 1, source_addr_npi: 1, source_addr: pdu.destination_addr, data_coding: 0 },
      ...{ dest_addr_ton: pdu.source_addr_ton, destination_addr: pdu.source_addr, esm_class: RECEIPT },
      ...(this.#options.receipts === 'text'
        ? { short_message: words }
        : { short_message: '', receipted_message_id: id, message_state: STATE_OF[stat] }),
    });
  }

  #deliver(fields: Fields): Promise<number> {
    const session = [...this.#bound].find(([, { hears }]) => hears)?.[0];
    return new Promise((resolve, reject) => {
      const is_sent = session?.deliver_sm(fields, ({ command_status }) => resolve(command_status)) ?? false;
      if (!is_sent) reject(new Error('Nobody is bound who would take what this carrier brings.'));
    });
  }
}

/** The texts as a phone would show them, in the order in which each began. Throws where a part is missing or came twice. */
export function putTogether(parts: readonly TakenPart[]): string[] {
  const by_text = new Map<string, TakenPart[]>();
  for (const part of parts) {
    const { segment, to, message_id } = part;
    const key = segment === null ? `alone ${message_id}` : `${to} ${segment.reference} ${segment.of}`;
    by_text.set(key, [...(by_text.get(key) ?? []), part]);
  }
  return [...by_text.values()].map((of_text) => {
    const sorted = of_text.toSorted((one, other) => (one.segment?.part ?? 1) - (other.segment?.part ?? 1));
    const numbers = sorted.map(({ segment }) => segment?.part ?? 1);
    const wanted = Array.from({ length: sorted[0]?.segment?.of ?? 1 }, (_, n) => n + 1);
    if (numbers.join() !== wanted.join()) throw new Error(`Of parts ${wanted.join()} came ${numbers.join()}.`);
    return sorted.map(({ text }) => text).join('');
  });
}

function written(number: number, form: 'decimal' | 'hex'): string {
  return number.toString(form === 'hex' ? 16 : 10);
}

function segmentOf(elements: readonly Buffer[]): TakenPart['segment'] {
  for (const element of elements) {
    if (element[0] === 0x00) return { reference: element[2] ?? 0, of: element[3] ?? 0, part: element[4] ?? 0 };
    if (element[0] === 0x08) return { reference: element.readUInt16BE(2), of: element[4] ?? 0, part: element[5] ?? 0 };
  }
  return null;
}
