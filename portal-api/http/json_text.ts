/** An answer as it is sent: money is a bigint inside, and text of digits in JSON. */
export function jsonText(body: unknown): string {
  return JSON.stringify(body, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}
