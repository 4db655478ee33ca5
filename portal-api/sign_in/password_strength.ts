import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common';
import { z } from 'zod';
import { Problem } from '../http/problem.ts';

/** As somebody types it; a sentence fits. */
export const passwordField = z.string().min(1).max(200);

/** Of 0 to 4; 3 stands against whoever has the hash and a few machines. */
const SCORE_MIN = 3;
/** What comes after that adds to strength, and to the time of judging it. */
const JUDGED_LENGTH = 64;

const judge = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs });

/** Throws where a password is soon guessed, by whoever knows what `about` says of its owner too. */
export function requireStrength(password: string, about: readonly string[]): void {
  const known = about.flatMap((word) => [word, ...word.split(/[^\p{L}\p{N}]+/u)]).filter((word) => word.length > 2);
  if (judge.check(password.slice(0, JUDGED_LENGTH), known).score >= SCORE_MIN) return;
  const message = 'is soon guessed; take four or five words that have nothing to do with each other';
  throw new Problem('invalid', `The password ${message}.`, { errors: [{ path: 'body.password', message }] });
}
