import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { formatAmiMessage, takeAmiMessages } from './ami_message.ts';
import type { AmiMessage } from './ami_message.ts';
import { SwitchLost } from './lost.ts';
import type { AsteriskSwitchOptions } from './options.ts';
import { Pending } from './pending.ts';

/** A reply and, for actions that answer with a list, its entries. */
export interface AmiReply {
  message: AmiMessage;
  list: readonly AmiMessage[];
}

type AmiOptions = Pick<AsteriskSwitchOptions, 'ami' | 'request_timeout_ms'>;

/** AMI with events off, which costs the switch nothing, until somebody asks for some: only commands that ARI has no word for go this way. */
export class AmiSocket {
  readonly #socket: Socket;
  readonly #pending: Pending<AmiReply>;
  readonly #lists = new Map<string, { message: AmiMessage; list: AmiMessage[] }>();
  readonly #closedListener: (reason: string) => void;
  readonly #hear: (event: AmiMessage) => void;
  #rest = '';
  #outgoing = '';
  #closed = false;

  private constructor(
    socket: Socket,
    options: AmiOptions,
    closed: (reason: string) => void,
    hear: (event: AmiMessage) => void,
  ) {
    this.#socket = socket;
    this.#hear = hear;
    this.#pending = new Pending(options.request_timeout_ms);
    this.#closedListener = closed;
    socket.setEncoding('utf8');
    socket.setNoDelay(true);
    socket.on('data', (text: string) => this.#receive(text));
    socket.on('error', (error) => this.#close(error.message));
    socket.on('close', () => this.#close('AMI closed the connection'));
  }

  static async open(
    options: AmiOptions,
    closed: (reason: string) => void,
    hear: (event: AmiMessage) => void = () => undefined,
  ): Promise<AmiSocket> {
    const { host, port, user, password } = options.ami;
    const socket = connect({ host, port });
    await new Promise<void>((resolve, reject) => {
      socket.setTimeout(options.request_timeout_ms, () => reject(new SwitchLost('AMI did not accept in time.')));
      socket.once('connect', resolve);
      socket.once('error', reject);
    }).catch((error: unknown) => {
      socket.destroy();
      throw error;
    });
    socket.setTimeout(0);
    const ami = new AmiSocket(socket, options, closed, hear);
    const { message } = await ami.action({ Action: 'Login', Username: user, Secret: password, Events: 'off' });
    if (message.get('Response') !== 'Success') {
      ami.close();
      throw new Error(`AMI refused the login: ${message.get('Message') ?? 'no reason given'}`);
    }
    return ami;
  }

  action(headers: Readonly<Record<string, string>> & { Action: string }): Promise<AmiReply> {
    if (this.#closed) return Promise.reject(new SwitchLost('The connection to AMI is closed.'));
    const { id, reply } = this.#pending.open(`AMI ${headers.Action}`);
    this.#send(formatAmiMessage({ ...headers, ActionID: id }));
    return reply;
  }

  /** What one turn of the event loop has to say goes out in one write: a batch of renewals moves many deadlines at once. */
  #send(text: string): void {
    if (this.#outgoing === '') process.nextTick(() => this.#flush());
    this.#outgoing += text;
  }

  #flush(): void {
    this.#socket.write(this.#outgoing);
    this.#outgoing = '';
  }

  close(): void {
    this.#close('closed by us');
    this.#socket.destroy();
  }

  #receive(text: string): void {
    const { messages, rest } = takeAmiMessages(this.#rest + text);
    this.#rest = rest;
    for (const message of messages) this.#take(message);
  }

  #take(message: AmiMessage): void {
    const id = message.get('ActionID');
    if (id === undefined) {
      if (message.has('Event')) this.#hear(message);
      return;
    }
    const open = this.#lists.get(id);
    const eventList = message.get('EventList')?.toLowerCase();
    if (open === undefined && eventList === 'start') {
      this.#lists.set(id, { message, list: [] });
    } else if (open !== undefined && eventList === 'complete') {
      this.#lists.delete(id);
      this.#pending.settle(id, open);
    } else if (open !== undefined) {
      open.list.push(message);
    } else {
      this.#pending.settle(id, { message, list: [] });
    }
  }

  #close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#lists.clear();
    this.#pending.failAll(`The connection to AMI was lost: ${reason}.`);
    this.#closedListener(reason);
  }
}
