import type { Payment } from './book.ts';

/** The page on which a customer of the demo pays. */
export function checkoutPage({ id, amount_cents, currency }: Payment, problem: string | null): string {
  const amount = `${amount_cents / 100n}.${String(amount_cents % 100n).padStart(2, '0')} ${currency}`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Pay ${amount}</title>
<body style="font: 16px system-ui; max-width: 26rem; margin: 4rem auto">
<h1>Pay ${amount}</h1>
<p>This is a simulated payment provider. No money moves.</p>
${problem === null ? '' : `<p role="alert">${problem}</p>`}
<form method="post" action="/checkout/${id}">
<label>Card number <input name="number" inputmode="numeric" autocomplete="cc-number" value="4242 4242 4242 4242"></label>
<button>Pay</button>
</form>
<p>4242 4242 4242 4242 pays, 4000 0000 0000 0002 is declined, 4000 0000 0000 0077 pays later.</p>
</body></html>`;
}
