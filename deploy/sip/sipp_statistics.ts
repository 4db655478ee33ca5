import { parse } from 'csv-parse/sync';
import { z } from 'zod';

export interface SippResult {
  calls: number;
  failed: number;
  /** INVITEs and others that had to be sent again. */
  retransmissions: number;
  /** From the INVITE to the first 180 or 183; null when none came. */
  pdd_ms_p50: number | null;
  pdd_ms_p99: number | null;
  answer_ms_p50: number | null;
  answer_ms_p99: number | null;
  exit_code: number;
  /** What sipp complained about, the beginning of it; empty where all went well. */
  first_errors: string;
}

const Line = z.record(z.string(), z.string());

function rows(csv: string): Record<string, string>[] {
  const parsed: unknown = parse(csv, {
    columns: true,
    delimiter: ';',
    relax_column_count: true,
    skip_empty_lines: true,
  });
  return z.array(Line).parse(parsed);
}

function lastCount(lines: Record<string, string>[], column: string): number {
  const last = lines.at(-1);
  if (last === undefined) return 0;
  const value = last[column];
  if (value === undefined)
    throw new Error(`sipp's statistics have no column ${column}: its version writes another form.`);
  return Number(value);
}

/** The value at or above which a share of 1-p lies, by nearest rank; null of nothing. */
export function percentile(values: readonly number[], p: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(Math.ceil(sorted.length * p) - 1, 0)] ?? null;
}

/** Reads the files of -trace_stat and -trace_rtt. */
export function readStatistics(
  statistics_csv: string,
  response_times_csv: string,
): Omit<SippResult, 'exit_code' | 'first_errors'> {
  const lines = rows(statistics_csv);
  const times = rows(response_times_csv);
  const named = (name: string) =>
    times
      .filter((row) => row['rtd_name'] === name || row['rtd_no'] === name)
      .map((row) => Number(row['response_time_ms']));
  const pdd = named('pdd');
  const answer = named('answer');
  return {
    calls: lastCount(lines, 'TotalCallCreated'),
    failed: lastCount(lines, 'FailedCall(C)'),
    retransmissions: lastCount(lines, 'Retransmissions(C)'),
    pdd_ms_p50: percentile(pdd, 0.5),
    pdd_ms_p99: percentile(pdd, 0.99),
    answer_ms_p50: percentile(answer, 0.5),
    answer_ms_p99: percentile(answer, 0.99),
  };
}
