import fc from 'fast-check';
import { authorize, chooseChallenge } from './digest.ts';
import { fuzzedMessage, malformedMessages, plainRequest } from './malformed.ts';
import { headerOf, mandatoryHeader, parseMessage } from './message.ts';
import type { SipResponse } from './message.ts';
import { UdpSocket } from './socket.ts';
import type { Address } from './socket.ts';

/** What scanners call themselves. */
const USER_AGENTS = ['friendly-scanner', 'sipvicious', 'sipcli/v1.8', 'VaxSIPUserAgent/3.1', 'pplsip'];

export interface Probe {
  method: string;
  status: number | undefined;
  /** Server and User-Agent: what the other side gives away about itself. */
  tells: string[];
}

/** A stranger without credentials, on an address of its own. */
export class Scanner {
  private readonly socket: UdpSocket;
  private readonly target: Address;
  private readonly waiting = new Map<string, (response: SipResponse) => void>();
  private probes = 0;
  /** Packets that came back, answers to malformed messages included. */
  received = 0;

  private constructor(socket: UdpSocket, target: Address) {
    this.socket = socket;
    this.target = target;
  }

  static async open(options: { address: string; port?: number; target: Address }): Promise<Scanner> {
    const scanner: { value?: Scanner } = {};
    const at = { address: options.address, port: options.port ?? 0 };
    const socket = await UdpSocket.open(at, (bytes) => scanner.value?.receive(bytes));
    scanner.value = new Scanner(socket, options.target);
    return scanner.value;
  }

  get address(): Address {
    return this.socket.local;
  }

  /** One request; `credentials` answers a 401 with them, right or wrong. A status of undefined: nothing came in time. */
  async probe(
    method: string,
    user: string,
    options: { credentials?: { username: string; password: string }; within_ms?: number } = {},
  ): Promise<Probe> {
    const { credentials, within_ms = 1000 } = options;
    const uri = `sip:${user}@${this.target.address}:${this.target.port}`;
    const first = await this.exchange(method, uri, '', within_ms);
    if (first === undefined || credentials === undefined) return probeOf(method, first);
    const asks = first.headers.filter((header) => header.name === 'www-authenticate').map((header) => header.value);
    const challenge = chooseChallenge(asks);
    if (challenge === undefined) return probeOf(method, first);
    const value = authorize(challenge, credentials, method, uri);
    return probeOf(method, await this.exchange(method, uri, `Authorization: ${value}\r\n`, within_ms));
  }

  /** What svmap and svwar do: OPTIONS, then REGISTER and INVITE for a range of extensions. */
  async sweep(users: readonly string[], within_ms = 1000): Promise<Probe[]> {
    const probes = [await this.probe('OPTIONS', '100', { within_ms })];
    for (const user of users) {
      probes.push(await this.probe('REGISTER', user, { within_ms, credentials: { username: user, password: user } }));
      probes.push(await this.probe('INVITE', user, { within_ms }));
    }
    return probes;
  }

  /** Sends every malformed message of the list, then `fuzzed` random ones. The seed makes a run repeatable. */
  sendMalformed(options: { fuzzed?: number; seed?: number } = {}): number {
    const { fuzzed = 0, seed = 1 } = options;
    const all = [
      ...malformedMessages().map(({ bytes }) => bytes),
      ...fc.sample(fuzzedMessage, { numRuns: fuzzed, seed }),
    ];
    for (const bytes of all) this.send(bytes);
    return all.length;
  }

  send(bytes: Buffer): void {
    this.socket.send(bytes, this.target);
  }

  close(): Promise<void> {
    return this.socket.close();
  }

  private async exchange(
    method: string,
    uri: string,
    extra: string,
    within_ms: number,
  ): Promise<SipResponse | undefined> {
    this.probes += 1;
    const branch = `z9hG4bKscan${this.probes}x${Date.now().toString(36)}`;
    const agent = `User-Agent: ${USER_AGENTS[this.probes % USER_AGENTS.length] ?? ''}\r\n`;
    const text = plainRequest(method, { uri, branch, extra: agent + extra });
    const { address, port } = this.socket.local;
    const response = new Promise<SipResponse | undefined>((resolve) => {
      const timer = setTimeout(() => {
        this.waiting.delete(`${branch}@scanner`);
        resolve(undefined);
      }, within_ms);
      this.waiting.set(`${branch}@scanner`, (came) => {
        clearTimeout(timer);
        resolve(came);
      });
    });
    this.send(Buffer.from(text.replaceAll('127.0.0.1:5060', `${address}:${port}`)));
    return response;
  }

  private receive(bytes: Buffer): void {
    this.received += 1;
    const parsed = parseMessage(bytes);
    if (parsed.kind !== 'message' || parsed.message.kind !== 'response' || parsed.message.status < 200) return;
    const call_id = mandatoryHeader(parsed.message, 'call-id');
    const resolve = this.waiting.get(call_id);
    this.waiting.delete(call_id);
    resolve?.(parsed.message);
  }
}

function probeOf(method: string, response: SipResponse | undefined): Probe {
  const tells = response === undefined ? [] : [headerOf(response, 'server'), headerOf(response, 'user-agent')];
  return { method, status: response?.status, tells: tells.filter((each) => each !== undefined) };
}
