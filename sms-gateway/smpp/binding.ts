import type { CloseReason } from './close_reason.ts';
import { RESPONSE_OF } from './command.ts';
import type { BindBody, Header, ResponseBody, ResponsePdu } from './pdu.ts';
import { plainResponse } from './response.ts';
import type { BindAnswer, Bound, SessionOwner } from './session_owner.ts';
import type { Role } from './session_state.ts';
import { STATUS } from './status.ts';
import { findTlvNumber, NO_TLVS, TLV, tlvUint8 } from './tlv.ts';

export type BindPdu = BindBody & Header;

/** What the bind needs of its session. */
export interface BindingSession {
  /** Another one once we bind to whoever came to us. */
  role: () => Role;
  owner: SessionOwner;
  interface_version: number;
  isOpen(): boolean;
  answer(body: ResponseBody, command_status: number, sequence_number: number): void;
  bound(bound: Bound): void;
  end(reason: CloseReason): void;
}

const MODE_OF = { bind_transmitter: 'tx', bind_receiver: 'rx', bind_transceiver: 'trx' } as const;

/** How a session comes to be bound (SMPP 3.4 section 4.1), as either side of it. */
export class Binding {
  readonly #session: BindingSession;
  #is_pending = false;

  constructor(session: BindingSession) {
    this.#session = session;
  }

  /** Whether the peer has asked and has no answer yet. */
  get is_pending(): boolean {
    return this.#is_pending;
  }

  /** The peer asks to be bound. The answer comes from the owner, once. */
  asked(pdu: BindPdu): void {
    const { role, owner } = this.#session;
    if (role() === 'esme') return this.#refuse(pdu, STATUS.ESME_RINVBNDSTS);
    if (!this.#session.isOpen() || this.#is_pending) return this.#refuse(pdu, STATUS.ESME_RALYBND);
    this.#is_pending = true;
    owner.onBindRequest?.(pdu, (answer) => this.#answer(pdu, answer));
  }

  /** The SMSC has answered our bind. */
  answered(asked: BindBody, pdu: ResponsePdu): void {
    if (pdu.command_status !== STATUS.ESME_ROK || !('system_id' in pdu)) {
      return this.#session.end({ kind: 'bind_refused', command_status: pdu.command_status });
    }
    this.#session.bound({
      mode: MODE_OF[asked.command],
      peer_system_id: pdu.system_id ?? '',
      peer_interface_version: findTlvNumber(pdu.tlvs, TLV.sc_interface_version),
    });
  }

  #answer(pdu: BindPdu, answer: BindAnswer): void {
    if (!this.#is_pending) throw new Error('A bind was answered twice.');
    this.#is_pending = false;
    if (!this.#session.isOpen()) return;
    if (answer.kind === 'refused') {
      this.#refuse(pdu, answer.command_status);
      return this.#session.end({ kind: 'bind_refused', command_status: answer.command_status });
    }
    const version = tlvUint8(TLV.sc_interface_version, this.#session.interface_version);
    const tlvs = [version, ...(answer.tlvs ?? NO_TLVS)];
    const body: ResponseBody = { command: RESPONSE_OF[pdu.command], system_id: answer.system_id, tlvs };
    this.#session.answer(body, STATUS.ESME_ROK, pdu.sequence_number);
    this.#session.bound({
      mode: MODE_OF[pdu.command],
      peer_system_id: pdu.system_id,
      peer_interface_version: pdu.interface_version,
    });
  }

  #refuse(pdu: BindPdu, command_status: number): void {
    this.#session.answer(plainResponse(pdu.command, command_status), command_status, pdu.sequence_number);
  }
}
