import { COMMAND_ID } from './command.ts';
import { decodeRequestBody } from './decode_request.ts';
import { decodeResponseBody } from './decode_response.ts';
import { HEADER_OCTETS } from './field_limit.ts';
import { OctetReader } from './octet_reader.ts';
import type { Pdu } from './pdu.ts';
import { STATUS } from './status.ts';

export type Decoded = DecodedPdu | Malformed;

export interface DecodedPdu {
  kind: 'pdu';
  pdu: Pdu;
}

/** What a PDU that cannot be read is answered with, where its command is one that is answered. */
export interface Malformed {
  kind: 'malformed';
  /** Unsigned; perhaps none that the standard has. */
  command_id: number;
  /** The status that came with it. */
  command_status: number;
  sequence_number: number;
  /** What to answer, section 5.1.3. */
  status: number;
  why: string;
}

/** Decoding is synchronous, so one reader serves all. */
const reader = new OctetReader();

/**
 * Reads the PDU that fills `octets` from `start` to `end`, its header included. Never throws, whatever the bytes.
 *
 * Requests are read strictly. Of a response all that can be read is kept, as nobody could be told that it was wrong: a body
 * that is missing, a last string without its NUL, ids that are too long, and a broken rest after the fields. With an error
 * status even a body that makes no sense is passed over.
 *
 * Views into `octets` are handed out: the caller must not write into it again.
 */
export function decode(octets: Buffer, start: number, end: number): Decoded {
  if (end - start < HEADER_OCTETS) {
    return malformed(
      0,
      0,
      0,
      STATUS.ESME_RINVCMDLEN,
      `A PDU has ${HEADER_OCTETS} octets at least, not ${end - start}.`,
    );
  }
  const command_id = octets.readInt32BE(start + 4);
  const command_status = octets.readUInt32BE(start + 8);
  const sequence_number = octets.readUInt32BE(start + 12);
  const is_response = command_id < 0;
  reader.begin(octets, start + HEADER_OCTETS, end, is_response);
  const pdu = is_response
    ? decodeResponseBody(reader, command_id & 0x7fffffff, command_status, sequence_number)
    : decodeRequestBody(reader, command_id, command_status, sequence_number);
  if (pdu === null) {
    return malformed(
      command_id >>> 0,
      command_status,
      sequence_number,
      STATUS.ESME_RINVCMDID,
      `There is no command ${(command_id >>> 0).toString(16)}.`,
    );
  }
  if (reader.status !== STATUS.ESME_ROK) {
    return malformed(command_id >>> 0, command_status, sequence_number, reader.status, reader.why);
  }
  return { kind: 'pdu', pdu };
}

/** One whole PDU by itself. */
export function decodeWhole(octets: Buffer): Decoded {
  if (octets.length >= 4 && octets.readUInt32BE(0) !== octets.length) {
    const [command_id, command_status, sequence_number] =
      octets.length >= HEADER_OCTETS
        ? [octets.readUInt32BE(4), octets.readUInt32BE(8), octets.readUInt32BE(12)]
        : [COMMAND_ID.generic_nack, 0, 0];
    const why = `command_length says ${octets.readUInt32BE(0)} octets, and there are ${octets.length}.`;
    return malformed(command_id, command_status, sequence_number, STATUS.ESME_RINVCMDLEN, why);
  }
  return decode(octets, 0, octets.length);
}

function malformed(
  command_id: number,
  command_status: number,
  sequence_number: number,
  status: number,
  why: string,
): Malformed {
  return { kind: 'malformed', command_id, command_status, sequence_number, status, why };
}
