import { SERVED_UNTIL_VARIABLE } from '../../../dialplan/asterisk/contract.ts';
import { AmiSocket } from './ami_socket.ts';
import type { AmiReply } from './ami_socket.ts';
import type { AriEvent } from './ari_event.ts';
import { AriSocket } from './ari_socket.ts';
import { CALL_EVENTS, parseCallEvent } from './call_event.ts';
import type { CallEvent } from './call_event.ts';
import { SwitchLost } from '../lost.ts';
import type { AsteriskSwitchOptions } from './options.ts';

/** A controller that is busy for a moment is not dead, and no caller waits longer than this for one that is. */
const SERVED_HEARTBEATS = 3;

/** Both connections to the switch; they live and die together, so that "connected" has one meaning. */
export class Session {
  readonly ari: AriSocket;
  readonly ami: AmiSocket;
  readonly #options: AsteriskSwitchOptions;
  readonly #timer: NodeJS.Timeout;
  #closed = false;

  private constructor(ari: AriSocket, ami: AmiSocket, options: AsteriskSwitchOptions, lost: (reason: string) => void) {
    this.ari = ari;
    this.ami = ami;
    this.#options = options;
    this.#timer = setInterval(() => {
      this.#beat().catch((error: unknown) => lost(error instanceof Error ? error.message : String(error)));
    }, options.heartbeat_ms);
  }

  /** `lost` is called once, when either connection is gone or the switch has stopped answering. */
  static async open(
    options: AsteriskSwitchOptions,
    hear: { whisper: (event: AriEvent) => void; call: (event: CallEvent) => void },
    lost: (reason: string) => void,
  ): Promise<Session> {
    let told = false;
    let session: Session | null = null;
    const once = (reason: string): void => {
      if (told) return;
      told = true;
      session?.close();
      lost(reason);
    };
    const ami = await AmiSocket.open(options, once, (message) => {
      const event = parseCallEvent(message);
      if (event instanceof Error) options.problem(event);
      else if (event !== null) hear.call(event);
    });
    try {
      const ari = await AriSocket.open(options, { event: hear.whisper, closed: once });
      session = new Session(ari, ami, options, once);
      await ami.listen('call,user', CALL_EVENTS);
      await session.#serve();
    } catch (error) {
      told = true;
      session?.close();
      ami.close();
      throw error;
    }
    if (session.closed) throw new SwitchLost('The switch closed the connection at once.');
    return session;
  }

  /** Milliseconds of the switch's own wall clock. */
  async clock(): Promise<number> {
    const { message } = await this.ami.action({ Action: 'Ping' });
    const seconds = Number(message.get('Timestamp'));
    if (!Number.isFinite(seconds)) throw new Error('The switch did not tell its time.');
    return Math.round(seconds * 1000);
  }

  /**
   * Over a connection of its own: the switch carries out what comes over one of them in its order, and with thousands of channels
   * every call that arrives meanwhile would wait for the end of the list.
   */
  async channels(): Promise<AmiReply['list']> {
    const ami = await AmiSocket.open(this.#options, () => undefined);
    try {
      const { message, list } = await ami.action({ Action: 'CoreShowChannels' });
      if (message.get('Response') !== 'Success')
        throw new Error(`The switch refused to list its channels: ${message.get('Message') ?? ''}`);
      return list;
    } finally {
      ami.close();
    }
  }

  /** Tells the dialplan that calls are taken here, for some heartbeats: it gives us none when we have died. */
  async #serve(): Promise<void> {
    const until_s =
      Math.ceil((await this.clock()) / 1000) + SERVED_HEARTBEATS * Math.ceil(this.#options.heartbeat_ms / 1000);
    await this.ami.action({ Action: 'Setvar', Variable: SERVED_UNTIL_VARIABLE, Value: String(until_s) });
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.ari.close();
    this.ami.close();
  }

  async #beat(): Promise<void> {
    await Promise.all([this.#serve(), this.ari.request('GET', 'asterisk/ping')]);
  }
}
