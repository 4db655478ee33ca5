import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';

const LENGTH_MAX = 300;

/** What a program last wrote into its log, for a person: without colours, and of a structured line the message alone. */
export function lastWords(log: string): string {
  const lines = stripVTControlCharacters(log)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return messageOf(lines.at(-1) ?? '').slice(0, LENGTH_MAX);
}

const structuredSchema = z.object({ msg: z.string(), err: z.object({ message: z.string() }).optional() });

/** A line that is not structured stands for itself. */
function messageOf(line: string): string {
  const parsed = structuredSchema.safeParse(jsonOf(line));
  if (!parsed.success) return line;
  const { msg, err } = parsed.data;
  return err === undefined ? msg : `${msg}: ${err.message}`;
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
