import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Outage } from '../runtime/outage.ts';

export interface ChaosOptions {
  kills: number;
  /** Calls in flight all the time. */
  calls: number;
  seed: number;
  /** Only the last line is printed. */
  json: boolean;
}

const MAX = 2 ** 31 - 1;

/** Reads the words of the command line; throws an `Outage` that names what cannot be used. */
export function chaosOptions(words: readonly string[]): ChaosOptions {
  const { values } = parseArgs({
    args: [...words],
    options: {
      kills: { type: 'string', default: '20' },
      calls: { type: 'string', default: '24' },
      seed: { type: 'string', default: String(randomInt(MAX)) },
      json: { type: 'boolean', default: false },
    },
  });
  return {
    kills: whole('kills', values.kills, 10_000),
    calls: whole('calls', values.calls, 200),
    seed: whole('seed', values.seed, MAX),
    json: values.json,
  };
}

function whole(name: string, text: string, max: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= max) return number;
  throw new Outage(`--${name} ${text} is no whole number from 1 to ${max}, so nothing was started: give it one.`);
}
