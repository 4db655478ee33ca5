import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { formatAmiMessage, takeAmiMessages } from './ami_message.ts';
import type { AmiMessage } from './ami_message.ts';
import { SwitchLost } from '../lost.ts';
import type { AsteriskSwitchOptions } from './options.ts';
import { Pending } from './pending.ts';

/** A reply and, for actions that answer with a list, its entries. */
export interface AmiReply {
  message: AmiMessage;
  list: readonly AmiMessage[];
}

type AmiOptions = Pick<AsteriskSwitchOptions, 'ami' | 'request_timeout_ms' | 'problem'>;

/** An empty line that is not the last: two line breaks, which are four control characters, and more behind them. */
const EMPTY_LINE_WITHIN = '[[:cntrl:]]{4}[^[:cntrl:]]';

/** AMI, with events off until somebody asks for some: what finds a channel by its name goes this way, and what ARI has no word for. */
export class AmiSocket {
  readonly #socket: Socket;
  readonly #pending: Pending<AmiReply>;
  readonly #lists = new Map<string, { message: AmiMessage; list: AmiMessage[] }>();
  readonly #closedListener: (reason: string) => void;
  readonly #hear: (event: AmiMessage) => void;
  readonly #problem: (error: Error) => void;
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
    this.#problem = options.problem;
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
    const { messages, forged, rest } = takeAmiMessages(this.#rest + text);
    this.#rest = rest;
    if (forged > 0)
      this.#problem(new Error(`${forged} messages of the switch hold a caller's line breaks; they are not believed.`));
    for (const message of messages) this.#take(message);
  }

  /**
   * Lets the events of these classes come, of these names only, and none in which a caller's own line breaks make an empty
   * line: what stands behind it would be taken for an event of its own.
   */
  async listen(classes: 'call,user' | 'security', names: readonly string[]): Promise<void> {
    for (const name of names) {
      await this.#mustAccept({ Action: 'Filter', Operation: 'Add', MatchCriteria: `action(include),name(${name})` });
    }
    await this.#mustAccept({
      ...{ Action: 'Filter', Operation: 'Add', MatchCriteria: 'action(exclude),method(regex)' },
      Filter: EMPTY_LINE_WITHIN,
    });
    await this.#mustAccept({ Action: 'Events', EventMask: classes });
  }

  async #mustAccept(action: Readonly<Record<string, string>> & { Action: string }): Promise<void> {
    const { message } = await this.action(action);
    if (message.get('Response') !== 'Success') {
      throw new Error(`AMI refused ${action.Action}: ${message.get('Message') ?? 'no reason given'}`);
    }
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
