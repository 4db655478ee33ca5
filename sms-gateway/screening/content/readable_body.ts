import type { JudgedText } from '../../accept/judge_text.ts';
import { readRawBody } from '../../accept/raw_body.ts';
import { decodeText } from '../../../domain/texts/encoding/decode_text.ts';
import { parseUdh } from '../../../domain/texts/encoding/udh.ts';

/**
 * What the recipient will read. A customer who splits long texts himself sends octets with a header, which say something all
 * the same; empty where they do not. A word that was cut in two between such parts is not put together.
 */
export function readableBody({ body, encoding }: Pick<JudgedText, 'body' | 'encoding'>): string {
  if (encoding !== 'binary') return body;
  const { octets, data_coding, has_udh } = readRawBody(body);
  const header = has_udh ? parseUdh(octets) : null;
  const udh = header?.kind === 'udh' ? header : null;
  const decoded = decodeText(octets.subarray(udh?.header_length_octets ?? 0), data_coding, udh);
  return decoded.kind === 'text' ? decoded.text : '';
}
