import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { invoicePdf } from './invoice_pdf.ts';
import type { Invoice, InvoiceLine } from './read_invoices.ts';
import { wordsOf } from './testing/pdf_words.ts';

const at = new Date('2027-03-01T22:30:00.000Z');
const sums = { net_micros: 0n, tax_micros: 0n };
const invoice: Invoice = {
  ...{ id: 'i', account_id: 'a', currency: 'EUR', number: 'R-1', kind: 'invoice', month: '2027-03-01' },
  ...{ period_from: at, period_to: at, attempt_id: null, corrects_invoice_id: null, corrects_number: null },
  ...{ issued_at: at, line_count: 2, ...sums, rounding_micros: 0n, total_micros: 0n },
};
const lineOf = (n: number, pack: object): InvoiceLine => ({
  ...{ n, kind: 'call', at, item: 'x', what: 'Call', quantity: 60, unit: 'second', ...sums },
  explained: { deck: 'retail', deck_version: 1, prefix: '44', pack_seconds: 60, ...pack },
});

it('names the pack that paid for a call, and none where a line was stored before packs were named', async () => {
  // eslint-disable-next-line @typescript-eslint/require-await -- a stream of lines, as the database gives them
  async function* lines(): AsyncGenerator<InvoiceLine> {
    yield lineOf(1, { pack: 'UK 60' });
    yield lineOf(2, {});
  }
  const buyer = { name: 'Ada', address_lines: [], country: 'DE', tax_id: null };
  const words = wordsOf(await buffer(invoicePdf({ brand: 'Acme', invoice, buyer, lines: lines(), lines_max: 10 })));
  expect(words).toContain('60 s of the pack UK 60');
  expect(words).toContain('60 s of a pack');
  expect(words).not.toContain('undefined');
});
