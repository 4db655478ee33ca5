import { randomInt } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Gate, GateListener } from '../../guard/gate.ts';
import { AmiSocket } from './ami_socket.ts';
import { backoffMs } from './backoff.ts';
import type { AsteriskSwitchOptions } from './options.ts';
import { parseSecurityEvent, SECURITY_EVENTS } from './security_event.ts';

export type AsteriskGateOptions = Omit<AsteriskSwitchOptions, 'cdr_file'>;

/** The one object of `res_pjsip_acl` that is ours; it lives in the switch's memory and is gone after its restart. */
const ACL = 'ari/asterisk/config/dynamic/res_pjsip/acl/letsdial-blocked';

/** Security events over an AMI connection of their own, and an access list that PJSIP asks before it looks at a request. */
export class AsteriskGate implements Gate {
  readonly #options: AsteriskGateOptions;
  #listener: GateListener | null = null;
  #ami: AmiSocket | null = null;
  #beat: NodeJS.Timeout | null = null;
  #retry: NodeJS.Timeout | null = null;
  #attempt = 0;
  #closed = false;

  constructor(options: AsteriskGateOptions) {
    this.#options = options;
  }

  watch(listener: GateListener): Promise<void> {
    this.#listener = listener;
    return this.#connect();
  }

  /**
   * Asterisk does not replace such an object, so it is removed and made anew; in the millisecond between, nobody is shut out. Its
   * answer to the making is 500 "Allocation failed" for it cannot describe the object, though it is there and works: so it is looked for.
   */
  async shutOut(addresses: readonly string[]): Promise<void> {
    await this.#expect('DELETE', [204, 404]);
    if (addresses.length === 0) return;
    const fields = addresses.map((address) => ({
      attribute: 'deny',
      value: `${address}/${isIPv6(address) ? 128 : 32}`,
    }));
    await this.#expect('PUT', [200, 500], { fields });
    await this.#expect('GET', [200, 500]);
  }

  close(): void {
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    if (this.#beat !== null) clearInterval(this.#beat);
    this.#ami?.close();
  }

  #connect(): Promise<void> {
    return this.#open().catch((error: unknown) => {
      this.#trouble(error);
      this.#later();
    });
  }

  async #open(): Promise<void> {
    const opened: { ami?: AmiSocket } = {};
    const ami = await AmiSocket.open(
      this.#options,
      () => this.#lost(opened.ami ?? null),
      (event) => this.#hear(event),
    );
    opened.ami = ami;
    try {
      await ami.listen('security', SECURITY_EVENTS);
    } catch (error) {
      ami.close();
      throw error;
    }
    if (this.#closed) {
      ami.close();
      return;
    }
    this.#ami = ami;
    this.#attempt = 0;
    this.#beat = setInterval(() => {
      // Silence is what a connection that is dead looks like when nobody fails to log in.
      ami.action({ Action: 'Ping' }).catch(() => ami.close());
    }, this.#options.heartbeat_ms);
    this.#listener?.opened();
  }

  #hear(event: ReadonlyMap<string, string>): void {
    const sign = parseSecurityEvent(event);
    if (sign !== null) this.#listener?.sign(sign);
  }

  #lost(ami: AmiSocket | null): void {
    if (this.#closed || ami === null || ami !== this.#ami) return;
    this.#ami = null;
    if (this.#beat !== null) clearInterval(this.#beat);
    this.#later();
  }

  #later(): void {
    if (this.#closed) return;
    const random = (): number => randomInt(1_000_000) / 1_000_000;
    this.#retry = setTimeout(
      () => void this.#connect(),
      backoffMs(this.#attempt++, this.#options.reconnect_ms, random),
    );
  }

  #trouble(error: unknown): void {
    if (!this.#closed) this.#options.problem(error instanceof Error ? error : new Error(String(error)));
  }

  async #expect(method: 'GET' | 'PUT' | 'DELETE', statuses: readonly number[], body?: unknown): Promise<void> {
    const { ari, request_timeout_ms } = this.#options;
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${ari.url}/${ACL}`, {
      method,
      headers: {
        authorization: `Basic ${Buffer.from(`${ari.user}:${ari.password}`).toString('base64')}`,
        'content-type': 'application/json',
      },
      signal: AbortSignal.timeout(request_timeout_ms),
      ...content,
    });
    const text = await response.text();
    if (!statuses.includes(response.status) || (response.status === 500 && !text.includes('Allocation failed'))) {
      throw new Error(`The switch did not take the list of blocked addresses: ${method} ${response.status} ${text}`);
    }
  }
}
