import type { CloseReason } from './close_reason.ts';
import type { Decoded } from './decode.ts';
import type { Unframeable } from './framer.ts';
import type { PduBody } from './pdu.ts';

/** What a session needs of its connection. */
export interface Wire {
  /** The peer's address and port, for logs. */
  readonly peer: string;
  /**
   * Appends a PDU to what goes out with the next write.
   * @returns the number of that write.
   * @throws EncodeError when a field does not fit.
   */
  write(body: PduBody, command_status: number, sequence_number: number): number;
  /** Whether that write was handed to the kernel; what was not is surely not with the peer. */
  wasHanded(batch: number): boolean;
  /** What waits to be written, or is being written. */
  readonly backlog_octets: number;
  /** Since when a write has not been taken, on the clock of the session; null while none is under way. */
  readonly stuck_since_ms: number | null;
  /** Nothing is heard until `resume`. */
  pause(): void;
  resume(): void;
  /** The longest PDU that is taken from now on. */
  limitPdus(octets_max: number): void;
  /** Writes what waits, then ends the connection; nothing is heard any more but its close. */
  end(reason: CloseReason): void;
  /** At once; what waits is lost. */
  destroy(reason: CloseReason): void;
}

export interface WireListener {
  onDecoded(next: Decoded | Unframeable): void;
  /** A write was taken, so that the backlog is smaller. */
  onWritten(): void;
  /** Once, later than whatever caused it. A reason that was given to `end` or `destroy` is given back. */
  onWireClosed(reason: CloseReason): void;
}
