import { parseArgs } from 'node:util';
import { Outage } from '../runtime/outage.ts';

export interface SoakOptions {
  minutes: number;
  /** Texts, over HTTP and SMPP together. */
  per_second: number;
  /** Only the last line is printed. */
  json: boolean;
}

/** Reads the words of the command line; throws an `Outage` that names what cannot be used. */
export function soakOptions(words: readonly string[]): SoakOptions {
  const { values } = parseArgs({
    args: [...words],
    options: {
      minutes: { type: 'string', default: '15' },
      'per-second': { type: 'string', default: '300' },
      json: { type: 'boolean', default: false },
    },
  });
  return {
    minutes: whole('minutes', values.minutes, 10_080),
    per_second: whole('per-second', values['per-second'], 2_000),
    json: values.json,
  };
}

/** @throws Outage in words for whoever typed it. */
export function whole(name: string, text: string, max: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= max) return number;
  throw new Outage(`--${name} ${text} is no whole number from 1 to ${max}, so nothing was started: give it one.`);
}
