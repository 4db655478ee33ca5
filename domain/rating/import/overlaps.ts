import type { DatedPrefix } from '../rate_deck.ts';
import type { Problems } from './problem.ts';

type Span = { readonly line: number; readonly from_ms: number; readonly to_ms: number };

/** Finds rows of one prefix that hold at the same instant, whatever order they come in. */
export class Overlaps {
  private readonly spans_by_prefix = new Map<string, Span[]>();

  /** Takes a row; where it overlaps an earlier one, that is a problem of the later line. */
  check(row: DatedPrefix, line: number, problems: Problems): void {
    const span = { line, from_ms: row.effective_from_ms, to_ms: row.effective_to_ms ?? Number.POSITIVE_INFINITY };
    const spans = this.spans_by_prefix.get(row.prefix);
    if (!spans) {
      this.spans_by_prefix.set(row.prefix, [span]);
      return;
    }
    const other = spans.find((known) => known.from_ms < span.to_ms && span.from_ms < known.to_ms);
    if (other) {
      const same = other.from_ms === span.from_ms && other.to_ms === span.to_ms;
      const wrong = same
        ? `is already on line ${other.line}.`
        : `holds at the same time as the rate on line ${other.line}.`;
      problems.add(
        line,
        'prefix',
        row.prefix,
        wrong,
        'one rate for a prefix at a time; end the earlier with effective_to.',
      );
    }
    spans.push(span);
  }
}
