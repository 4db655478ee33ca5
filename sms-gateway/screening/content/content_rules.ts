import { HostBook } from './host_book.ts';
import { PhraseBook } from './phrase_book.ts';
import { senderSkeleton } from './sender_skeleton.ts';
import type { ContentRule } from '../../../domain/texts/screening/screening_rows.ts';

/** A text as rules look at it. */
export interface FoldedText {
  folded: string;
  tokens: readonly string[];
}

interface Books {
  words: PhraseBook<ContentRule>;
  links: HostBook<ContentRule>;
  senders: Map<string, ContentRule[]>;
}

const EVERYWHERE = '';

/** The rules of all countries, compiled once: what a text costs does not grow with their number. */
export class ContentRules {
  readonly #by_country = new Map<string, Books>();
  readonly #unusable: ContentRule[] = [];

  constructor(rules: readonly ContentRule[]) {
    for (const rule of rules) if (!add(this.#booksOf(rule.country ?? EVERYWHERE), rule)) this.#unusable.push(rule);
  }

  /** Rules whose pattern can never be found. */
  get unusable(): readonly ContentRule[] {
    return this.#unusable;
  }

  /** Whether what a text to that country says makes a difference. */
  readsTexts(country: string | null): boolean {
    const reads = (books: Books | undefined): boolean =>
      books !== undefined && !(books.words.is_empty && books.links.is_empty);
    return reads(this.#by_country.get(EVERYWHERE)) || (country !== null && reads(this.#by_country.get(country)));
  }

  /** The rule that decides: one that refuses before one that holds, and of these the oldest. */
  ofText(text: FoldedText, country: string | null): ContentRule | null {
    let strictest: ContentRule | null = null;
    const onFound = (rule: ContentRule): void => {
      strictest = stricter(strictest, rule);
    };
    for (const { words, links } of this.#booksFor(country)) {
      words.find(text.tokens, onFound);
      if (!links.is_empty) links.find(text.folded, onFound);
    }
    return strictest;
  }

  ofSender(sender: string, country: string | null): ContentRule | null {
    let strictest: ContentRule | null = null;
    let skeleton: string | null = null;
    for (const { senders } of this.#booksFor(country)) {
      if (senders.size === 0) continue;
      skeleton ??= senderSkeleton(sender);
      for (const rule of senders.get(skeleton) ?? []) strictest = stricter(strictest, rule);
    }
    return strictest;
  }

  #booksFor(country: string | null): Books[] {
    const books = [this.#by_country.get(EVERYWHERE), country === null ? undefined : this.#by_country.get(country)];
    return books.filter((one) => one !== undefined);
  }

  #booksOf(country: string): Books {
    const known = this.#by_country.get(country);
    if (known !== undefined) return known;
    const made: Books = { words: new PhraseBook(), links: new HostBook(), senders: new Map() };
    this.#by_country.set(country, made);
    return made;
  }
}

/** The rule in words, for whoever has to decide. */
export function describeRule({ id, kind, pattern, country, reason }: ContentRule): string {
  return `rule ${id} (${kind} “${pattern}”, ${country ?? 'everywhere'}): ${reason}`;
}

function add({ words, links, senders }: Books, rule: ContentRule): boolean {
  switch (rule.kind) {
    case 'word':
      return words.add(rule.pattern, rule);
    case 'link':
      return links.add(rule.pattern, rule);
    case 'sender': {
      const skeleton = senderSkeleton(rule.pattern);
      senders.set(skeleton, [...(senders.get(skeleton) ?? []), rule]);
      return skeleton !== '';
    }
  }
}

function stricter(one: ContentRule | null, other: ContentRule): ContentRule {
  if (one === null) return other;
  if (one.action !== other.action) return one.action === 'refuse' ? one : other;
  return one.id <= other.id ? one : other;
}
