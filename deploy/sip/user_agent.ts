import { sendAuthenticated } from './authenticated.ts';
import type { Call } from './call.ts';
import { CallMedia } from './call_media.ts';
import type { CallRecord } from './call_record.ts';
import type { Credentials, DigestAlgorithm } from './digest.ts';
import type { Outgoing } from './dialog.ts';
import { tagOf } from './header_value.ts';
import { IncomingCall } from './incoming_call.ts';
import { headerList, mandatoryHeader } from './message.ts';
import type { SipResponse } from './message.ts';
import { OutgoingCall } from './outgoing_call.ts';
import type { OutgoingOptions } from './outgoing_call.ts';
import type { Codec } from './sdp.ts';
import { openSecureWire } from './secure_wire.ts';
import type { SecureServer } from './secure_wire.ts';
import { UdpSocket } from './socket.ts';
import type { OnPacket, Wire } from './socket.ts';
import type { Sound } from './tone.ts';
import { TransactionLayer } from './transaction.ts';
import type { ServerTransaction } from './transaction.ts';
import { STANDARD_TIMERS } from './transaction_machine.ts';
import type { TimerSettings } from './transaction_machine.ts';
import { WireLog } from './wire_log.ts';

export interface AgentOptions {
  /** A loopback address; parties are told apart by it. */
  address: string;
  /** 0 or absent: a free one. */
  port: number;
  /** The user part of our Contact. */
  user: string;
  credentials: Credentials | undefined;
  algorithms: readonly DigestAlgorithm[];
  /** False: no RTP is sent or looked at, for load. */
  media: boolean;
  sound: Sound;
  codecs: Codec[];
  timers: TimerSettings;
  keep_raw: boolean;
  /** Absent: UDP. */
  secure: SecureServer | undefined;
}

export const AGENT_DEFAULTS: AgentOptions = {
  address: '127.0.0.1',
  port: 0,
  user: 'party',
  credentials: undefined,
  algorithms: ['SHA-512-256', 'SHA-256', 'MD5'],
  media: true,
  sound: { kind: 'tone', tone_hz: 1000 },
  codecs: ['PCMU', 'PCMA'],
  timers: STANDARD_TIMERS,
  keep_raw: false,
  secure: undefined,
};

/** Extensions we understand when a request requires them. */
const KNOWN_EXTENSIONS = ['timer', 'replaces'];
const RECORDS_MAX = 50_000;

/** One SIP party: a socket, its transactions, and the calls that live on it. */
export class UserAgent {
  readonly options: AgentOptions;
  readonly log: WireLog;
  /** Every call so far, ended or not, oldest first. */
  readonly records: CallRecord[] = [];
  readonly layer: TransactionLayer;
  private readonly sink: UdpSocket;
  private readonly call_by_key = new Map<string, Call>();
  private readonly live = new Set<Call>();
  private readonly pending = new Set<Promise<unknown>>();
  private readonly incoming_by_invite = new WeakMap<ServerTransaction, IncomingCall>();
  private onInvite: (call: IncomingCall) => void = (call) => call.ring();
  /** Lets a carrier challenge or drop requests outside of calls; true when it dealt with the request. */
  private gate: (transaction: ServerTransaction) => boolean = () => false;
  private failure: unknown;

  private constructor(options: AgentOptions, log: WireLog, layer: TransactionLayer, sink: UdpSocket) {
    this.options = options;
    this.log = log;
    this.layer = layer;
    this.sink = sink;
  }

  static async open(overrides: Partial<AgentOptions>): Promise<UserAgent> {
    const options = { ...AGENT_DEFAULTS, ...overrides };
    const log = new WireLog({ keep_raw: options.keep_raw });
    const agent: { value?: UserAgent } = {};
    const layer = await TransactionLayer.open(wireOf(options), options.timers, log, {
      onRequest: (transaction) => agent.value?.receive(transaction),
      onCancel: (invite, cancel) => agent.value?.cancelled(invite, cancel),
    });
    const sink = await UdpSocket.open({ address: options.address, port: 0 }, () => undefined);
    agent.value = new UserAgent(options, log, layer, sink);
    return agent.value;
  }

  get contact(): string {
    const transport = { UDP: '', TLS: ';transport=tls', WSS: ';transport=ws' }[this.layer.transport];
    return `<sip:${this.options.user}@${this.layer.local.address}:${this.layer.local.port}${transport}>`;
  }

