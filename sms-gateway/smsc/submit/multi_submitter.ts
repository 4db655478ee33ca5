import type { Acceptance } from '../../accept/acceptor.ts';
import type { TextRequest } from '../../accept/text_request.ts';
import type { Destination, Header, SubmitMultiBody, UnsuccessSme } from '../../smpp/pdu.ts';
import type { Respond } from '../../smpp/session_owner.ts';
import { STATUS } from '../../smpp/status.ts';
import { NO_TLVS, TLV, tlvText } from '../../smpp/tlv.ts';
import type { Tlv } from '../../smpp/tlv.ts';
import { refuse, understandsTlvs, wordsOf, wordsTlv } from '../answer.ts';
import type { Bind } from '../bind/bind.ts';
import { writeMessageId } from '../operate/message_id.ts';
import { readRecipient } from './address.ts';
import { readSubmission } from './read_submission.ts';
import { statusOf } from './refusal_status.ts';
import { FAULT, TOO_FAST } from './submitter.ts';
import type { SubmitterOptions } from './submitter.ts';

export interface MultiSubmitterOptions extends SubmitterOptions {
  /** Monotonic, for the rate. */
  now_ms: () => number;
}

type Outcome = { kind: 'accepted'; message_id: string } | { kind: 'refused'; sme: UnsuccessSme; words: string };

/**
 * submit_multi: a text of its own for each destination, with a price, an id and a receipt of its own. The response has one
 * message_id only, that of the first text that was accepted; those of all stand in TLVs receipted_message_id, one for each
 * destination that is not among the unsuccessful ones, in their order. Where none was accepted, the status is theirs, or
 * ESME_RSUBMITFAIL where they differ. Distribution lists are not kept here.
 */
export class MultiSubmitter {
  readonly #options: MultiSubmitterOptions;

  constructor(options: MultiSubmitterOptions) {
    this.#options = options;
  }

  serve(bind: Bind, pdu: SubmitMultiBody & Header, respond: Respond): void {
    const { esme, interface_version } = bind;
    const { home_country } = esme.payer;
    const now_ms = this.#options.now();
    const read = readSubmission(pdu, '', { esme: esme.row, home_country, now_ms });
    if (read.kind === 'refused') return refuse(pdu, respond, read.status, read.why, interface_version);
    Promise.all(pdu.dest_addresses.map((to, n) => this.#submit(bind, read.request, to, n === 0))).then(
      (outcomes) => answer(outcomes, respond, understandsTlvs(interface_version)),
      (error: unknown) => {
        this.#options.log.error({ err: error, system_id: esme.row.system_id }, 'texts of a bind could not be judged');
        refuse(pdu, respond, STATUS.ESME_RSYSERR, FAULT, interface_version);
      },
    );
  }

  /** @param is_counted whether the PDU as a whole has paid for this one. */
  async #submit({ esme }: Bind, request: TextRequest, to: Destination, is_counted: boolean): Promise<Outcome> {
    if (to.dest_flag === 2) return refused(to, STATUS.ESME_RINVDLNAME, 'There are no distribution lists here.');
    if (!is_counted && !esme.rate.take(this.#options.now_ms())) return refused(to, STATUS.ESME_RTHROTTLED, TOO_FAST);
    const recipient = readRecipient(to.destination_addr, to.dest_addr_ton, esme.payer.home_country);
    const acceptance: Acceptance = await this.#options.accept({ ...request, recipient }, esme.payer);
    if (acceptance.kind !== 'refused') return { kind: 'accepted', message_id: writeMessageId(acceptance.id) };
    return refused(to, statusOf(acceptance.refusal.code, request), wordsOf(acceptance.refusal));
  }
}

function refused(to: Destination, error_status_code: number, words: string): Outcome {
  const sme =
    to.dest_flag === 1
      ? { dest_addr_ton: to.dest_addr_ton, dest_addr_npi: to.dest_addr_npi, destination_addr: to.destination_addr }
      : { dest_addr_ton: 0, dest_addr_npi: 0, destination_addr: to.dl_name };
  return { kind: 'refused', sme: { ...sme, error_status_code }, words };
}

function answer(outcomes: readonly Outcome[], respond: Respond, with_tlvs: boolean): void {
  const ids = outcomes.flatMap((one) => (one.kind === 'accepted' ? [one.message_id] : []));
  const failures = outcomes.flatMap((one) => (one.kind === 'refused' ? [one] : []));
  const tlvs: Tlv[] = ids.map((id) => tlvText(TLV.receipted_message_id, id));
  const [failure] = failures;
  if (failure !== undefined) tlvs.push(wordsTlv(failure.words));
  respond(ids.length > 0 ? STATUS.ESME_ROK : commonStatus(failures), {
    command: 'submit_multi_resp',
    message_id: ids[0] ?? '',
    unsuccess_smes: failures.map(({ sme }) => sme),
    tlvs: with_tlvs ? tlvs : NO_TLVS,
  });
}

function commonStatus(failures: readonly { sme: UnsuccessSme }[]): number {
  const statuses = new Set(failures.map(({ sme }) => sme.error_status_code));
  const [only] = statuses;
  return statuses.size === 1 && only !== undefined ? only : STATUS.ESME_RSUBMITFAIL;
}
