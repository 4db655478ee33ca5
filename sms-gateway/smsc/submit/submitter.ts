import type { Logger } from 'pino';
import type { Acceptance } from '../../accept/acceptor.ts';
import type { TextPayer } from '../../accept/payer.ts';
import type { TextRequest } from '../../accept/text_request.ts';
import type { DataSmBody, Header, ShortMessageBody } from '../../smpp/pdu.ts';
import type { Respond, ServedPdu } from '../../smpp/session_owner.ts';
import { STATUS } from '../../smpp/status.ts';
import { NO_TLVS } from '../../smpp/tlv.ts';
import { refuse, wordsOf } from '../answer.ts';
import type { Bind } from '../bind/bind.ts';
import { writeMessageId } from '../operate/message_id.ts';
import { readRecipient } from './address.ts';
import { readSubmission } from './read_submission.ts';
import { statusOf } from './refusal_status.ts';

export interface SubmitterOptions {
  accept: (request: TextRequest, payer: TextPayer) => Promise<Acceptance>;
  /** The time of day. */
  now: () => number;
  log: Logger;
}

type SingleSubmission = ((ShortMessageBody & { command: 'submit_sm' }) | DataSmBody) & Header;

export function isSubmission(pdu: ServedPdu): pdu is SingleSubmission {
  return pdu.command === 'submit_sm' || pdu.command === 'data_sm';
}

const RESPONSE = { submit_sm: 'submit_sm_resp', data_sm: 'data_sm_resp' } as const;

/** What went wrong on our side, as a peer is told. */
export const FAULT = 'Something failed on our side, and we were told: it is not known whether the text was taken.';
export const TOO_FAST =
  'too_fast: More texts come than the contract allows in a second: send this one again more slowly.';

/** submit_sm and data_sm: each is answered once its text is charged and stored, in whatever order that comes. */
export class Submitter {
  readonly #options: SubmitterOptions;

  constructor(options: SubmitterOptions) {
    this.#options = options;
  }

  serve({ esme, interface_version }: Bind, pdu: SingleSubmission, respond: Respond): void {
    const { row, payer } = esme;
    const { accept, now } = this.#options;
    const recipient = readRecipient(pdu.destination_addr, pdu.dest_addr_ton, payer.home_country);
    const { home_country } = payer;
    const read = readSubmission(pdu, recipient, { esme: row, home_country, now_ms: now() });
    if (read.kind === 'refused') return refuse(pdu, respond, read.status, read.why, interface_version);
    accept(read.request, payer).then(
      (acceptance) => {
        if (acceptance.kind === 'refused') {
          const { refusal } = acceptance;
          refuse(pdu, respond, statusOf(refusal.code, read.request), wordsOf(refusal), interface_version);
        } else {
          const message_id = writeMessageId(acceptance.id);
          respond(STATUS.ESME_ROK, { command: RESPONSE[pdu.command], message_id, tlvs: NO_TLVS });
        }
      },
      (error: unknown) => {
        this.#options.log.error({ err: error, system_id: row.system_id }, 'a text of a bind could not be judged');
        refuse(pdu, respond, STATUS.ESME_RSYSERR, FAULT, interface_version);
      },
    );
  }
}
