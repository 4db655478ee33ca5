/** The Asterisk that the dialplan is written for. */
export const ASTERISK_MAJOR = 22;

/** `postgres (PostgreSQL) 18.6 (Debian 18.6-3)` → 18. A development version (`19devel`) counts as its major. */
export function postgresMajor(text: string): number | null {
  return firstNumber(/\(PostgreSQL\) (\d+)/, text);
}

/** `Redis server v=7.0.15 sha=…` or `Valkey server v=9.1.2 …` → 7, 9. */
export function redisMajor(text: string): number | null {
  return firstNumber(/server v=(\d+)\./, text);
}

/** `Asterisk 22.10.1+dfsg` or `Asterisk certified/22.8-cert1` → 22. */
export function asteriskMajor(text: string): number | null {
  return firstNumber(/^Asterisk (?:certified\/|certified-)?(\d+)\./, text);
}

function firstNumber(pattern: RegExp, text: string): number | null {
  const digits = pattern.exec(text)?.[1];
  return digits === undefined ? null : Number(digits);
}
