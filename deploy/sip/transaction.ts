import { randomBytes } from 'node:crypto';
import { MachineRunner } from './machine_runner.ts';
import { tagOf, topVia } from './header_value.ts';
import { cseqOf, formatMessage, headerList, mandatoryHeader, parseMessage } from './message.ts';
import type { SipMessage, SipRequest, SipResponse } from './message.ts';
import { ackForRefusal, buildResponse, responseTarget } from './reply.ts';
import type { ResponseOptions } from './reply.ts';
import type { Address, OnPacket, Wire } from './socket.ts';
import { acceptance, inviteClient, inviteServer, otherClient, otherServer } from './transaction_machine.ts';
import type { TimerSettings } from './transaction_machine.ts';
import type { WireLog } from './wire_log.ts';

/** A request that came, and the way to answer it. */
export interface ServerTransaction {
  readonly request: SipRequest;
  readonly source: Address;
  respond(status: number, options?: ResponseOptions): void;
  /** Sends a 2xx again and again until its ACK: for INVITE only. */
  accept(
    status: number,
    options: ResponseOptions,
    outcome: { acked: (ack: SipRequest) => void; neverAcked: () => void },
  ): void;
}

export interface ClientHandlers {
  onResponse: (response: SipResponse) => void;
  onTimeout: () => void;
}

export interface ClientTransaction {
  readonly request: SipRequest;
  readonly target: Address;
}

export interface LayerEvents {
  onRequest: (transaction: ServerTransaction) => void;
  onCancel: (invite: ServerTransaction, cancel: ServerTransaction) => void;
}

interface Entry {
  runner: MachineRunner;
  receive: (message: SipMessage) => void;
}

interface ServerEntry {
  runner: MachineRunner;
  transaction: ServerTransaction;
}

export function newBranch(): string {
  return `z9hG4bK${randomBytes(9).toString('hex')}`;
}

/** Transactions over one wire. The Via of outgoing requests is added here. */
export class TransactionLayer {
  private readonly wire: Wire;
  private readonly timers: TimerSettings;
  private readonly log: WireLog;
  private readonly events: LayerEvents;
  private readonly clients = new Map<string, Entry>();
  private readonly servers = new Map<string, ServerEntry>();
  private readonly acceptances = new Map<string, Entry>();

  private constructor(wire: Wire, timers: TimerSettings, log: WireLog, events: LayerEvents) {
    this.wire = wire;
    this.timers = timers;
    this.log = log;
    this.events = events;
  }

  static async open(
    openWire: (onPacket: OnPacket) => Promise<Wire>,
    timers: TimerSettings,
    log: WireLog,
    events: LayerEvents,
  ): Promise<TransactionLayer> {
    const layer: { value?: TransactionLayer } = {};
    const wire = await openWire((bytes, from) => layer.value?.receive(bytes, from));
    layer.value = new TransactionLayer(wire, timers, log, events);
    return layer.value;
  }

  get local(): Address {
    return this.wire.local;
  }

  get transport(): Wire['transport'] {
    return this.wire.transport;
  }

  request(bare: SipRequest, target: Address, handlers: ClientHandlers): ClientTransaction {
    const branch = newBranch();
    const request = this.withVia(bare, branch);
    const machine = request.method === 'INVITE' ? inviteClient : otherClient;
    const key = clientKey(branch, request.method);
    let latest: SipResponse | undefined;
    const runner = new MachineRunner(machine, this.timers, (effect) => {
      if (effect.kind === 'send') this.transmit(request, target);
      else if (effect.kind === 'deliver' && latest !== undefined) handlers.onResponse(latest);
      else if (effect.kind === 'send_ack' && latest !== undefined)
        this.transmit(ackForRefusal(request, latest), target);
      else if (effect.kind === 'timed_out') handlers.onTimeout();
      else if (effect.kind === 'forget') this.clients.delete(key);
    });
    const receive = (message: SipMessage) => {
      if (message.kind !== 'response') return;
      latest = message;
      runner.step({ kind: 'response', status: message.status });
    };
    this.clients.set(key, { runner, receive });
    runner.step({ kind: 'start' });
    return { request, target };
  }

  /** A CANCEL has the branch, target and headers of its INVITE (RFC 3261 9.1). */
  cancel(invite: ClientTransaction, handlers: ClientHandlers): void {
    const kept = ['from', 'to', 'call-id', 'route', 'max-forwards'];
    const headers = invite.request.headers.filter((header) => kept.includes(header.name));
    const via = headerList(invite.request, 'via')[0] ?? '';
    const branch = topVia(invite.request)?.parameters.get('branch') ?? '';
    headers.unshift({ name: 'via', value: via });
    headers.push({ name: 'cseq', value: `${cseqOf(invite.request).number} CANCEL` });
    const request: SipRequest = { kind: 'request', method: 'CANCEL', uri: invite.request.uri, headers, body: '' };
    const key = clientKey(branch, 'CANCEL');
    const runner = new MachineRunner(otherClient, this.timers, (effect) => {
      if (effect.kind === 'send') this.transmit(request, invite.target);
      else if (effect.kind === 'timed_out') handlers.onTimeout();
      else if (effect.kind === 'forget') this.clients.delete(key);
    });
    const receive = (message: SipMessage) => {
      if (message.kind !== 'response') return;
      runner.step({ kind: 'response', status: message.status });
      if (message.status >= 200) handlers.onResponse(message);
    };
    this.clients.set(key, { runner, receive });
    runner.step({ kind: 'start' });
  }

