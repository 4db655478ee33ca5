import type { ResponsePdu } from '../../smpp/pdu.ts';
import type { ServedBody } from '../../smpp/session_owner.ts';
import { STATUS } from '../../smpp/status.ts';
import { NO_TLVS } from '../../smpp/tlv.ts';
import type { RequestOutcome, Requester } from '../../smpp/window.ts';
import type { DeliverSm } from '../deliver/delivery_body.ts';

/** The session of a bind whose peer answers when a test wants it to. */
export class FakeBind {
  /** All that it was sent, in its order. */
  readonly sent: DeliverSm[] = [];
  readonly #waiting: Requester[] = [];
  is_open = true;
  /** Answers each at once. */
  answers_with: number | null = null;

  get in_flight(): number {
    return this.#waiting.length;
  }

  get can_send(): boolean {
    return this.is_open;
  }

  request(body: ServedBody, requester: Requester): boolean {
    if (!this.is_open) return false;
    this.sent.push(body as DeliverSm);
    this.#waiting.push(requester);
    const { answers_with } = this;
    if (answers_with !== null) setImmediate(() => this.answer(answers_with, requester));
    return true;
  }

  /** The oldest, or that one. */
  answer(command_status: number = STATUS.ESME_ROK, requester: Requester | undefined = this.#waiting[0]): void {
    const pdu: ResponsePdu = {
      ...{ command: 'deliver_sm_resp', message_id: '', tlvs: NO_TLVS, command_status, sequence_number: 1 },
    };
    this.#end(requester, { kind: 'response', pdu });
  }

  fallSilent(): void {
    this.#end(this.#waiting[0], { kind: 'unanswered', why: 'timeout', written: true });
  }

  /** As a session ends: first the outcomes of what is out. */
  close(written = true): void {
    this.is_open = false;
    for (const requester of [...this.#waiting]) this.#end(requester, { kind: 'unanswered', why: 'closed', written });
  }

  #end(requester: Requester | undefined, outcome: RequestOutcome): void {
    const at = requester === undefined ? -1 : this.#waiting.indexOf(requester);
    if (requester === undefined || at < 0) throw new Error('Nothing waits for an answer.');
    this.#waiting.splice(at, 1);
    requester.onOutcome(outcome);
  }
}
