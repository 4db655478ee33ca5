/**
 * Packing of septets into octets, 3GPP TS 23.038 section 6.1.2.1.1. Over SMPP a GSM 7 text mostly goes unpacked, one
 * septet an octet; some carriers take and give it packed.
 */

/** The zero bits between a user data header and the first septet: septets begin at a multiple of 7 bits. */
export function fillBits(header_length_octets: number): number {
  return (7 - ((header_length_octets * 8) % 7)) % 7;
}

/** Septets (one an octet, 0 to 127) as packed octets, after `fill_bits` zero bits. */
export function packSeptets(septets: Uint8Array, fill_bits = 0): Uint8Array {
  const octets = new Uint8Array(Math.ceil((septets.length * 7 + fill_bits) / 8));
  let bit = fill_bits;
  for (const septet of septets) {
    const at = bit >> 3;
    const shifted = (septet & 0x7f) << (bit & 7);
    octets[at] = (octets[at] ?? 0) | (shifted & 0xff);
    if (shifted > 0xff) octets[at + 1] = shifted >> 8;
    bit += 7;
  }
  return octets;
}

/**
 * The septets of packed octets. Without a count all that fit are read, but a last septet 0 that begins with the second
 * bit of an octet is taken for the padding that it nearly always is, not for an "@": packing leaves exactly 7 bits there.
 */
export function unpackSeptets(octets: Uint8Array, fill_bits = 0, septet_count?: number): Uint8Array {
  const bits = octets.length * 8 - fill_bits;
  const fitting = Math.max(0, Math.floor(bits / 7));
  const septets = new Uint8Array(Math.min(fitting, septet_count ?? fitting));
  let bit = fill_bits;
  for (let place = 0; place < septets.length; place++) {
    const at = bit >> 3;
    septets[place] = (((octets[at] ?? 0) | ((octets[at + 1] ?? 0) << 8)) >> (bit & 7)) & 0x7f;
    bit += 7;
  }
  const is_padding = septet_count === undefined && fitting > 0 && bits % 7 === 0 && septets[fitting - 1] === 0;
  return is_padding ? septets.subarray(0, fitting - 1) : septets;
}
