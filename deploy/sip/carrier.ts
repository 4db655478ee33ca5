import { answer } from './carrier_script.ts';
import type { Script } from './carrier_script.ts';
import type { Call } from './call.ts';
import type { CallRecord } from './call_record.ts';
import { Condition } from './condition.ts';
import { DigestServer } from './digest.ts';
import type { Credentials } from './digest.ts';
import type { IncomingCall } from './incoming_call.ts';
import { headerOf } from './message.ts';
import type { Header } from './message.ts';
import type { OutgoingCall } from './outgoing_call.ts';
import type { Address } from './socket.ts';
import type { ServerTransaction } from './transaction.ts';
import { UserAgent } from './user_agent.ts';
import type { AgentOptions } from './user_agent.ts';
import type { WireLog } from './wire_log.ts';

export interface CarrierOptions extends Partial<Omit<AgentOptions, 'user' | 'credentials'>> {
  /** The switch this carrier sends calls to; needed for callIn(). */
  server?: Address;
  /** What to do with a call; may also be set later with `play()`. */
  scriptOf?: (number: string) => Script | undefined;
  /** INVITEs without these are challenged, as a proxy does (407) unless told otherwise. */
  challenge?: Credentials & { realm: string; status?: 401 | 407 };
}

/** The carrier at the far end of a trunk: no registration, known by its address. */
export class CarrierPeer {
  private readonly agent: UserAgent;
  private readonly options: CarrierOptions;
  private readonly script_by_number = new Map<string, Script>();
  private otherwise: Script = answer();
  private readonly waits = new Map<NodeJS.Timeout, () => void>();
  private readonly digest: DigestServer | undefined;
  private readonly arrivals: IncomingCall[] = [];
  private arrival = new Condition<void>('A call to the carrier');

  private constructor(agent: UserAgent, options: CarrierOptions) {
    this.agent = agent;
    this.options = options;
    this.digest = options.challenge === undefined ? undefined : new DigestServer(options.challenge.realm);
    agent.guardRequests((transaction) => this.challenge(transaction));
    agent.handleInvites((call) => this.onInvite(call));
  }

  static async open(options: CarrierOptions): Promise<CarrierPeer> {
    return new CarrierPeer(await UserAgent.open({ address: '127.0.0.5', ...options, user: 'carrier' }), options);
  }

  get address(): Address {
    return this.agent.layer.local;
  }

  get log(): WireLog {
    return this.agent.log;
  }

  /** Every call that reached or left this carrier, oldest first. */
  get records(): readonly CallRecord[] {
    return this.agent.records;
  }

  get liveCalls(): readonly Call[] {
    return this.agent.liveCalls;
  }

  /** The script for a number as it stands in the Request-URI; without a number, for all others. */
  play(script: Script, number?: string): void {
    if (number === undefined) this.otherwise = script;
    else this.script_by_number.set(number, script);
  }

  /** The next call that came and was not taken yet; its script runs on by itself. */
  async nextCall(within_ms = 10_000): Promise<IncomingCall> {
    if (this.arrivals.length === 0) await this.arrival.within(within_ms);
    const call = this.arrivals.shift();
    if (call === undefined) throw new Error('Two waited for the same call to the carrier.');
    if (this.arrivals.length === 0) this.arrival = new Condition<void>('A call to the carrier');
    return call;
  }

  /** A call from this carrier to one of the switch's numbers. */
  callIn(
    number: string,
    from: string,
    options: { headers?: Header[]; sdp?: string; display_name?: string } = {},
  ): OutgoingCall {
    const { server } = this.options;
    if (server === undefined) throw new Error('callIn() needs the option `server`: where the switch listens.');
    const { headers = [], sdp, display_name } = options;
    return this.agent.call({
      number,
      target: server,
      domain: `${server.address}:${server.port}`,
      from_user: from,
      headers,
      ...(sdp === undefined ? {} : { sdp }),
      ...(display_name === undefined ? {} : { from_display: display_name }),
    });
  }

  async close(): Promise<void> {
    for (const [timer, wake] of this.waits) {
      clearTimeout(timer);
      wake();
    }
    this.arrival.fail('the carrier was closed');
    await this.agent.close();
  }

  private challenge(transaction: ServerTransaction): boolean {
    const { request } = transaction;
    const wanted = this.options.challenge;
    if (this.digest === undefined || wanted === undefined || request.method !== 'INVITE') return false;
    const status = wanted.status ?? 407;
    const [asks, answers] =
      status === 401 ? ['www-authenticate', 'authorization'] : ['proxy-authenticate', 'proxy-authorization'];
    const value = headerOf(request, answers) ?? '';
    const verdict = this.digest.check(value, 'INVITE', (name) =>
      name === wanted.username ? wanted.password : undefined,
    );
    if (verdict === 'right') return false;
    const headers = this.digest.challenges().map((each) => ({ name: asks, value: each }));
    transaction.respond(status, { headers, to_tag: 'challenge' });
    return true;
  }

  private onInvite(call: IncomingCall): void {
    this.arrivals.push(call);
    // Under load nobody takes them; the records stay.
    if (this.arrivals.length > 1000) this.arrivals.shift();
    this.arrival.meet();
    const script = this.script_by_number.get(call.number) ?? this.options.scriptOf?.(call.number) ?? this.otherwise;
    this.agent.track(this.run(script, call));
  }

  private async run(script: Script, call: IncomingCall): Promise<void> {
    try {
      await script(call, (ms) => this.pause(call, ms));
    } catch (error) {
      // A call that ended under its script is no fault of the script; anything else comes out of close().
      if (call.isLive) throw error;
    }
  }

  private async pause(call: IncomingCall, ms: number): Promise<boolean> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(wake, ms);
      const waits = this.waits;
      function wake(): void {
        waits.delete(timer);
        clearTimeout(timer);
        resolve();
      }
      waits.set(timer, wake);
      call.whenEnded(wake);
    });
    return call.isLive;
  }
}
