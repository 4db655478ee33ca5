import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { parseMicros } from '../../../domain/money/parse_micros.ts';
import { country, currency, e164 } from '../../http/fields.ts';
import { NUMBER_TYPES } from './offer_rows.ts';

/** A line of an inventory: a number, what it can do, and its price from a moment on. */
export interface ImportedOffer {
  number: string;
  country: string;
  number_type: (typeof NUMBER_TYPES)[number];
  calls: boolean;
  texts: boolean;
  currency: string;
  setup_micros: bigint;
  monthly_micros: bigint;
  /** Null: from now on. */
  valid_from: string | null;
}

export interface BadLine {
  /** As an editor counts them. */
  line: number;
  message: string;
}

export type ReadOffers = { kind: 'offers'; offers: ImportedOffer[] } | { kind: 'bad'; lines: BadLine[] };

export const OFFER_COLUMNS = [
  'number',
  'country',
  'number_type',
  'calls',
  'texts',
  'currency',
  'setup',
  'monthly',
  'valid_from',
];

const yesOrNo = z.enum(['yes', 'no']).transform((word) => word === 'yes');

const price = z.string().transform((text, context) => {
  const parsed = parseMicros(text);
  if (parsed.kind === 'micros' && parsed.micros >= 0n && parsed.micros < 10n ** 15n) return parsed.micros;
  context.addIssue({
    code: 'custom',
    message: 'is a decimal such as 1.50, not less than 0, with at most six decimals',
  });
  return z.NEVER;
});

const rowSchema = z
  .object({
    ...{ number: e164, country, currency, number_type: z.enum(NUMBER_TYPES), calls: yesOrNo, texts: yesOrNo },
    ...{ setup: price, monthly: price },
    valid_from: z.union([z.literal(''), z.iso.datetime()]).default(''),
  })
  .refine(({ calls, texts }) => calls || texts, { path: ['calls'], message: 'takes neither calls nor texts' });

/** Reads a whole file; every line that is wrong is named, and then nothing of it is used. */
export function readOffers(text: string): ReadOffers {
  let records: { record: Record<string, string>; info: { lines: number } }[];
  try {
    records = parse(text, {
      ...{ bom: true, columns: true, info: true, trim: true, skip_empty_lines: true, relax_column_count: true },
      max_record_size: 10_000,
    }) as unknown as typeof records;
  } catch (error) {
    const { lines } = error as { lines?: unknown };
    return { kind: 'bad', lines: [{ line: typeof lines === 'number' ? lines : 1, message: 'this is no CSV' }] };
  }
  if (records.length === 0)
    return { kind: 'bad', lines: [{ line: 1, message: `the columns are ${OFFER_COLUMNS.join(',')}` }] };
  const offers: ImportedOffer[] = [];
  const lines: BadLine[] = [];
  const first_lines = new Map<string, number>();
  for (const { record, info } of records) {
    const read = rowSchema.safeParse(record);
    if (!read.success) {
      lines.push({ line: info.lines, message: read.error.issues.map(wordsOf).join('; ') });
      continue;
    }
    const { setup, monthly, valid_from, ...offer } = read.data;
    const before = first_lines.get(offer.number);
    if (before !== undefined) lines.push({ line: info.lines, message: `the number stands in line ${before} already` });
    first_lines.set(offer.number, before ?? info.lines);
    offers.push({ ...offer, setup_micros: setup, monthly_micros: monthly, valid_from: valid_from || null });
  }
  return lines.length > 0 ? { kind: 'bad', lines } : { kind: 'offers', offers };
}

const wordsOf = ({ path, message }: z.core.$ZodIssue): string => `${path.join('.')}: ${message}`;
