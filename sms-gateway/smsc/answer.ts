import type { Refusal } from '../accept/refusal.ts';
import { INTERFACE_VERSION } from '../smpp/field_value.ts';
import type { ResponseBody } from '../smpp/pdu.ts';
import { plainResponse } from '../smpp/response.ts';
import type { Respond, ServedPdu } from '../smpp/session_owner.ts';
import { TLV, tlvText } from '../smpp/tlv.ts';
import type { Tlv } from '../smpp/tlv.ts';

/** SMPP 3.4 section 5.3.2.11: 256 octets with the NUL. */
const WORDS_CHARACTERS_MAX = 255;

/** A peer of an older version may not understand TLVs (SMPP 3.4 section 3.1). */
export function understandsTlvs(interface_version: number): boolean {
  return interface_version >= INTERFACE_VERSION.v3_4;
}

/** For programs and people: the code comes first. */
export function wordsOf({ code, message }: Refusal): string {
  return `${code}: ${message}`;
}

/** As additional_status_info_text, of what is ASCII; longer ones are cut. */
export function wordsTlv(words: string): Tlv {
  return tlvText(TLV.additional_status_info_text, words.replace(/[^\x20-\x7e]/gu, '?').slice(0, WORDS_CHARACTERS_MAX));
}

/**
 * Refuses a request, in words too where the peer understands them. The standard wants no body beside an error, but a TLV has to
 * stand behind one: so there it has an empty one.
 */
export function refuse(
  { command }: ServedPdu,
  respond: Respond,
  status: number,
  words: string,
  interface_version: number,
): void {
  if (!understandsTlvs(interface_version)) {
    respond(status);
    return;
  }
  const tlvs = [wordsTlv(words)];
  const plain: ResponseBody = plainResponse(command, status);
  respond(status, 'message_id' in plain ? { ...plain, message_id: '', tlvs } : { ...plain, tlvs });
}
