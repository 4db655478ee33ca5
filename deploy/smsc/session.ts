import type { Decoded, Malformed } from '../../sms-gateway/smpp/decode.ts';
import { commandName, isRequestName, RESPONSE_BIT, RESPONSE_OF } from '../../sms-gateway/smpp/command.ts';
import type { RequestName } from '../../sms-gateway/smpp/command.ts';
import type { Unframeable } from '../../sms-gateway/smpp/framer.ts';
import type { BindBody, Header, Pdu, ResponseBody, UnsuccessSme } from '../../sms-gateway/smpp/pdu.ts';
import { STATUS } from '../../sms-gateway/smpp/status.ts';
import { NO_TLVS, TLV, tlvUint8 } from '../../sms-gateway/smpp/tlv.ts';
import type { Tlv } from '../../sms-gateway/smpp/tlv.ts';
import type { Account } from './account.ts';
import type { BindFact, LostFact } from './fact.ts';
import type { FactLog } from './fact_log.ts';
import type { Intake, Submitter } from './intake.ts';
import type { Link, LinkListener } from './link.ts';
import type { Submission } from './message.ts';
import type { Operations } from './operations.ts';
import { Receiver } from './receiver.ts';
import { submissionsOf } from './submission.ts';
import type { SubmitPdu } from './submission.ts';

/**
 *   open ──bind accepted──▶ bound ──unbind──▶ closed
 *     └────────── connection lost ──────────────▲
 */
type Standing = { kind: 'open' } | { kind: 'closed' } | Bound;

interface Bound {
  kind: 'bound';
  account: Account;
  role: BindFact['role'];
  submitter: Submitter;
  /** Null for a transmitter. */
  receiver: Receiver | null;
}

export interface SessionParts {
  log: FactLog;
  intake: Intake;
  operations: Operations;
  accounts: ReadonlyMap<string, Account>;
  onClosed: (session: Session) => void;
}

const ROLE = {
  bind_transmitter: 'transmitter',
  bind_receiver: 'receiver',
  bind_transceiver: 'transceiver',
} as const;

/** One connection of an ESME, from its bind to its end. */
export class Session implements LinkListener {
  readonly conn: number;
  readonly peer: string;
  readonly link: Link;
  readonly #parts: SessionParts;
  #standing: Standing = { kind: 'open' };

  constructor(conn: number, peer: string, link: Link, parts: SessionParts) {
    this.conn = conn;
    this.peer = peer;
    this.link = link;
    this.#parts = parts;
    parts.log.rare({ t: 'connect', conn, peer });
    link.begin(this);
  }

  /** Null while nobody is bound. */
  get bound(): { system_id: string; role: BindFact['role']; unanswered: number; unacknowledged: number } | null {
    const standing = this.#standing;
    if (standing.kind !== 'bound') return null;
    const { account, role, submitter, receiver } = standing;
    const unacknowledged = receiver?.unacknowledged ?? 0;
    return { system_id: account.system_id, role, unanswered: submitter.unanswered, unacknowledged };
  }

  onDecoded(next: Decoded | Unframeable): void {
    if (next.kind === 'pdu') this.#onPdu(next.pdu);
    else if (next.kind === 'malformed') this.#onMalformed(next);
    else {
      this.#nonsense(STATUS.ESME_RINVCMDLEN, next.why);
      this.link.write({ command: 'generic_nack', tlvs: NO_TLVS }, STATUS.ESME_RINVCMDLEN, 0);
      this.link.end('unframeable');
    }
  }

  onClosed(why: LostFact['why']): void {
    const standing = this.#standing;
    const is_bound = standing.kind === 'bound';
    const unacknowledged = is_bound ? (standing.receiver?.unacknowledged ?? 0) : 0;
    const bind = is_bound ? standing.account.system_id : null;
    this.#standing = { kind: 'closed' };
    this.#parts.log.rare({ t: 'lost', conn: this.conn, bind, why, unacknowledged });
    if (is_bound && standing.receiver !== null) standing.account.outbox.leave(standing.receiver);
    this.#parts.onClosed(this);
  }

