import { AmiSocket } from './ami_socket.ts';
import type { AmiReply } from './ami_socket.ts';
import type { AriEvent } from './ari_event.ts';
import { AriSocket } from './ari_socket.ts';
import { SwitchLost } from './lost.ts';
import type { AsteriskSwitchOptions } from './options.ts';

/** Both connections to the switch; they live and die together, so that "connected" has one meaning. */
export class Session {
  readonly ari: AriSocket;
  readonly ami: AmiSocket;
  readonly #timer: NodeJS.Timeout;

  private constructor(ari: AriSocket, ami: AmiSocket, options: AsteriskSwitchOptions, lost: (reason: string) => void) {
    this.ari = ari;
    this.ami = ami;
    this.#timer = setInterval(() => {
      this.#beat().catch((error: unknown) => lost(error instanceof Error ? error.message : String(error)));
    }, options.heartbeat_ms);
  }

  /** `lost` is called once, when either connection is gone or the switch has stopped answering. */
  static async open(
    options: AsteriskSwitchOptions,
    event: (event: AriEvent) => void,
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
    const ami = await AmiSocket.open(options, once);
    try {
      const ari = await AriSocket.open(options, { event, closed: once });
      session = new Session(ari, ami, options, once);
    } catch (error) {
      told = true;
      ami.close();
      throw error;
    }
    if (told as boolean) {
      session.close();
      throw new SwitchLost('The switch closed the connection at once.');
    }
    return session;
  }

  /** Milliseconds of the switch's own wall clock. */
  async clock(): Promise<number> {
    const { message } = await this.ami.action({ Action: 'Ping' });
    const seconds = Number(message.get('Timestamp'));
    if (!Number.isFinite(seconds)) throw new Error('The switch did not tell its time.');
    return Math.round(seconds * 1000);
  }

  async channels(): Promise<AmiReply['list']> {
    const { message, list } = await this.ami.action({ Action: 'CoreShowChannels' });
    if (message.get('Response') !== 'Success')
      throw new Error(`The switch refused to list its channels: ${message.get('Message') ?? ''}`);
    return list;
  }

  close(): void {
    clearInterval(this.#timer);
    this.ari.close();
    this.ami.close();
  }

  async #beat(): Promise<void> {
    await Promise.all([this.clock(), this.ari.request('GET', 'asterisk/ping')]);
  }
}
