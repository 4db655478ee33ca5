import type { CloseReason } from '../close_reason.ts';
import { decodeWhole } from '../decode.ts';
import { encode } from '../encode.ts';
import type { Clock } from '../clock.ts';
import type { Pdu, PduBody } from '../pdu.ts';
import type { Wire, WireListener } from '../wire.ts';

/** A connection in memory: the test is the peer, and decides when a write is taken. */
export class FakeWire implements Wire {
  readonly peer = '127.0.0.1:1';
  /** All that was written, in order. */
  readonly written: Pdu[] = [];
  paused = false;
  /** Given by `end`; the close itself is the test's, or `limit` on. */
  ended: CloseReason | null = null;
  destroyed: CloseReason | null = null;
  backlog_octets = 0;
  stuck_since_ms: number | null = null;
  pdu_octets_max = 0;
  #batch = 1;
  readonly #listener: WireListener;
  readonly #clock: Clock;

  constructor(listener: WireListener, clock: Clock) {
    this.#listener = listener;
    this.#clock = clock;
  }

  write(body: PduBody, command_status: number, sequence_number: number): number {
    const pdu = { ...body, command_status, sequence_number };
    encode(pdu);
    this.written.push(pdu);
    return this.#batch;
  }

  wasHanded(batch: number): boolean {
    return batch < this.#batch;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  limitPdus(octets_max: number): void {
    this.pdu_octets_max = octets_max;
  }

  end(reason: CloseReason): void {
    this.ended ??= reason;
  }

  destroy(reason: CloseReason): void {
    if (this.destroyed !== null) return;
    this.destroyed = reason;
    this.close(reason);
  }

  /** What was gathered goes to the kernel. */
  handOver(): void {
    this.#batch += 1;
  }

  /** The kernel takes nothing from now on. */
  stick(backlog_octets: number): void {
    this.backlog_octets = backlog_octets;
    this.stuck_since_ms = this.#clock.now_ms();
  }

  unstick(): void {
    this.backlog_octets = 0;
    this.stuck_since_ms = null;
    this.#listener.onWritten();
  }

  /** The peer says something. */
  hear(body: PduBody, sequence_number: number, command_status = 0): void {
    this.#listener.onDecoded({ kind: 'pdu', pdu: { ...body, command_status, sequence_number } });
  }

  hearOctets(octets: Buffer): void {
    this.#listener.onDecoded(decodeWhole(octets));
  }

  hearNonsense(): void {
    this.#listener.onDecoded({
      kind: 'unframeable',
      command_length: 0x47455420,
      why: 'The peer speaks HTTP, not SMPP.',
    });
  }

  /** @param reason the connection's own, where it was not ended from our side. */
  close(reason: CloseReason = { kind: 'closed_by_peer' }): void {
    this.#listener.onWireClosed(this.destroyed ?? this.ended ?? reason);
  }

  get last(): Pdu | undefined {
    return this.written.at(-1);
  }
}
