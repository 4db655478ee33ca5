import { parseArgs } from 'node:util';
import { whole } from '../options.ts';

export interface BacklogOptions {
  /** How many wait for the carrier. */
  texts: number;
  /** Of the carrier's bind, once it is there. */
  per_second: number;
  /** Whether the gateway is killed when half of them are accepted. */
  kill: boolean;
  /** Only the last line is printed. */
  json: boolean;
}

/** Reads the words of the command line; throws an `Outage` that names what cannot be used. */
export function backlogOptions(words: readonly string[]): BacklogOptions {
  const { values } = parseArgs({
    args: [...words],
    allowNegative: true,
    options: {
      texts: { type: 'string', default: '100000' },
      'per-second': { type: 'string', default: '2000' },
      kill: { type: 'boolean', default: true },
      json: { type: 'boolean', default: false },
    },
  });
  return {
    texts: whole('texts', values.texts, 10_000_000),
    per_second: whole('per-second', values['per-second'], 100_000),
    kill: values.kill,
    json: values.json,
  };
}