  get liveCalls(): readonly Call[] {
    return [...this.live];
  }

  handleInvites(handler: (call: IncomingCall) => void): void {
    this.onInvite = handler;
  }

  guardRequests(gate: (transaction: ServerTransaction) => boolean): void {
    this.gate = gate;
  }

  call(options: OutgoingOptions): OutgoingCall {
    const call = new OutgoingCall(this, options);
    this.adopt(call);
    this.addTag(call, call.tag);
    this.track(call.start());
    return call;
  }

  /** A request outside of any call, with credentials where they are asked for. */
  request(outgoing: Outgoing, nextCSeq: () => number): Promise<SipResponse | undefined> {
    return new Promise((resolve) => {
      sendAuthenticated(this.layer, outgoing, {
        credentials: this.options.credentials,
        algorithms: this.options.algorithms,
        nextCSeq,
        onResponse: (response, _transaction, settled) => {
          if (settled && response.status >= 200) resolve(response);
        },
        onTimeout: () => resolve(undefined),
      });
    });
  }

  openMedia(): Promise<CallMedia> {
    const { address, media, sound, codecs } = this.options;
    return CallMedia.open({ address, media, sound, codecs, sink: this.sink.local });
  }

  addTag(call: Call, tag: string): void {
    const key = `${call.record.call_id}|${tag}`;
    this.call_by_key.set(key, call);
    call.keys.push(key);
  }

  /** A call that ended answers repeats for as long as its transactions live; the map is cleaned after that. */
  forgetLater(call: Call): void {
    this.live.delete(call);
    const timer = setTimeout(() => {
      for (const key of call.keys) this.call_by_key.delete(key);
    }, 64 * this.options.timers.t1_ms);
    timer.unref();
  }

  /** Work that nobody awaits: its failure is kept and thrown by close(). */
  track(work: Promise<unknown> | undefined): void {
    if (work === undefined) return;
    const watched = work
      .catch((error: unknown) => {
        this.failure ??= error;
      })
      .finally(() => this.pending.delete(watched));
    this.pending.add(watched);
  }

  /** Frees sockets and timers without a word on the wire, as a party that lost its power. */
  async close(): Promise<void> {
    await Promise.all([...this.live].map((call) => call.abandon()));
    this.live.clear();
    await this.layer.close();
    await this.sink.close();
    if (this.failure !== undefined)
      throw new Error('Something failed unseen in this SIP party', { cause: this.failure });
  }

  private adopt(call: Call): void {
    this.live.add(call);
    this.records.push(call.record);
    if (this.records.length > RECORDS_MAX) this.records.splice(0, RECORDS_MAX / 10);
  }

  private receive(transaction: ServerTransaction): void {
    const { request } = transaction;
    const to_tag = tagOf(request, 'to');
    if (to_tag !== '') {
      const call = this.call_by_key.get(`${mandatoryHeader(request, 'call-id')}|${to_tag}`);
      if (call === undefined) transaction.respond(481);
      else call.receive(transaction);
      return;
    }
    const unknown = headerList(request, 'require').filter((each) => !KNOWN_EXTENSIONS.includes(each));
    if (this.gate(transaction)) return;
    if (unknown.length > 0) transaction.respond(420, { headers: [{ name: 'unsupported', value: unknown.join(', ') }] });
    else if (request.method === 'INVITE') this.begin(transaction);
    else if (request.method === 'OPTIONS') transaction.respond(200);
    else if (request.method === 'NOTIFY' || request.method === 'MESSAGE') transaction.respond(200);
    else transaction.respond(405);
  }

  private begin(transaction: ServerTransaction): void {
    const call = new IncomingCall(this, transaction);
    this.incoming_by_invite.set(transaction, call);
    this.adopt(call);
    this.addTag(call, call.tag);
    this.onInvite(call);
  }

  private cancelled(invite: ServerTransaction, cancel: ServerTransaction): void {
    this.incoming_by_invite.get(invite)?.onCancel(cancel.request);
  }
}

function wireOf(options: AgentOptions): (onPacket: OnPacket) => Promise<Wire> {
  const { secure } = options;
  return (onPacket) =>
    secure === undefined ? UdpSocket.open(options, onPacket) : openSecureWire(options.address, secure, onPacket);
}
