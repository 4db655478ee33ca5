import type { Socket } from 'node:net';
import type { Clock } from './clock.ts';
import type { CloseReason } from './close_reason.ts';
import { writePdu } from './encode.ts';
import { Framer } from './framer.ts';
import { OctetWriter } from './octet_writer.ts';
import type { PduBody } from './pdu.ts';
import type { Wire, WireListener } from './wire.ts';

/** A buffer that once had to grow over this is not kept. */
const KEPT_OCTETS_MAX = 262_144;

/**
 * SMPP over a connected socket, plain or TLS. All PDUs of one turn of the event loop leave in one write, and there is never
 * more than one write under way: so it is known of each PDU whether the kernel has seen it.
 */
export class Connection implements Wire {
  readonly peer: string;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #listener: WireListener;
  readonly #framer: Framer;
  #gathering = new OctetWriter();
  #spare: OctetWriter | null = new OctetWriter();
  /** The number of the write that is being gathered. */
  #batch = 1;
  #writing_octets = 0;
  #stuck_since_ms: number | null = null;
  #flush_is_due = false;
  #paused = false;
  #pumping = false;
  #reason: CloseReason | null = null;
  #ending = false;
  #gone = false;

  constructor(socket: Socket, clock: Clock, pdu_octets_max: number, listener: WireListener) {
    this.peer = `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`;
    this.#socket = socket;
    this.#clock = clock;
    this.#listener = listener;
    this.#framer = new Framer(pdu_octets_max);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => (this.#reason ??= { kind: 'closed_by_peer' }));
    socket.on('error', (error) => (this.#reason ??= { kind: 'connection_failed', why: error.message }));
    socket.on('close', () => this.#closed());
    // A socket that died before it came here has said so to nobody.
    if (socket.destroyed) queueMicrotask(() => this.#closed());
  }

  write(body: PduBody, command_status: number, sequence_number: number): number {
    writePdu(this.#gathering, body, command_status, sequence_number);
    if (!this.#flush_is_due && this.#writing_octets === 0) {
      this.#flush_is_due = true;
      // Measured: where requests come out of many promises this costs 3 µs a request, a microtask or nextTick 10; else all alike.
      setImmediate(() => this.#flush());
    }
    return this.#batch;
  }

  wasHanded(batch: number): boolean {
    return batch < this.#batch;
  }

  get backlog_octets(): number {
    return this.#gathering.length_octets + this.#writing_octets;
  }

  get stuck_since_ms(): number | null {
    return this.#stuck_since_ms;
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    // Not at once: the caller may be in the middle of something, and what was left of the chunk comes first.
    setImmediate(() => {
      if (this.#paused || this.#gone) return;
      this.#pump();
      if (!this.#isPaused()) this.#socket.resume();
    });
  }

  limitPdus(octets_max: number): void {
    this.#framer.pdu_octets_max = octets_max;
  }

  end(reason: CloseReason): void {
    if (this.#ending) return;
    this.#reason ??= reason;
    this.#ending = true;
    // The peer's end is only heard by who reads.
    this.#paused = false;
    this.#socket.resume();
    if (this.#writing_octets === 0) this.#flush();
  }

  destroy(reason: CloseReason): void {
    this.#reason ??= reason;
    this.#ending = true;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    if (this.#ending) return;
    this.#framer.push(chunk);
    this.#pump();
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (!this.#paused && !this.#ending) {
        const next = this.#framer.next();
        if (next === null) return;
        this.#listener.onDecoded(next);
      }
    } finally {
      this.#pumping = false;
    }
  }

  /** Asked again after callbacks, which may have changed it. */
  #isPaused(): boolean {
    return this.#paused;
  }

  #flush(): void {
    this.#flush_is_due = false;
    if (this.#gone || this.#writing_octets > 0) return;
    if (this.#gathering.length_octets > 0 && this.#socket.writable) this.#handOver();
    else if (this.#ending) this.#socket.end();
  }

  #handOver(): void {
    const out = this.#gathering;
    this.#gathering = this.#spare ?? new OctetWriter();
    this.#spare = null;
    this.#writing_octets = out.length_octets;
    this.#stuck_since_ms = this.#clock.now_ms();
    this.#batch += 1;
    this.#socket.write(out.octets.subarray(0, out.length_octets), () => this.#written(out));
  }

  #written(out: OctetWriter): void {
    this.#writing_octets = 0;
    this.#stuck_since_ms = null;
    out.length_octets = 0;
    if (out.octets.length <= KEPT_OCTETS_MAX) this.#spare = out;
    if (this.#gone) return;
    if (this.#gathering.length_octets > 0 || this.#ending) this.#flush();
    this.#listener.onWritten();
  }

  #closed(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#listener.onWireClosed(this.#reason ?? { kind: 'closed_by_peer' });
  }
}
