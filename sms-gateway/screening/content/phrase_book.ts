import { foldText } from './fold_text.ts';
import { tokensOf } from './tokens.ts';

interface Phrase<T> {
  rest: readonly string[];
  value: T;
}

/** Finds words, and words in a row, in the tokens of a text: one look into a table for each token, however many are sought. */
export class PhraseBook<T> {
  readonly #by_first = new Map<string, Phrase<T>[]>();

  get is_empty(): boolean {
    return this.#by_first.size === 0;
  }

  /** False where the pattern has no letter and no digit, and would never be found. */
  add(pattern: string, value: T): boolean {
    const [first, ...rest] = tokensOf(foldText(pattern));
    if (first === undefined) return false;
    const phrases = this.#by_first.get(first);
    if (phrases === undefined) this.#by_first.set(first, [{ rest, value }]);
    else phrases.push({ rest, value });
    return true;
  }

  has(tokens: readonly string[]): boolean {
    let has = false;
    this.find(tokens, () => {
      has = true;
    });
    return has;
  }

  find(tokens: readonly string[], onFound: (value: T) => void): void {
    for (let at = 0; at < tokens.length; at += 1) {
      const phrases = this.#by_first.get(tokens[at] ?? '');
      if (phrases === undefined) continue;
      for (const { rest, value } of phrases) {
        if (rest.every((token, place) => tokens[at + 1 + place] === token)) onFound(value);
      }
    }
  }
}
