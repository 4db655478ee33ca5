/** The payload of a text that is no text: what a customer sent, kept to the octet. */
export interface RawBody {
  data_coding: number;
  /** Whether the octets begin with a user data header. */
  has_udh: boolean;
  octets: Uint8Array;
}

/** As it is stored in message.body: data coding, `u` for a header, and the octets in hex. */
export function writeRawBody({ data_coding, has_udh, octets }: RawBody): string {
  return `${data_coding.toString(16).padStart(2, '0')}${has_udh ? 'u' : '-'}${Buffer.from(octets).toString('hex')}`;
}

const SHAPE = /^([0-9a-f]{2})([u-])((?:[0-9a-f]{2})*)$/u;

export function readRawBody(body: string): RawBody {
  const [, data_coding, header, hex] = SHAPE.exec(body) ?? [];
  if (data_coding === undefined || hex === undefined) throw new Error('A stored binary text has not the shape of one.');
  return { data_coding: Number.parseInt(data_coding, 16), has_udh: header === 'u', octets: Buffer.from(hex, 'hex') };
}
