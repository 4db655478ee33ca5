import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';

const LENGTH_MAX = 300;

/** What a program last wrote into its log, for a person: without colours, and of a structured line the message alone. */
export function lastWords(log: string): string {
  const lines = stripVTControlCharacters(log)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return messageOf(uncaughtOf(lines) ?? lines.at(-1) ?? '').slice(0, LENGTH_MAX);
}

/** Where Node ended by an error that nobody caught, the error stands above its stack, and below that only which Node it was. */
function uncaughtOf(lines: readonly string[]): string | null {
  if (!/^Node\.js v\d/u.test(lines.at(-1) ?? '')) return null;
  const isFrame = (line: string | undefined): boolean => line?.startsWith('at ') === true;
  const at = lines.findLastIndex(
    (line, n) => isFrame(lines[n + 1]) && !isFrame(line) && !/^(?:Emitted|\[cause\])/u.test(line),
  );
  return lines[at] ?? null;
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
