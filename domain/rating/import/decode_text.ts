import { TextDecoder } from 'node:util';
import type { Problems } from './problem.ts';

const UTF_16_MARKS: readonly [first: number, second: number, encoding: string][] = [
  [0xff, 0xfe, 'utf-16le'],
  [0xfe, 0xff, 'utf-16be'],
];

/**
 * The text of a file in pieces: UTF-8, or UTF-16 where a byte order mark says so, without the mark. Bytes that are not
 * text in that encoding are a problem and end the reading: guessing would change names and might change prices.
 */
export async function* decodeText(source: AsyncIterable<Uint8Array>, problems: Problems): AsyncGenerator<string> {
  let decoder: TextDecoder | null = null;
  let line = 1;
  try {
    for await (const bytes of source) {
      decoder ??= new TextDecoder(encodingOf(bytes), { fatal: true });
      const text = decoder.decode(bytes, { stream: true });
      line += text.split('\n').length - 1;
      if (text !== '') yield text;
    }
    const last = decoder?.decode() ?? '';
    if (last !== '') yield last;
  } catch (error) {
    if (!(error instanceof TypeError && 'code' in error && error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA'))
      throw error;
    problems.add(
      line,
      null,
      '',
      'or a line soon after it holds bytes that are no text.',
      'UTF-8, or UTF-16 with a byte order mark.',
    );
  }
}

function encodingOf(bytes: Uint8Array): string {
  return UTF_16_MARKS.find(([first, second]) => bytes[0] === first && bytes[1] === second)?.[2] ?? 'utf-8';
}
