import { z } from 'zod';
import type { SealContext } from './sealing.ts';

/** What a letter to a speaker says: whom to call, and what to tell in which language. */
const spokenWords = z.object({
  number: z.string().regex(/^\+[1-9][0-9]{5,14}$/u),
  digits: z.string().regex(/^[0-9]{4,8}$/u),
  /** ISO 639-1. */
  language: z.string().regex(/^[a-z]{2}$/u),
});

export type SpokenWords = z.infer<typeof spokenWords>;

export const spokenWordsContext = (id: string): SealContext => `spoken_code.box:${id}`;

export function wordsToBytes(words: SpokenWords): Buffer {
  return Buffer.from(JSON.stringify(words));
}

export function wordsFromBytes(bytes: Buffer): SpokenWords {
  return spokenWords.parse(JSON.parse(bytes.toString()));
}
