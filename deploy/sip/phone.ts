import { randomUUID } from 'node:crypto';
import { newTag } from './call.ts';
import type { Call } from './call.ts';
import type { CallRecord } from './call_record.ts';
import { Condition } from './condition.ts';
import type { IncomingCall } from './incoming_call.ts';
import type { Header, SipRequest, SipResponse } from './message.ts';
import { encodeUser } from './outgoing_call.ts';
import type { OutgoingCall } from './outgoing_call.ts';
import type { Address } from './socket.ts';
import { AGENT_DEFAULTS, UserAgent } from './user_agent.ts';
import type { AgentOptions } from './user_agent.ts';
import type { WireLog } from './wire_log.ts';

export interface PhoneOptions extends Partial<Omit<AgentOptions, 'user' | 'credentials'>> {
  username: string;
  password?: string;
  /** The registrar and proxy. */
  server: Address;
  /** The host in From, To and Request-URI; the server's address and port unless told otherwise. */
  domain?: string;
  display_name?: string;
}

export interface DialOptions {
  headers?: Header[];
  /** The user part of From; the username unless told otherwise. */
  callerNumber?: string;
  display_name?: string;
  sdp?: string;
}

export type Registration =
  { kind: 'registered'; expires_s: number } | { kind: 'refused'; status: number } | { kind: 'no_answer' };

/** A SIP phone of the test side. `close()` frees everything without hanging up; `hangUpAll()` is the polite way. */
export class Phone {
  private readonly agent: UserAgent;
  private readonly options: PhoneOptions;
  private readonly register_call_id = randomUUID();
  private register_cseq = 0;
  private readonly arrivals: IncomingCall[] = [];
  private arrival = new Condition<void>('An incoming call');
  private handler: ((call: IncomingCall) => void) | undefined;

  private constructor(agent: UserAgent, options: PhoneOptions) {
    this.agent = agent;
    this.options = options;
    agent.handleInvites((call) => this.onInvite(call));
  }

  static async open(options: PhoneOptions): Promise<Phone> {
    const { username, password } = options;
    const credentials = password === undefined ? undefined : { username, password };
    return new Phone(await UserAgent.open({ ...AGENT_DEFAULTS, ...options, user: username, credentials }), options);
  }

  get address(): Address {
    return this.agent.layer.local;
  }

  get log(): WireLog {
    return this.agent.log;
  }

  /** Every call of this phone, both directions, oldest first. */
  get records(): readonly CallRecord[] {
    return this.agent.records;
  }

  get liveCalls(): readonly Call[] {
    return this.agent.liveCalls;
  }

  register(expires_s = 3600): Promise<Registration> {
    return this.sendRegister(expires_s);
  }

  /** The same with headers of one's own in place of its Contact, as an attacker would. */
  registerAs(headers: readonly Header[]): Promise<Registration> {
    return this.sendRegister(3600, headers);
  }

  unregister(): Promise<Registration> {
    return this.sendRegister(0);
  }

  /** Begins a call; wait for its `ringing()`, `answered()` and `ended()`. */
  call(number: string, options: DialOptions = {}): OutgoingCall {
    const display = options.display_name ?? this.options.display_name;
    return this.agent.call({
      number,
      target: this.options.server,
      domain: this.domain,
      from_user: options.callerNumber ?? this.options.username,
      headers: options.headers ?? [],
      ...(display === undefined ? {} : { from_display: display }),
      ...(options.sdp === undefined ? {} : { sdp: options.sdp }),
    });
  }

  /** What to do with calls that come; without a handler they ring until somebody answers or gives up. */
  onIncoming(handler: (call: IncomingCall) => void): void {
    this.handler = handler;
  }

  /** The next call that came and was not taken yet. It rings already, unless a handler decides. */
  async nextIncoming(within_ms = 10_000): Promise<IncomingCall> {
    if (this.arrivals.length === 0) await this.arrival.within(within_ms);
    const call = this.arrivals.shift();
    if (call === undefined) throw new Error('Two waited for the same incoming call.');
    if (this.arrivals.length === 0) this.arrival = new Condition<void>('An incoming call');
    return call;
  }

  /** Asks the server for a sign of life. */
  ping(): Promise<SipResponse | undefined> {
    return this.agent.request(
      { request: this.build('OPTIONS', `sip:${this.domain}`, []), target: this.options.server },
      () => this.nextCSeq(),
    );
  }

  async hangUpAll(): Promise<void> {
    await Promise.all(this.liveCalls.map((call) => call.hangUp()));
  }

  async close(): Promise<void> {
    this.arrival.fail('the phone was closed');
    await this.agent.close();
  }

  private get domain(): string {
    const { server } = this.options;
    return this.options.domain ?? `${server.address}:${server.port}`;
  }

  private nextCSeq(): number {
    this.register_cseq += 1;
    return this.register_cseq;
  }

  private onInvite(call: IncomingCall): void {
    this.arrivals.push(call);
    this.arrival.meet();
    if (this.handler === undefined) call.ring();
    else this.handler(call);
  }

  private async sendRegister(
    expires_s: number,
    contacts: readonly Header[] = [{ name: 'contact', value: this.agent.contact }],
  ): Promise<Registration> {
    const headers = [...contacts, { name: 'expires', value: String(expires_s) }];
    const request = this.build('REGISTER', `sip:${this.domain}`, headers);
    const response = await this.agent.request({ request, target: this.options.server }, () => this.nextCSeq());
    if (response === undefined) return { kind: 'no_answer' };
    return response.status < 300 ? { kind: 'registered', expires_s } : { kind: 'refused', status: response.status };
  }

  private build(method: string, uri: string, extra: Header[]): SipRequest {
    const aor = `<sip:${encodeUser(this.options.username)}@${this.domain}>`;
    const headers: Header[] = [
      { name: 'max-forwards', value: '70' },
      { name: 'from', value: `${aor};tag=${newTag()}` },
      { name: 'to', value: method === 'REGISTER' ? aor : `<${uri}>` },
      { name: 'call-id', value: method === 'REGISTER' ? this.register_call_id : randomUUID() },
      { name: 'cseq', value: `${this.nextCSeq()} ${method}` },
      ...extra,
    ];
    return { kind: 'request', method, uri, headers, body: '' };
  }
}
