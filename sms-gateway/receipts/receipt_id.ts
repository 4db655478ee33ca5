/**
 * How a carrier writes the message id of a receipt, compared with the one of its submit_sm_resp:
 * - `same`: character by character;
 * - `hex_then_decimal`: one number, in hex when it is submitted and in decimal in the receipt;
 * - `decimal_then_hex`: the other way round;
 * - `any`: whatever can be meant, for a carrier that nobody could ask. Then two messages can share an id, and the newest
 *   counts.
 */
export type ReceiptIdForm = 'same' | 'hex_then_decimal' | 'decimal_then_hex' | 'any';

/** SMPP 3.4 allows 64; carriers send longer ones. What is beyond this is cut on both sides, since the id stands in an index. */
const CHARACTERS_MAX = 255;

const DECIMAL = /^[0-9]+$/u;
const HEX = /^(?:0x)?[0-9a-f]+$/iu;

/**
 * The id of a submit_sm_resp as it is stored, for receipts to be matched with. A number becomes lower-case hex without
 * leading zeros where the form is numeric; an id that is no number stays as it came.
 */
export function canonicalSubmitId(message_id: string, form: ReceiptIdForm): string {
  const id = cut(message_id);
  switch (form) {
    case 'same':
      return id;
    case 'hex_then_decimal':
      return hexOf(numberInHex(id)) ?? id;
    case 'decimal_then_hex':
      // One with letters cannot be decimal, whatever was agreed.
      return hexOf(numberInDecimal(id) ?? numberInHex(id)) ?? id;
    case 'any':
      return plain(id);
  }
}

/** What `canonicalSubmitId` may have made of the id that a receipt names. One, unless the form is `any`. */
export function submitIdsOf(receipt_id: string, form: ReceiptIdForm): readonly string[] {
  const id = cut(receipt_id);
  switch (form) {
    case 'same':
      return [id];
    case 'hex_then_decimal':
      return [hexOf(numberInDecimal(id) ?? numberInHex(id)) ?? id];
    case 'decimal_then_hex':
      return [hexOf(numberInHex(id)) ?? id];
    case 'any': {
      const [as_decimal, as_hex] = [numberInDecimal(id), numberInHex(id)];
      const others = [hexOf(as_decimal), as_hex === null ? null : as_hex.toString()];
      return [...new Set([plain(id), ...others.filter((one) => one !== null)])];
    }
  }
}

/** The number that two ids mean when one is written in hex and the other in decimal; null when they do not agree so. */
export function sharedNumber(id: string, other: string): bigint | null {
  const pairs = [
    [numberInHex(cut(id)), numberInDecimal(cut(other))],
    [numberInDecimal(cut(id)), numberInHex(cut(other))],
  ] as const;
  for (const [number, same] of pairs) if (number !== null && number === same) return number;
  return null;
}

function cut(id: string): string {
  return id.trim().slice(0, CHARACTERS_MAX);
}

/** Without what differs between two writings of one number in one notation. */
function plain(id: string): string {
  return HEX.test(id) ? id.toLowerCase().replace(/^(?:0x)?0*(?=.)/u, '') : id;
}

function hexOf(number: bigint | null): string | null {
  return number === null ? null : number.toString(16);
}

function numberInDecimal(id: string): bigint | null {
  return DECIMAL.test(id) ? BigInt(id) : null;
}

function numberInHex(id: string): bigint | null {
  if (!HEX.test(id)) return null;
  return BigInt(/^0x/iu.test(id) ? id : `0x${id}`);
}
