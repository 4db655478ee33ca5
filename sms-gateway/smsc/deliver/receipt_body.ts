import { ESM_CLASS } from '../../smpp/field_value.ts';
import { NO_TLVS, TLV, tlvText, tlvUint16, tlvUint8 } from '../../smpp/tlv.ts';
import type { Tlv } from '../../smpp/tlv.ts';
import { writeMessageId } from '../operate/message_id.ts';
import { finalState } from '../operate/text_state.ts';
import { writeReceiptDate } from '../submit/smpp_time.ts';
import { deliveryBody } from './delivery_body.ts';
import type { DeliverSm } from './delivery_body.ts';
import type { ToldText } from './told_text.ts';

const QUOTED_CHARACTERS_MAX = 20;
/** Characters that ASCII and GSM 7 have in the same place, without those that tell fields apart. */
const QUOTABLE = /^[A-Za-z0-9 !"#%&'()*+,\-./;<=>?]*$/u;

/**
 * The receipt of a text (SMPP 3.4 section 5.2.12 and appendix B), to whoever sent it; dates are in UTC. Null for one that has
 * not ended. @param with_tlvs whether the peer understands them.
 */
export function receiptBody(text: ToldText, with_tlvs: boolean): DeliverSm | null {
  const { ended } = text;
  if (ended === null) return null;
  const { message_state, stat } = finalState(ended.state);
  const id = writeMessageId(text.id);
  const words =
    `id:${id} sub:001 dlvrd:${ended.state === 'delivered' ? '001' : '000'} ` +
    `submit date:${writeReceiptDate(text.accepted_at.getTime())} done date:${writeReceiptDate(ended.at.getTime())} ` +
    `stat:${stat} err:${errorOf(ended)} text:${beginningOf(text)}`;
  return deliveryBody(text.recipient, text.sender, {
    esm_class: ESM_CLASS.type_delivery_receipt,
    data_coding: 0,
    short_message: Buffer.from(words, 'latin1'),
    tlvs: with_tlvs ? tlvsOf(id, message_state, text.client_ref) : NO_TLVS,
  });
}

/** Three characters: the code of the carrier or its network. What is told in words is not told here. */
function errorOf({ state, error }: NonNullable<ToldText['ended']>): string {
  if (state === 'delivered' || error === null || !/^[0-9A-Fa-f]{1,3}$/u.test(error)) return '000';
  return error.padStart(3, '0');
}

/** Of a text that the receipt's alphabet has as it is. */
function beginningOf({ body, encoding }: ToldText): string {
  const beginning = body?.slice(0, QUOTED_CHARACTERS_MAX) ?? '';
  return encoding !== 'binary' && QUOTABLE.test(beginning) ? beginning : '';
}

function tlvsOf(id: string, message_state: number, client_ref: string | null): Tlv[] {
  const tlvs = [tlvText(TLV.receipted_message_id, id), tlvUint8(TLV.message_state, message_state)];
  const reference = client_ref !== null && /^[0-9]{1,5}$/u.test(client_ref) ? Number(client_ref) : null;
  if (reference !== null && reference <= 0xffff) tlvs.push(tlvUint16(TLV.user_message_reference, reference));
  return tlvs;
}
