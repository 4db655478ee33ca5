import { monotonicMs } from './clock.ts';
import type { SipMessage } from './message.ts';
import { headerOf } from './message.ts';
import { formatAddress } from './socket.ts';
import type { Address } from './socket.ts';

export interface WireEntry {
  at_ms: number;
  direction: 'in' | 'out';
  peer: string;
  /** `INVITE sip:…` or `200 OK (INVITE)`, or why a packet could not be read. */
  summary: string;
  call_id: string;
  raw: string | undefined;
}

/** What one party saw on its wire, the newest `entries_max` of it. */
export class WireLog {
  private readonly entries_max: number;
  private readonly keep_raw: boolean;
  private readonly kept: WireEntry[] = [];

  constructor(options: { entries_max?: number; keep_raw?: boolean } = {}) {
    this.entries_max = options.entries_max ?? 5000;
    this.keep_raw = options.keep_raw ?? false;
  }

  get entries(): readonly WireEntry[] {
    return this.kept;
  }

  ofCall(call_id: string): WireEntry[] {
    return this.kept.filter((entry) => entry.call_id === call_id);
  }

  message(direction: WireEntry['direction'], peer: Address, message: SipMessage, bytes: Buffer): void {
    const method = headerOf(message, 'cseq')?.split(/\s+/)[1] ?? '';
    const summary =
      message.kind === 'request'
        ? `${message.method} ${message.uri}`
        : `${message.status} ${message.reason} (${method})`;
    this.add(direction, peer, summary, headerOf(message, 'call-id') ?? '', bytes);
  }

  unreadable(peer: Address, reason: string, bytes: Buffer): void {
    this.add('in', peer, `unreadable: ${reason}`, '', bytes);
  }

  /** A story a person can read, one line a message. */
  text(call_id?: string): string {
    const entries = call_id === undefined ? this.kept : this.ofCall(call_id);
    const arrow = { in: '<--', out: '-->' };
    return entries
      .map((each) => `${each.at_ms.toFixed(1)} ${arrow[each.direction]} ${each.peer} ${each.summary}`)
      .join('\n');
  }

  private add(direction: WireEntry['direction'], peer: Address, summary: string, call_id: string, bytes: Buffer): void {
    const raw = this.keep_raw ? bytes.toString('utf8') : undefined;
    this.kept.push({ at_ms: monotonicMs(), direction, peer: formatAddress(peer), summary, call_id, raw });
    // Cut in blocks: shifting one by one costs a copy of the array each time.
    if (this.kept.length > this.entries_max * 2) this.kept.splice(0, this.kept.length - this.entries_max);
  }
}
