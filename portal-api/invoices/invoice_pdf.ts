import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Readable } from 'node:stream';
import PDFDocument from 'pdfkit';
import { moneyWords } from '../../domain/money/money_words.ts';
import type { BillingFields } from './billing_profile.ts';
import type { Invoice, InvoiceLine } from './read_invoices.ts';

export interface PdfWish {
  brand: string;
  invoice: Invoice;
  buyer: BillingFields;
  lines: AsyncIterable<InvoiceLine>;
  /** Of the lines, how many are drawn; the others are in the list. */
  lines_max: number;
}

const TITLES = {
  invoice: 'Invoice',
  receipt: 'Receipt',
  credit_note: 'Credit note',
  debit_note: 'Debit note',
} as const;
const MARGIN = 50;
const BOTTOM = 770;
const LINE_HEIGHT = 22;
const COLUMNS = { at: 50, what: 140, quantity: 355, amount: 435 } as const;

/** An invoice as a PDF, drawn while it is read: however many lines it has, no more than a page of it is in memory. */
export function invoicePdf(wish: PdfWish): Readable {
  const pdf = new PDFDocument({
    ...{ size: 'A4', margin: MARGIN, info: { Title: `${TITLES[wish.invoice.kind]} ${wish.invoice.number}` } },
  });
  const out = new PassThrough();
  pdf.pipe(out);
  draw(pdf, out, wish).then(
    () => pdf.end(),
    (error: unknown) => out.destroy(error instanceof Error ? error : new Error('the PDF was not drawn')),
  );
  return out;
}

async function draw(pdf: PDFKit.PDFDocument, out: PassThrough, wish: PdfWish): Promise<void> {
  const { invoice, lines, lines_max } = wish;
  drawHead(pdf, wish);
  let y = drawColumnHeads(pdf, 300);
  for await (const line of lines) {
    if (y > BOTTOM - LINE_HEIGHT) {
      pdf.addPage();
      y = drawColumnHeads(pdf, MARGIN);
    }
    drawLine(pdf, y, line, invoice.currency);
    y += LINE_HEIGHT;
    if (out.destroyed) return;
    if (out.writableNeedDrain) await once(out, 'drain');
  }
  if (y > BOTTOM - 120) {
    pdf.addPage();
    y = MARGIN;
  }
  if (invoice.line_count > lines_max) {
    const left = `${invoice.line_count - lines_max} further lines are in the list of this invoice's lines.`;
    pdf.text(left, MARGIN, y + 8);
    y += LINE_HEIGHT;
  }
  drawSums(pdf, y + 12, invoice);
}

function drawHead(pdf: PDFKit.PDFDocument, { brand, invoice, buyer }: PdfWish): void {
  pdf.font('Helvetica-Bold').fontSize(18).text(printable(brand), MARGIN, MARGIN);
  pdf.fontSize(14).text(`${TITLES[invoice.kind]} ${invoice.number}`, MARGIN, 90);
  pdf.font('Helvetica').fontSize(9);
  pdf.text(`Issued ${dayOf(invoice.issued_at)}`, MARGIN, 112);
  if (invoice.period_from !== null && invoice.period_to !== null) {
    pdf.text(`For ${invoice.period_from.toISOString()} to ${invoice.period_to.toISOString()}`);
  }
  if (invoice.corrects_number !== null) pdf.text(`Corrects ${invoice.corrects_number}`);
  const address = [buyer.name, ...buyer.address_lines, buyer.country, ...(buyer.tax_id === null ? [] : [buyer.tax_id])];
  pdf.text(address.map(printable).join('\n'), MARGIN, 160);
}

function drawColumnHeads(pdf: PDFKit.PDFDocument, y: number): number {
  pdf.font('Helvetica-Bold').fontSize(9);
  pdf.text('Time (UTC)', COLUMNS.at, y).text('What', COLUMNS.what, y).text('Quantity', COLUMNS.quantity, y);
  pdf.text('Net + tax', COLUMNS.amount, y);
  pdf.font('Helvetica').fontSize(8);
  return y + 16;
}

