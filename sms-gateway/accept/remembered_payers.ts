import type pg from 'pg';
import { payerOfApiKey } from './payer.ts';
import type { TextPayer } from './payer.ts';
import { Remembered } from './remembered.ts';

const PAYERS_FOR_MS = 5_000;
const PAYERS_MAX = 10_000;

/** By the SHA-256 of an API key: a program sends its key with every text, and it is read every few seconds. */
export function rememberedPayers(pool: pg.Pool): Remembered<TextPayer | null> {
  return new Remembered({
    load: (secret_sha256) => payerOfApiKey(pool, secret_sha256),
    now: () => performance.now(),
    for_ms: PAYERS_FOR_MS,
    entries_max: PAYERS_MAX,
  });
}