  #onPdu(pdu: Pdu): void {
    const standing = this.#standing;
    switch (pdu.command) {
      case 'submit_sm':
      case 'submit_multi':
      case 'data_sm':
        return this.#onSubmit(standing, pdu.command, pdu);
      case 'deliver_sm_resp':
      case 'data_sm_resp':
      case 'generic_nack':
        return this.#onResponse(standing, pdu);
      case 'enquire_link':
        return this.link.write({ command: 'enquire_link_resp', tlvs: NO_TLVS }, 0, pdu.sequence_number);
      case 'bind_transmitter':
      case 'bind_receiver':
      case 'bind_transceiver':
        return this.#onBind(standing, pdu);
      case 'unbind':
        this.link.write({ command: 'unbind_resp', tlvs: NO_TLVS }, 0, pdu.sequence_number);
        return this.link.end('unbound');
      case 'query_sm':
      case 'cancel_sm':
      case 'replace_sm': {
        const may = standing.kind === 'bound' && standing.role !== 'receiver';
        if (!may) return this.#refuse(pdu.command, STATUS.ESME_RINVBNDSTS, pdu.sequence_number);
        const { body, status } = this.#parts.operations.run(standing.account, this.conn, pdu);
        return this.link.write(body, status, pdu.sequence_number);
      }
      default:
        return this.#onStray(pdu);
    }
  }

  #onBind(standing: Standing, pdu: BindBody & Header): void {
    const role = ROLE[pdu.command];
    const account = this.#parts.accounts.get(pdu.system_id);
    const status = bindStatus(standing, account, pdu.password);
    this.#parts.log.rare({ t: 'bind', conn: this.conn, bind: pdu.system_id, role, status });
    if (account === undefined || status !== 0) return this.#refuse(pdu.command, status, pdu.sequence_number);
    const receiver = role === 'transmitter' ? null : new Receiver(this.conn, this.link);
    this.#standing = { kind: 'bound', account, role, submitter: this.#submitter(account), receiver };
    const tlvs = [tlvUint8(TLV.sc_interface_version, 0x34)];
    this.link.write({ command: RESPONSE_OF[pdu.command], system_id: 'letsdial-smsc', tlvs }, 0, pdu.sequence_number);
    if (receiver !== null) account.outbox.join(receiver);
  }

  #onSubmit(standing: Standing, command: Submission['command'], pdu: SubmitPdu): void {
    if (standing.kind !== 'bound' || standing.role === 'receiver') {
      this.#nonsense(STATUS.ESME_RINVBNDSTS, `${command} of somebody who is not bound to send.`);
      return this.#refuse(command, STATUS.ESME_RINVBNDSTS, pdu.sequence_number);
    }
    const texts = submissionsOf(command, pdu);
    if (texts !== null) return this.#parts.intake.take(standing.submitter, texts);
    this.#nonsense(STATUS.ESME_RINVDLNAME, 'There are no distribution lists here.');
    this.#refuse(command, STATUS.ESME_RINVDLNAME, pdu.sequence_number);
  }

  #submitter(account: Account): Submitter {
    const { conn, link } = this;
    const { intake } = this.#parts;
    const submitter: Submitter = {
      conn,
      account,
      unanswered: 0,
      answer: (to, id, status, failures) => {
        const answer = { seq: to.sequence_number, conn, id, status, submitter };
        const { congestion_state } = intake.behaviour;
        const tlvs = congestion_state === null ? NO_TLVS : [tlvUint8(TLV.congestion_state, congestion_state)];
        link.answer(submitResponse(to.command, id, failures, tlvs), answer);
      },
      drop: () => link.drop(),
    };
    return submitter;
  }

  #onResponse(standing: Standing, pdu: Pdu): void {
    const { sequence_number, command_status } = pdu;
    const receiver = standing.kind === 'bound' ? standing.receiver : null;
    const is_known =
      standing.kind === 'bound' &&
      receiver !== null &&
      standing.account.outbox.onResponse(receiver, sequence_number, command_status);
    if (!is_known) this.#nonsense(0, `${pdu.command} to nothing that waits for one, number ${sequence_number}.`);
  }

  /** What an ESME has no reason to send. */
  #onStray(pdu: Pdu): void {
    this.#nonsense(STATUS.ESME_RINVCMDID, `${pdu.command} of an ESME.`);
    // Responses, and what is only told, have no answer.
    if (isRequestName(pdu.command)) this.#nack(STATUS.ESME_RINVCMDID, pdu.sequence_number);
  }

  #onMalformed({ command_id, sequence_number, status, why }: Malformed): void {
    this.#nonsense(status, why);
    if ((command_id & RESPONSE_BIT) !== 0) return;
    const command = commandName(command_id);
    if (command !== null && isRequestName(command)) this.#refuse(command, status, sequence_number);
    else this.#nack(status, sequence_number);
  }

  #nack(status: number, sequence_number: number): void {
    this.link.write({ command: 'generic_nack', tlvs: NO_TLVS }, status, sequence_number);
  }

  #refuse(command: RequestName, status: number, sequence_number: number): void {
    this.link.write(refusal(command), status, sequence_number);
  }

  #nonsense(status: number, why: string): void {
    const bind = this.#standing.kind === 'bound' ? this.#standing.account.system_id : null;
    this.#parts.log.rare({ t: 'nonsense', conn: this.conn, bind, status, why });
  }
}

function bindStatus(standing: Standing, account: Account | undefined, password: string): number {
  if (standing.kind !== 'open') return STATUS.ESME_RALYBND;
  if (account === undefined) return STATUS.ESME_RINVSYSID;
  return account.password === password ? 0 : STATUS.ESME_RINVPASWD;
}

function submitResponse(
  command: Submission['command'],
  message_id: string | null,
  unsuccess_smes: readonly UnsuccessSme[],
  tlvs: readonly Tlv[],
): ResponseBody {
  if (command === 'submit_multi') return { command: 'submit_multi_resp', message_id, unsuccess_smes, tlvs };
  return { command: command === 'submit_sm' ? 'submit_sm_resp' : 'data_sm_resp', message_id, tlvs };
}

/** A response with an error has no body, section 4. */
function refusal(command: RequestName): ResponseBody {
  const response = RESPONSE_OF[command];
  switch (response) {
    case 'bind_receiver_resp':
    case 'bind_transmitter_resp':
    case 'bind_transceiver_resp':
      return { command: response, system_id: null, tlvs: NO_TLVS };
    case 'submit_sm_resp':
    case 'deliver_sm_resp':
    case 'data_sm_resp':
      return { command: response, message_id: null, tlvs: NO_TLVS };
    case 'submit_multi_resp':
      return { command: response, message_id: null, unsuccess_smes: [], tlvs: NO_TLVS };
    case 'query_sm_resp':
      return { command: response, message_id: null, final_date: '', message_state: 0, error_code: 0, tlvs: NO_TLVS };
    case 'enquire_link_resp':
    case 'unbind_resp':
    case 'cancel_sm_resp':
    case 'replace_sm_resp':
      return { command: response, tlvs: NO_TLVS };
  }
}
