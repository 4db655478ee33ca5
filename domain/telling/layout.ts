/** How a story lies on the page: sections under titles, amounts in one column. */

const WORDS_WIDTH = 44;
const AMOUNT_WIDTH = 18;

/** Nothing at all where there is nothing to say. */
export function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...indent(lines)];
}

export function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

/** A line of a bill. */
export function amountRow(words: string, amount: string): string {
  return `${words.padEnd(WORDS_WIDTH)} ${amount.padStart(AMOUNT_WIDTH)}`.trimEnd();
}
