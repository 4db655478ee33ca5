const KEPT_MAX = 200;
const VALUE_LENGTH_MAX = 40;

/** One thing that is wrong in a file. `line` counts from 1; 0 is the file as a whole. */
export type Problem = {
  readonly line: number;
  readonly column: string | null;
  /** What stands there, cut to a readable length. */
  readonly value: string;
  readonly wrong: string;
  readonly allowed: string;
};

/** Collects what is wrong in a file: all of it is counted, and the first lines of it are kept to be shown. */
export class Problems {
  readonly kept: Problem[] = [];
  count = 0;
  readonly #kept_max: number;

  constructor(kept_max = KEPT_MAX) {
    this.#kept_max = kept_max;
  }

  add(line: number, column: string | null, value: string, wrong: string, allowed: string): void {
    this.count += 1;
    if (this.kept.length >= this.#kept_max) return;
    const shown = value.length > VALUE_LENGTH_MAX ? `${value.slice(0, VALUE_LENGTH_MAX)}…` : value;
    this.kept.push({ line, column, value: shown, wrong, allowed });
  }
}

/** The problem in one line: `Line 17, rate_per_minute "1,5": is not a price. Allowed: …` */
export function formatProblem({ line, column, value, wrong, allowed }: Problem): string {
  const place =
    line === 0 ? 'The file' : `Line ${line}${column === null ? '' : `, ${column} ${JSON.stringify(value)}`}`;
  return `${place}: ${wrong} Allowed: ${allowed}`;
}
