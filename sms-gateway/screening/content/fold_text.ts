import { LOOKALIKES } from './lookalikes.ts';

const ASCII = /^[\0-\x7f]*$/u;
/** Zero-width characters, soft hyphens, changes of direction, variation selectors; and accents of no letter that has them. */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cf}\u0300-\u036f]/gu;
const LOOKALIKE = new RegExp(`[${[...LOOKALIKES.keys()].join('')}]`, 'gu');

/**
 * A text as it is compared: compatibility forms as their plain ones (NFKC), without case, without what nobody sees, and with
 * Latin letters for those of other scripts that look like them. Accents stay: without them a word may be another one.
 */
export function foldText(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(INVISIBLE, '')
    .replace(LOOKALIKE, (one) => LOOKALIKES.get(one) ?? one);
}
