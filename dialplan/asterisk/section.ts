/** A value of a configuration file must stay on its line: a newline would begin another setting, a semicolon a comment. */
export function configValue(value: string): string {
  if (/[\r\n;]/u.test(value)) {
    throw new Error(
      `An Asterisk setting may hold neither a line break nor a semicolon, but one does: ${JSON.stringify(value)}.`,
    );
  }
  return value;
}

/** One `[name]` block of an Asterisk configuration file; several entries of one key are written as an array. */
export function section(name: string, entries: Record<string, string | number | readonly (string | number)[]>): string {
  const lines = Object.entries(entries).flatMap(([key, value]) =>
    (typeof value === 'object' ? value : [value]).map((one) => `${key}=${configValue(String(one))}`),
  );
  return [`[${name}]`, ...lines, ''].join('\n');
}

export function sections(...blocks: readonly string[]): string {
  return blocks.join('\n');
}
