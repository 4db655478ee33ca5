import { once } from 'node:events';
import type { RateRow } from '../rate_deck.ts';
import { samplePrefixes, sampleRows, SEED, seeded } from './sample_decks.ts';

const LINES_PER_WRITE = 1_000;

/** Writes the sample decks to standard output as Postgres' COPY would. Arguments: prefixes, carriers. */
const [count, carriers] = process.argv.slice(2).map(Number);
if (count === undefined || carriers === undefined) throw new Error('Say how many prefixes and how many carriers.');
const random = seeded(SEED);
const prefixes = samplePrefixes(count, random);
for (let deck_id = 0; deck_id <= carriers; deck_id += 1) {
  const rows = sampleRows(prefixes, random);
  for (let at = 0; at < rows.length; at += LINES_PER_WRITE) {
    const lines = rows.slice(at, at + LINES_PER_WRITE).map((row) => copyLine(deck_id, row));
    if (!process.stdout.write(lines.join(''))) await once(process.stdout, 'drain');
  }
}

function copyLine(deck_id: number, row: RateRow): string {
  const increments = `${row.initial_increment_seconds}\t${row.subsequent_increment_seconds}`;
  const terms = `${row.connect_fee_micros}\t${row.minimum_seconds}\t${increments}\t${row.grace_seconds}\t${row.free_seconds}`;
  return `${deck_id}\t${row.prefix}\t${row.rate_micros_per_minute}\t${terms}\t${row.destination}\n`;
}
