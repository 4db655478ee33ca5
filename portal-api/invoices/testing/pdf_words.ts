import { inflateSync } from 'node:zlib';

/** The text of a PDF: of each stream that draws, the strings, which are in hexadecimal of the font's own letters. */
export function wordsOf(pdf: Buffer): string {
  const text = pdf.toString('latin1');
  const words: string[] = [];
  for (const { index, 0: head } of text.matchAll(/stream\r?\n/gu)) {
    const begin = index + head.length;
    let drawn: string;
    try {
      drawn = inflateSync(pdf.subarray(begin, text.indexOf('endstream', begin))).toString('latin1');
    } catch {
      continue;
    }
    for (const [, strings = ''] of drawn.matchAll(/\[(.*?)\] TJ/gu)) {
      const hex = [...strings.matchAll(/<([0-9a-f]*)>/giu)].map(([, one = '']) => one).join('');
      words.push(Buffer.from(hex, 'hex').toString('latin1'));
    }
  }
  return words.join('\n');
}

/** Of an amount as it stands there, in units with up to six decimals. */
export function microsOf(decimal: string): bigint {
  const is_negative = decimal.startsWith('-');
  const [units = '0', fraction = ''] = decimal.replace('-', '').split('.');
  const micros = BigInt(`${units}${fraction.padEnd(6, '0')}`);
  return is_negative ? -micros : micros;
}
