import { dataCodings } from '../../../domain/texts/encoding/data_coding.ts';
import { encodeText } from '../../../domain/texts/encoding/encode_text.ts';
import { encodeRaw } from '../../../domain/texts/encoding/raw_text.ts';
import { segmentUdh } from '../../../domain/texts/encoding/segment.ts';
import type { Segmented } from '../../../domain/texts/encoding/segment.ts';
import { ESM_CLASS } from '../../smpp/field_value.ts';
import { NO_TLVS } from '../../smpp/tlv.ts';
import { deliveryBody } from './delivery_body.ts';
import type { DeliverSm } from './delivery_body.ts';
import type { ToldText } from './told_text.ts';

/** As many parts as there can be. */
const LIMITS = { segments_max: 255 };

/**
 * A text that came for the customer: in GSM 7 where that has all of it, else in UCS-2, or in the octets of a binary one; a long
 * one in parts with a header. The parts of one text have the same reference each time they are sent. None of a text that was
 * erased.
 * @throws Error for one that needs more than 255 parts, which cannot have come.
 */
export function arrivalBodies({ id, sender, recipient, body, encoding }: ToldText): DeliverSm[] {
  if (body === null) return [];
  const { text, data_coding } = cut(body, encoding);
  const reference = Number.parseInt(id.slice(-4), 16);
  return text.segments.map(({ payload }, n) => {
    const udh = segmentUdh(text, n + 1, reference);
    return deliveryBody(sender, recipient, {
      esm_class: udh.length === 0 ? 0 : ESM_CLASS.udh_indicator,
      data_coding,
      short_message: udh.length === 0 ? payload : Buffer.concat([udh, payload]),
      tlvs: NO_TLVS,
    });
  });
}

function cut(body: string, encoding: ToldText['encoding']): { text: Segmented; data_coding: number } {
  // Of a binary text of which a part never came, the gap is told in words.
  const is_binary = encoding === 'binary' && /^(?:[0-9a-f]{2})*$/u.test(body);
  const text = is_binary
    ? encodeRaw(dataCodings.binary, Buffer.from(body, 'hex'), false, LIMITS)
    : encodeText(body, LIMITS);
  if (text.kind === 'too_long') throw new Error(`A text that came has ${text.segments} segments.`);
  if (text.kind === 'malformed_udh') throw new Error(`A text without a header has a malformed one: ${text.reason}.`);
  return { text, data_coding: dataCodings[text.encoding] };
}
