import type { CancelSmBody, Header, QuerySmBody, ReplaceSmBody, ResponseBody } from '../../sms-gateway/smpp/pdu.ts';
import { STATUS } from '../../sms-gateway/smpp/status.ts';
import { NO_TLVS } from '../../sms-gateway/smpp/tlv.ts';
import type { Account } from './account.ts';
import type { FactLog } from './fact_log.ts';
import type { Message, RememberedMessages } from './message.ts';
import { STATE_OF } from './receipt.ts';

export interface OperationAnswer {
  body: ResponseBody;
  status: number;
}

type OperationPdu = Header & (QuerySmBody | CancelSmBody | ReplaceSmBody);

/** query_sm, cancel_sm and replace_sm, SMPP 3.4 sections 4.8 to 4.10, of texts that are remembered. */
export class Operations {
  readonly #log: FactLog;
  readonly #messages: RememberedMessages;

  constructor(log: FactLog, messages: RememberedMessages) {
    this.#log = log;
    this.#messages = messages;
  }

  run(account: Account, conn: number, pdu: OperationPdu): OperationAnswer {
    const found = this.#messages.of(account.system_id, pdu.message_id);
    // The sender has to be named as in the submit, sections 4.8.1, 4.9.1 and 4.10.1.
    const message = found?.from === pdu.source_addr ? found : undefined;
    const answer = answerOf(pdu, message);
    const fact = { conn, bind: account.system_id, id: pdu.message_id, status: answer.status };
    if (pdu.command === 'query_sm') this.#log.rare({ t: 'query', ...fact });
    else if (pdu.command === 'cancel_sm') this.#log.rare({ t: 'cancel', ...fact });
    else this.#log.rare({ t: 'replace', ...fact, hex: Buffer.from(pdu.short_message).toString('hex') });
    return answer;
  }
}

function answerOf(pdu: OperationPdu, message: Message | undefined): OperationAnswer {
  switch (pdu.command) {
    case 'query_sm':
      return query(pdu.message_id, message);
    case 'cancel_sm': {
      const can = message !== undefined && !message.done;
      // It ends as deleted when it would have ended otherwise, and its receipt says so.
      if (can) message.outcome = { stat: 'DELETED', err: '000' };
      return { body: { command: 'cancel_sm_resp', tlvs: NO_TLVS }, status: statusOf(message, STATUS.ESME_RCANCELFAIL) };
    }
    case 'replace_sm': {
      const status = statusOf(message, STATUS.ESME_RREPLACEFAIL);
      return { body: { command: 'replace_sm_resp', tlvs: NO_TLVS }, status };
    }
  }
}

function statusOf(message: Message | undefined, too_late: number): number {
  if (message === undefined) return STATUS.ESME_RINVMSGID;
  return message.done ? too_late : 0;
}

function query(message_id: string, message: Message | undefined): OperationAnswer {
  const nothing = { final_date: '', message_state: 0, error_code: 0, tlvs: NO_TLVS } as const;
  if (message === undefined) {
    return { body: { command: 'query_sm_resp', message_id: null, ...nothing }, status: STATUS.ESME_RINVMSGID };
  }
  const stat = message.done || message.outcome.stat === 'DELETED' ? message.outcome.stat : 'ENROUTE';
  const error_code = message.done ? Number.parseInt(message.outcome.err, 16) & 0xff : 0;
  const message_state = STATE_OF[stat] ?? 0;
  return { body: { command: 'query_sm_resp', message_id, ...nothing, message_state, error_code }, status: 0 };
}