  /** The ACK of a 2xx: outside of any transaction, with a branch of its own. */
  sendAck(bare: SipRequest, target: Address): void {
    this.transmit(this.withVia(bare, newBranch()), target);
  }

  /** Bytes as they are, for parties that misbehave on purpose. */
  sendRaw(bytes: Buffer, target: Address): void {
    this.wire.send(bytes, target);
  }

  async close(): Promise<void> {
    for (const map of [this.clients, this.servers, this.acceptances]) {
      for (const entry of map.values()) entry.runner.close();
      map.clear();
    }
    await this.wire.close();
  }

  private withVia(bare: SipRequest, branch: string): SipRequest {
    const { address, port } = this.wire.local;
    const via = { name: 'via', value: `SIP/2.0/${this.wire.transport} ${address}:${port};rport;branch=${branch}` };
    return { ...bare, headers: [via, ...bare.headers] };
  }

  private transmit(message: SipMessage, target: Address): void {
    const bytes = formatMessage(message);
    this.log.message('out', target, message, bytes);
    this.wire.send(bytes, target);
  }

  private receive(bytes: Buffer, from: Address): void {
    const parsed = parseMessage(bytes);
    if (parsed.kind === 'keep_alive') return;
    if (parsed.kind === 'malformed') {
      this.log.unreadable(from, parsed.reason, bytes);
      return;
    }
    const { message } = parsed;
    this.log.message('in', from, message, bytes);
    if (message.kind === 'request') this.receiveRequest(message, from);
    else {
      const branch = topVia(message)?.parameters.get('branch') ?? '';
      this.clients.get(clientKey(branch, cseqOf(message).method))?.receive(message);
    }
  }

  private receiveRequest(request: SipRequest, source: Address): void {
    if (request.method === 'ACK') {
      this.acceptances.get(acceptanceKey(request, tagOf(request, 'to')))?.receive(request);
      this.servers.get(serverKey(request, 'INVITE'))?.runner.step({ kind: 'ack' });
      return;
    }
    const known = this.servers.get(serverKey(request, request.method));
    if (known !== undefined) {
      known.runner.step({ kind: 'request_again' });
      return;
    }
    const transaction = this.addServer(request, source);
    if (request.method !== 'CANCEL') {
      this.events.onRequest(transaction);
      return;
    }
    const invite = this.servers.get(serverKey(request, 'INVITE'));
    transaction.respond(invite === undefined ? 481 : 200);
    if (invite !== undefined) this.events.onCancel(invite.transaction, transaction);
  }

  private addServer(request: SipRequest, source: Address): ServerTransaction {
    const key = serverKey(request, request.method);
    const back = responseTarget(request, source);
    let latest: SipResponse | undefined;
    const machine = request.method === 'INVITE' ? inviteServer : otherServer;
    const runner = new MachineRunner(machine, this.timers, (effect) => {
      if (effect.kind === 'send' && latest !== undefined) this.transmit(latest, back);
      else if (effect.kind === 'forget') this.servers.delete(key);
    });
    const respond: ServerTransaction['respond'] = (status, options = {}) => {
      if (runner.phase === 'proceeding') latest = buildResponse(request, source, status, options);
      runner.step({ kind: 'respond', status });
    };
    const accept: ServerTransaction['accept'] = (status, options, outcome) => {
      const response = buildResponse(request, source, status, options);
      latest = undefined;
      runner.step({ kind: 'respond', status });
      this.keepAccepting(request, response, back, outcome);
    };
    const transaction: ServerTransaction = { request, source, respond, accept };
    this.servers.set(key, { runner, transaction });
    return transaction;
  }

  private keepAccepting(
    request: SipRequest,
    response: SipResponse,
    back: Address,
    outcome: { acked: (ack: SipRequest) => void; neverAcked: () => void },
  ): void {
    const key = acceptanceKey(request, tagOf(response, 'to'));
    let ack: SipRequest | undefined;
    const runner = new MachineRunner(acceptance, this.timers, (effect) => {
      if (effect.kind === 'send') this.transmit(response, back);
      else if (effect.kind === 'deliver' && ack !== undefined) outcome.acked(ack);
      else if (effect.kind === 'timed_out') outcome.neverAcked();
      else if (effect.kind === 'forget') this.acceptances.delete(key);
    });
    const receive = (message: SipMessage) => {
      if (message.kind !== 'request') return;
      ack = message;
      runner.step({ kind: 'ack' });
    };
    this.acceptances.set(key, { runner, receive });
    runner.step({ kind: 'start' });
  }
}

function clientKey(branch: string, method: string): string {
  return `${branch}|${method}`;
}

function serverKey(request: SipRequest, method: string): string {
  const via = topVia(request);
  const branch = via?.parameters.get('branch') ?? '';
  const sent_by = `${via?.host ?? ''}:${via?.port ?? 0}`;
  return [branch, sent_by, mandatoryHeader(request, 'call-id'), cseqOf(request).number, method].join('|');
}

function acceptanceKey(request: SipRequest, to_tag: string): string {
  return [mandatoryHeader(request, 'call-id'), cseqOf(request).number, to_tag].join('|');
}
