/** JSON for machines: an amount is a number where that is exact, else text. */
export function plainJson(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) => (typeof one === 'bigint' ? plainAmount(one) : one));
}

export function plainAmount(amount: bigint): number | string {
  const number = Number(amount);
  return Number.isSafeInteger(number) ? number : amount.toString();
}
