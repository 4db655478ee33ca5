import { RESPONSE_OF } from './command.ts';
import type { RequestName } from './command.ts';
import type { ResponseBody } from './pdu.ts';
import type { Respond, ServedPdu } from './session_owner.ts';
import { STATUS } from './status.ts';
import { NO_TLVS } from './tlv.ts';

/**
 * The response to a request that has nothing to say but its status. Errors of a submission, a query or a bind have no body
 * (SMPP 3.4 sections 4.1 to 4.8); deliver_sm_resp and data_sm_resp have an empty message id in any case.
 */
export function plainResponse(request: RequestName, command_status: number): ResponseBody {
  const is_error = command_status !== STATUS.ESME_ROK;
  const command = RESPONSE_OF[request];
  switch (command) {
    case 'submit_sm_resp':
      return { command, message_id: is_error ? null : '', tlvs: NO_TLVS };
    case 'deliver_sm_resp':
    case 'data_sm_resp':
      return { command, message_id: '', tlvs: NO_TLVS };
    case 'submit_multi_resp':
      return { command, message_id: is_error ? null : '', unsuccess_smes: [], tlvs: NO_TLVS };
    case 'query_sm_resp':
      return {
        command,
        message_id: is_error ? null : '',
        final_date: '',
        message_state: 0,
        error_code: 0,
        tlvs: NO_TLVS,
      };
    case 'bind_transmitter_resp':
    case 'bind_receiver_resp':
    case 'bind_transceiver_resp':
      return { command, system_id: is_error ? null : '', tlvs: NO_TLVS };
    case 'enquire_link_resp':
    case 'unbind_resp':
    case 'cancel_sm_resp':
    case 'replace_sm_resp':
      return { command, tlvs: NO_TLVS };
  }
}

/** Gives back false where the session is gone. */
export type AnswerSender = (body: ResponseBody, command_status: number, sequence_number: number) => boolean;

/** What an owner answers one request with; the second answer, and one of another command, is a bug of its own. */
export function respondOnce({ command, sequence_number }: ServedPdu, send: AnswerSender): Respond {
  let is_answered = false;
  return (command_status, body = plainResponse(command, command_status)) => {
    if (is_answered) throw new Error(`A ${command} was answered twice.`);
    if (body.command !== RESPONSE_OF[command] && body.command !== 'generic_nack') {
      throw new Error(`A ${command} cannot be answered with ${body.command}.`);
    }
    const was_sent = send(body, command_status, sequence_number);
    is_answered = true;
    return was_sent;
  };
}
