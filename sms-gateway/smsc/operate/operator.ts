import type { Logger } from 'pino';
import { Outage } from '../../../domain/db/batch.ts';
import { cancelText } from '../../accept/cancel_text.ts';
import type { TextPayer } from '../../accept/payer.ts';
import { NOT_REPLACED, replaceText } from '../../accept/replace_text.ts';
import type { ReplaceOptions } from '../../accept/replace_text.ts';
import { selectStoredText } from '../../accept/stored_text.ts';
import type { StoredText } from '../../accept/stored_text.ts';
import type { CancelSmBody, Header, QuerySmBody, ReplaceSmBody, ResponseBody } from '../../smpp/pdu.ts';
import type { Respond } from '../../smpp/session_owner.ts';
import { STATUS } from '../../smpp/status.ts';
import { NO_TLVS } from '../../smpp/tlv.ts';
import { refuse, wordsOf } from '../answer.ts';
import type { Bind } from '../bind/bind.ts';
import { readSender } from '../submit/address.ts';
import { statusOf } from '../submit/refusal_status.ts';
import { writeSmppTime } from '../submit/smpp_time.ts';
import { readMessageId, writeMessageId } from './message_id.ts';
import { readReplacement } from './replacement.ts';
import { errorCodeOf, messageStateOf } from './text_state.ts';

export interface OperatorOptions extends ReplaceOptions {
  log: Logger;
}

type Operation = (QuerySmBody | CancelSmBody | ReplaceSmBody) & Header;
type Answer = { status: number; body?: ResponseBody } | { status: number; why: string };

const NO_TEXT: Answer = {
  status: STATUS.ESME_RINVMSGID,
  why: 'The account has no text with this message_id and sender.',
};
const FAILED = {
  query_sm: STATUS.ESME_RQUERYFAIL,
  cancel_sm: STATUS.ESME_RCANCELFAIL,
  replace_sm: STATUS.ESME_RREPLACEFAIL,
};

/**
 * query_sm, cancel_sm and replace_sm: of texts of the account, whichever bind or program sent them, by message_id. A source
 * address that is given has to be the text's. What only has addresses in place of an id, which SMPP 3.4 section 4.9 allows a
 * cancel_sm, is refused: one would take back texts that nobody named.
 */
export class Operator {
  readonly #options: OperatorOptions;

  constructor(options: OperatorOptions) {
    this.#options = options;
  }

  serve(bind: Bind, pdu: Operation, respond: Respond): void {
    this.#answer(bind, pdu).then(
      (answer) => {
        if ('why' in answer) refuse(pdu, respond, answer.status, answer.why, bind.interface_version);
        else respond(answer.status, answer.body);
      },
      (error: unknown) => {
        const { log } = this.#options;
        if (Outage.is(error)) {
          log.warn({ err: error }, `a ${pdu.command} could not be answered while the database is away`);
          return refuse(pdu, respond, FAILED[pdu.command], AWAY, bind.interface_version);
        }
        log.error({ err: error, system_id: bind.esme.row.system_id }, `a ${pdu.command} failed`);
        refuse(pdu, respond, STATUS.ESME_RSYSERR, FAULT, bind.interface_version);
      },
    );
  }

  async #answer(bind: Bind, pdu: Operation): Promise<Answer> {
    if (pdu.message_id === '') return { status: FAILED[pdu.command], why: 'Name the text by its message_id.' };
    const id = readMessageId(pdu.message_id);
    const { account_id, home_country } = bind.esme.payer;
    const text = id === null ? null : await selectStoredText(this.#options.db, account_id, id);
    if (text === null) return NO_TEXT;
    const { source_addr, source_addr_ton } = pdu;
    if (source_addr !== '' && readSender(source_addr, source_addr_ton, home_country) !== text.sender) return NO_TEXT;
    switch (pdu.command) {
      case 'query_sm':
        return { status: STATUS.ESME_ROK, body: describe(text, bind.interface_version) };
      case 'cancel_sm':
        return this.#cancel(account_id, text);
      case 'replace_sm':
        return this.#replace(bind.esme.payer, text, pdu);
    }
  }

  async #cancel(account_id: string, { id }: StoredText): Promise<Answer> {
    switch (await cancelText(this.#options, account_id, id, new Date(this.#options.judge.now()))) {
      case 'cancelled':
        return { status: STATUS.ESME_ROK };
      case 'not_found':
        return NO_TEXT;
      case 'too_late':
        return {
          status: STATUS.ESME_RCANCELFAIL,
          why: 'The text is on its way or has ended, so it can no longer be taken back.',
        };
    }
  }

  async #replace(payer: TextPayer, text: StoredText, pdu: ReplaceSmBody): Promise<Answer> {
    const wished = readReplacement(pdu, text, this.#options.judge.now());
    if (wished.kind === 'refused') return wished;
    const replaced = await replaceText(this.#options, payer, text.id, wished);
    switch (replaced.kind) {
      case 'replaced':
        return { status: STATUS.ESME_ROK };
      case 'not_found':
        return NO_TEXT;
      case 'refused': {
        const { by, refusal } = replaced;
        const status = by === 'judgement' ? statusOf(refusal.code, wished.request) : STATUS.ESME_RREPLACEFAIL;
        return { status, why: wordsOf(refusal) };
      }
      case 'too_late':
      case 'other_length':
      case 'to_be_seen':
        return { status: STATUS.ESME_RREPLACEFAIL, why: NOT_REPLACED[replaced.kind] };
    }
  }
}

const AWAY = 'The database cannot be asked at the moment: try again in a moment.';
const FAULT = 'Something failed on our side, and we were told: it is not known whether it was done.';

function describe({ id, state, since, error }: StoredText, interface_version: number): ResponseBody {
  const { is_final, message_state } = messageStateOf(state, interface_version);
  return {
    command: 'query_sm_resp',
    message_id: writeMessageId(id),
    final_date: is_final ? writeSmppTime(since.getTime()) : '',
    message_state,
    error_code: errorCodeOf(error),
    tlvs: NO_TLVS,
  };
}
