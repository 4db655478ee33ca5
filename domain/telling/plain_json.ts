/** JSON for machines: an amount is a number where that is exact, else text. */
export function plainJson(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key, told: unknown) {
    // As it is, and not as a process that writes JSON otherwise has its amounts written.
    const one = this[key];
    return typeof one === 'bigint' ? plainAmount(one) : told;
  });
}

export function plainAmount(amount: bigint): number | string {
  const number = Number(amount);
  return Number.isSafeInteger(number) ? number : amount.toString();
}
