import { z } from 'zod';

/** Fields that many routes have. Money is text of digits, as JSON's numbers end at 2^53 and some readers make floats of them. */

export const uuid = z.uuid();

/** Whole micros as they are told; negative where money went out. */
export const microsOut = z
  .bigint()
  .transform(String)
  .pipe(z.string().regex(/^-?\d{1,19}$/u))
  .meta({ override: { type: 'string', pattern: '^-?[0-9]{1,19}$' } });

/** Whole micros as they are asked for, more than nothing, at most a billion units. */
export const microsIn = z
  .string()
  .regex(/^[1-9][0-9]{0,14}$/u)
  .transform(BigInt);

export const currency = z.string().regex(/^[A-Z]{3}$/u);
export const country = z.string().regex(/^[A-Z]{2}$/u);
export const e164 = z.string().regex(/^\+[1-9][0-9]{5,14}$/u);
/** No year that only a calendar of its own has, as the database knows none of those. */
export const instant = z.iso.datetime().refine((text) => text >= '1970', 'a year from 1970 on');
export const instantOut = z
  .date()
  .transform((date) => date.toISOString())
  .pipe(z.iso.datetime())
  .meta({ override: { type: 'string', format: 'date-time' } });

/** The same of rows whose moments were read as text (`isoTypes`). */
export const instantText = z.iso.datetime().meta({ override: { type: 'string', format: 'date-time' } });

/** One line of what a person writes: no control characters, trimmed. */
export const line = (length_max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(length_max)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u);

/** Some lines of it. */
export const prose = (length_max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(length_max)
    .regex(/^(?:[^\p{Cc}\p{Cs}]|[\n\t])*$/u);
