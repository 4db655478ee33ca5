import { z } from 'zod';
import { Problem } from './problem.ts';

/**
 * Pages are asked for by a cursor: the sort key of the last row that was shown, so that what is added meanwhile moves nothing. It is
 * opaque to whoever asks, and checked when it comes back.
 */

export const PAGE_MAX = 100;

export const pageQuery = z.object({
  cursor: z
    .string()
    .max(400)
    .regex(/^[A-Za-z0-9_-]*$/u)
    .optional(),
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(25),
});

export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), next_cursor: z.string().nullable() });

export function encodeCursor(key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/** The sort key that a cursor stands for; null where the first page is asked for. */
export function decodeCursor<T extends z.ZodType>(cursor: string | undefined, key: T): z.output<T> | null {
  if (cursor === undefined) return null;
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw new Problem('invalid', 'The cursor is none that was given out. Ask for the first page without one.');
  }
  const checked = key.safeParse(parsed);
  if (!checked.success)
    throw new Problem('invalid', 'The cursor is none of this list. Ask for the first page without one.');
  return checked.data;
}

/** The first `limit` of rows that were asked for with one more, and the cursor of the next page. */
export function page<Row, Item>(
  rows: readonly Row[],
  limit: number,
  { key, item }: { key: (row: Row) => readonly (string | number)[]; item: (row: Row) => Item },
): { items: Item[]; next_cursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(item),
    next_cursor: rows.length > limit && last !== undefined ? encodeCursor(key(last)) : null,
  };
}