function drawLine(pdf: PDFKit.PDFDocument, y: number, line: InvoiceLine, currency: string): void {
  const { at, what, quantity, unit, net_micros, tax_micros } = line;
  const one = { lineBreak: false };
  pdf.text(at.toISOString().slice(0, 19).replace('T', ' '), COLUMNS.at, y, one);
  pdf.text(printable(what).slice(0, 52), COLUMNS.what, y, one);
  pdf.text(`${quantity} ${unit}${quantity === 1 ? '' : 's'}`, COLUMNS.quantity, y, one);
  pdf.text(`${moneyWords(net_micros, currency)} + ${moneyWords(tax_micros, currency)}`, COLUMNS.amount, y, one);
  pdf
    .fillColor('#666')
    .text(rateWords(line, currency), COLUMNS.what, y + 9, one)
    .fillColor('black');
}

/** Which row of which deck a price is from. */
function rateWords({ explained }: InvoiceLine, currency: string): string {
  const { forwarded, rate: own, pack_seconds, pack } = explained;
  if (forwarded === undefined) return rowWords(explained, currency);
  // A call to a number of theirs, forwarded: the number's own price, and the row of the deck for the way on.
  const words = rowWords({ ...(forwarded as Record<string, unknown>), pack_seconds, pack }, currency);
  const per_minute = (own as { rate_micros_per_minute: string | number }).rate_micros_per_minute;
  return `${words}, and ${moneyWords(BigInt(per_minute), currency)} for calls in`;
}

function rowWords(explained: InvoiceLine['explained'], currency: string): string {
  const { deck, deck_version, prefix, rate, rate_micros_per_segment, pack_seconds, pack } = explained;
  if (typeof deck !== 'string') return '';
  const words = [`${deck} version ${String(deck_version)}, prefix ${String(prefix)}`];
  const per_minute = (rate as { rate_micros_per_minute?: unknown } | undefined)?.rate_micros_per_minute;
  if (typeof per_minute === 'string' || typeof per_minute === 'number') {
    words.push(`${moneyWords(BigInt(per_minute), currency)} a minute`);
  }
  if (typeof rate_micros_per_segment === 'string') {
    words.push(`${moneyWords(BigInt(rate_micros_per_segment), currency)} a segment`);
  }
  // Lines that were stored before packs were named have no name of theirs.
  const pack_words = typeof pack === 'string' ? `the pack ${pack}` : 'a pack';
  if (typeof pack_seconds === 'number') words.push(`${pack_seconds} s of ${pack_words}`);
  return printable(words.join(', '));
}

function drawSums(pdf: PDFKit.PDFDocument, y: number, invoice: Invoice): void {
  const sums: readonly (readonly [string, bigint])[] = [
    ['Net', invoice.net_micros],
    ['Tax', invoice.tax_micros],
    ['Rounding', invoice.rounding_micros],
    ['Total', invoice.total_micros],
  ];
  sums.forEach(([words, micros], n) => {
    pdf.font(n === 3 ? 'Helvetica-Bold' : 'Helvetica').fontSize(10);
    pdf.text(words, COLUMNS.quantity, y + n * 16, { lineBreak: false });
    pdf.text(moneyWords(micros, invoice.currency), COLUMNS.amount, y + n * 16, { lineBreak: false });
  });
  pdf
    .font('Helvetica')
    .fontSize(8)
    .text(invoice.total_micros < 0n ? 'Settled with the wallet.' : 'Paid from the wallet.', MARGIN, y + 72);
}

const dayOf = (at: Date): string => at.toISOString().slice(0, 10);

/** The letters that the built-in fonts have; another one is told as a question mark. */
const printable = (text: string): string => text.replaceAll(/[^\x20-\x7e\xa0-\xff\n]/gu, '?');
