import type { Socket } from 'node:net';
import type { Decoded } from '../../sms-gateway/smpp/decode.ts';
import { writePdu } from '../../sms-gateway/smpp/encode.ts';
import { Framer } from '../../sms-gateway/smpp/framer.ts';
import type { Unframeable } from '../../sms-gateway/smpp/framer.ts';
import { OctetWriter } from '../../sms-gateway/smpp/octet_writer.ts';
import type { PduBody } from '../../sms-gateway/smpp/pdu.ts';
import type { Answer, FactLog } from './fact_log.ts';
import type { LostFact } from './fact.ts';
import type { Turn } from './turn.ts';

const PDU_OCTETS_MAX = 70_000;
/** More unwritten than this, and nothing is read from the peer until it has read. */
const BACKLOG_OCTETS_MAX = 1_048_576;
const GATHERING_OCTETS = 4_096;

/** A response that is being gathered; it is an answer once it has been handed to the socket. */
export interface PendingAnswer extends Answer {
  submitter: { unanswered: number };
}

export interface LinkListener {
  onDecoded: (next: Decoded | Unframeable) => void;
  onClosed: (why: LostFact['why']) => void;
}

/** One TCP connection: PDUs in as they come, PDUs out in one write at the end of the turn. */
export class Link {
  readonly #socket: Socket;
  readonly #turn: Turn;
  readonly #log: FactLog;
  readonly #framer = new Framer(PDU_OCTETS_MAX);
  #listener: LinkListener | null = null;
  #gathering = new OctetWriter(GATHERING_OCTETS);
  /** Responses to submits that are being gathered; their facts are written once they are handed over. */
  #answers: PendingAnswer[] = [];
  #why: LostFact['why'] | null = null;
  #held = false;

  constructor(socket: Socket, turn: Turn, log: FactLog) {
    this.#socket = socket;
    this.#turn = turn;
    this.#log = log;
  }

  begin(listener: LinkListener): void {
    this.#listener = listener;
    const socket = this.#socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => (this.#why ??= 'closed_by_peer'));
    socket.on('error', () => (this.#why ??= 'failed'));
    socket.on('drain', () => this.#readOrNot());
    socket.on('close', () => listener.onClosed(this.#why ?? 'failed'));
  }

  /** @throws EncodeError when a field does not fit. */
  write(body: PduBody, command_status: number, sequence_number: number): void {
    if (this.#why !== null) return;
    const was_empty = this.#gathering.length_octets === 0;
    writePdu(this.#gathering, body, command_status, sequence_number);
    if (was_empty) this.#turn.add(this);
  }

  /** A response to a submit, whose fact is written when it has been handed to the socket. */
  answer(body: PduBody, answer: PendingAnswer): void {
    if (this.#why !== null) return;
    this.write(body, answer.status, answer.seq);
    this.#answers.push(answer);
  }

  flush(): void {
    if (!this.#socket.writable || this.#gathering.length_octets === 0) return;
    const out = this.#gathering;
    const answers = this.#answers;
    this.#gathering = new OctetWriter(Math.max(GATHERING_OCTETS, out.length_octets));
    this.#answers = [];
    this.#socket.write(out.octets.subarray(0, out.length_octets));
    for (const answer of answers) {
      answer.submitter.unanswered -= 1;
      this.#log.answered(answer);
    }
    if (this.#socket.writableLength > BACKLOG_OCTETS_MAX) this.#readOrNot();
  }

  /** Until told otherwise nothing is read, so that the peer's writes pile up. */
  hold(on: boolean): void {
    this.#held = on;
    this.#readOrNot();
  }

  /** Writes what waits, then ends the connection. */
  end(why: LostFact['why']): void {
    if (this.#why !== null) return;
    this.#turn.run();
    this.#why = why;
    this.#socket.end();
    // The peer's own end is heard only by who reads; what else it says is not.
    this.#socket.resume();
  }

  /** Resets the connection: what waits is not written, and the peer may even lose what was. It learns by that what the log has to say. */
  drop(): void {
    this.#why ??= 'dropped';
    this.#log.flush();
    this.#socket.resetAndDestroy();
  }

  #receive(chunk: Buffer): void {
    this.#framer.push(chunk);
    for (;;) {
      if (this.#why !== null) return;
      const next = this.#framer.next();
      if (next === null) return;
      this.#listener?.onDecoded(next);
    }
  }

  #readOrNot(): void {
    if (this.#why !== null) return;
    if (this.#held || this.#socket.writableLength > BACKLOG_OCTETS_MAX) this.#socket.pause();
    else this.#socket.resume();
  }
}
