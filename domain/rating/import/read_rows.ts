import { CsvError, parse } from 'csv-parse';
import type { DatedPrefix } from '../rate_deck.ts';
import { EFFECTIVE_TO, type Column } from './columns.ts';
import type { DeckKind } from './deck_kind.ts';
import { decodeText } from './decode_text.ts';
import type { Problems } from './problem.ts';

/** A line longer than this is not a rate; it must not be gathered in memory. */
const LINE_LENGTH_MAX = 10_000;

type CsvLine = { readonly record: readonly string[]; readonly line: number };

/**
 * Reads a rate file (CSV with a header row) as a stream and gives each sound row with its line. What is wrong goes to
 * `problems`, and reading goes on, so that one look at a file finds everything.
 */
export async function* readRows<Row extends DatedPrefix>(
  source: AsyncIterable<Uint8Array>,
  kind: DeckKind<Row>,
  problems: Problems,
): AsyncGenerator<{ line: number; row: Row }> {
  let header: Header | null = null;
  for await (const { record, line } of csvLines(source, problems)) {
    if (!header) {
      header = readHeader(record, line, kind, problems);
      if (!header) return;
      continue;
    }
    const row = readRow(record, line, header, kind, problems);
    if (row) yield { line, row };
  }
  if (!header && problems.count === 0) problems.add(0, null, '', 'It is empty.', 'a header row and at least one rate.');
}

async function* csvLines(source: AsyncIterable<Uint8Array>, problems: Problems): AsyncGenerator<CsvLine> {
  const text = decodeText(source, problems);
  const beginning = await firstLine(text);
  const [head = ''] = beginning.split('\n', 1);
  const queue: CsvLine[] = [];
  const parser = parse({
    // Spreadsheets of some countries write semicolons; the header has no prose, so it shows which.
    delimiter: head.includes(';') && !head.includes(',') ? ';' : ',',
    max_record_size: LINE_LENGTH_MAX,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
    // Lines are taken here and not from the parser's own stream, which on an error drops those that wait in it.
    on_record: (record: string[], { lines }) => {
      queue.push({ record, line: lines });
      return null;
    },
  });
  // Every failure also reaches the one who writes; without a listener it would end the process as well.
  parser.on('error', (error) => error);
  let last_line = 0;
  for await (const piece of chain(beginning, text)) {
    const failure = await handled((done) => (piece === null ? parser.end(done) : parser.write(piece, done)));
    last_line = queue.at(-1)?.line ?? last_line;
    yield* queue.splice(0);
    if (!failure) continue;
    if (!(failure instanceof CsvError)) throw failure;
    const allowed = EXPLAINED[failure.code] ?? 'CSV as of RFC 4180.';
    problems.add(last_line + 1, null, '', `cannot be read as CSV: ${failure.code}.`, allowed);
    return;
  }
}

/** Waits for the callback of a stream; gives its error. */
function handled(run: (done: (error?: Error | null) => void) => unknown): Promise<Error | null> {
  return new Promise((resolve) => {
    run((error) => resolve(error ?? null));
  });
}

const EXPLAINED: Readonly<Record<string, string>> = {
  CSV_MAX_RECORD_SIZE: `lines of at most ${LINE_LENGTH_MAX} characters; is a quote left open?`,
  CSV_QUOTE_NOT_CLOSED: 'every quote is closed in its own field.',
  INVALID_OPENING_QUOTE: 'a quote stands around a whole field, and is doubled within it.',
  CSV_INVALID_CLOSING_QUOTE: 'a quote stands around a whole field, and is doubled within it.',
};

/** The text up to the end of the first line at least, so that the whole header can be looked at. */
async function firstLine(text: AsyncGenerator<string>): Promise<string> {
  let beginning = '';
  while (!beginning.includes('\n') && beginning.length < LINE_LENGTH_MAX) {
    const next = await text.next();
    if (next.done) break;
    beginning += next.value;
  }
  return beginning;
}

/** All pieces, and null for the end. */
async function* chain(first: string, rest: AsyncGenerator<string>): AsyncGenerator<string | null> {
  yield first;
  yield* rest;
  yield null;
}

/** For each field of a line the column that it belongs to. */
type Header = readonly Column<unknown>[];

function readHeader<Row extends DatedPrefix>(
  record: readonly string[],
  line: number,
  { columns, file }: DeckKind<Row>,
  problems: Problems,
): Header | null {
  const before = problems.count;
  const header: Column<unknown>[] = [];
  for (const name of record) {
    const column = columns.find((known) => known.name === name.toLowerCase());
    if (!column) problems.add(line, name, name, `is no column of ${file}.`, `${namesOf(columns).join(', ')}.`);
    else if (header.includes(column)) problems.add(line, name, name, 'is there twice.', 'each column once.');
    else header.push(column);
  }
  const needed = columns.filter((column) => column.required);
  for (const column of needed.filter((one) => !header.includes(one))) {
    const names = namesOf(needed);
    const allowed = `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''} are always there.`;
    problems.add(line, column.name, '', 'is missing from the header row.', allowed);
  }
  return problems.count === before ? header : null;
}

function namesOf(columns: Header): string[] {
  return columns.map(({ name }) => name);
}

function readRow<Row extends DatedPrefix>(
  record: readonly string[],
  line: number,
  header: Header,
  kind: DeckKind<Row>,
  problems: Problems,
): Row | null {
  if (record.length !== header.length) {
    problems.add(line, null, '', `has ${record.length} fields.`, `${header.length} fields, as in the header row.`);
    return null;
  }
  const before = problems.count;
  const fields = new Map(header.map(({ name }, at) => [name, record[at] ?? '']));
  const row = kind.rowOf((column) => readField(fields.get(column.name) ?? '', column, line, problems));
  if (row.effective_to_ms !== null && row.effective_to_ms <= row.effective_from_ms) {
    problems.add(
      line,
      EFFECTIVE_TO.name,
      fields.get(EFFECTIVE_TO.name) ?? '',
      'is not after effective_from.',
      'a later instant, or nothing.',
    );
  }
  return problems.count === before ? row : null;
}

function readField<T>(text: string, column: Column<T>, line: number, problems: Problems): T {
  if (text === '' && !column.required) return column.otherwise;
  const parsed = column.parse(text);
  if (parsed.kind === 'value') return parsed.value;
  problems.add(line, column.name, text, parsed.wrong, parsed.allowed);
  return column.otherwise;
}
