import type { FinalState } from '../../../domain/texts/message.ts';
import { INTERFACE_VERSION, MESSAGE_STATE } from '../../smpp/field_value.ts';
import type { StoredText } from '../../accept/stored_text.ts';

/** How a text ended, as message_state (SMPP 3.4 section 5.2.28) and as `stat` of a receipt (appendix B) say it. */
const FINAL: Readonly<Record<FinalState, { message_state: number; stat: string }>> = {
  delivered: { message_state: MESSAGE_STATE.delivered, stat: 'DELIVRD' },
  expired: { message_state: MESSAGE_STATE.expired, stat: 'EXPIRED' },
  deleted: { message_state: MESSAGE_STATE.deleted, stat: 'DELETED' },
  cancelled: { message_state: MESSAGE_STATE.deleted, stat: 'DELETED' },
  undeliverable: { message_state: MESSAGE_STATE.undeliverable, stat: 'UNDELIV' },
  unknown: { message_state: MESSAGE_STATE.unknown, stat: 'UNKNOWN' },
  rejected: { message_state: MESSAGE_STATE.rejected, stat: 'REJECTD' },
};

export function finalState(state: FinalState): { message_state: number; stat: string } {
  return FINAL[state];
}

/** Whether a text has ended, and the state of one that has not: `scheduled` is a word of 5.0. */
export function messageStateOf(
  state: StoredText['state'],
  interface_version: number,
): { is_final: boolean; message_state: number } {
  switch (state) {
    case 'queued':
    case 'held':
    case 'in_doubt':
    case 'submitted':
      return { is_final: false, message_state: MESSAGE_STATE.enroute };
    case 'scheduled': {
      const knows_it = interface_version >= INTERFACE_VERSION.v5_0;
      return { is_final: false, message_state: knows_it ? MESSAGE_STATE.scheduled : MESSAGE_STATE.enroute };
    }
    default:
      return { is_final: true, message_state: FINAL[state].message_state };
  }
}

/** The network's code where the error is one; 0 where it is told in words, or does not fit an octet. */
export function errorCodeOf(error: string | null): number {
  if (error === null || !/^[0-9]{1,3}$/u.test(error)) return 0;
  const code = Number(error);
  return code > 0xff ? 0 : code;
}
