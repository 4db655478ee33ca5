import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { inTransaction } from '../../domain/db/transaction.ts';
import { chargeWallet } from '../../domain/ledger/charge_wallet.ts';
import { brokenInvariants } from '../../domain/ledger/invariants.ts';
import type { PortalContext } from '../context.ts';
import { MoneyWorld } from '../payments/testing/money_world.ts';
import { makeAdmin, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { issueNote } from './issue_note.ts';
import { wordsOf } from './testing/pdf_words.ts';

interface Shown {
  invoice_id: string;
  number: string;
  kind: string;
  month: string | null;
  corrects: { invoice_id: string; number: string } | null;
  net_micros: string;
  tax_micros: string;
  total_micros: string;
}

interface Line {
  kind: string;
  what: string;
  explained: Record<string, unknown>;
  net_micros: string;
  tax_micros: string;
}

let money: MoneyWorld;
let user: TestUser;
let here: PortalClient;
let finance: PortalClient;
let second: PortalClient;

beforeAll(async () => {
  money = await MoneyWorld.begin({ SECOND_APPROVAL_ABOVE_UNITS: '50' });
});

beforeEach(async () => {
  user = await makeUser(money.world, { balance_micros: 20_000_000n, name: 'Grace Example' });
  here = await user.signIn();
  finance = await (await makeAdmin(money.world, ['finance'])).signIn();
  second = await (await makeAdmin(money.world, ['finance'])).signIn();
});

afterAll(async () => {
  expect(await brokenInvariants(money.world.pool)).toEqual([]);
  await money.end();
});

const documents = async (kind: string): Promise<Shown[]> =>
  (await here.get<{ items: Shown[] }>('/v1/invoices')).body.items.filter((one) => one.kind === kind);

const linesOf = async (invoice_id: string): Promise<Line[]> =>
  (await here.get<{ items: Line[] }>(`/v1/invoices/${invoice_id}/lines`)).body.items;

const pdfOf = async (invoice_id: string): Promise<string> =>
  wordsOf((await here.get<Buffer>(`/v1/invoices/${invoice_id}/pdf`)).body);

const adjust = (body: Record<string, unknown>) =>
  finance.post<{ finance_order_id: string; state: string; document_id: string | null }>(
    `/v1/admin/accounts/${user.account_id}/adjustments`,
    { net_micros: '1234567', tax_micros: '234568', reason: 'wrong rate in May', ...body },
  );

/** What the postings behind a document did to the wallet. */
async function moved(invoice_id: string): Promise<bigint> {
  const { rows } = await money.world.pool.query<{ moved: string }>(
    `select sum(p.amount_micros)::bigint as moved from posting p join ledger_account a on a.id = p.account_id
      where a.wallet_id = $2 and p.tx_id in (select l.tx_id from invoice_line l where l.invoice_id = $1)`,
    [invoice_id, user.wallet_id.toString()],
  );
  return BigInt(rows[0]?.moved ?? 0);
}

async function purchase(net_micros: bigint): Promise<string> {
  const ref = randomUUID();
  const charge = { ref, wallet_id: user.wallet_id, net_micros, tax_micros: 0n, content: { what: 'a number' } };
  await inTransaction(money.world.pool, (tx) =>
    chargeWallet(tx, { kind: 'purchase', ...charge, policy_version: 'of a test', now: money.world.now() }),
  );
  return ref;
}

/** Of this month, as it is. */
const billNow = () => finance.post<Shown>(`/v1/admin/accounts/${user.account_id}/invoices`);

describe('a correction of the wallet', () => {
  it('that gives is a credit note, by its own number, and on no invoice besides', async () => {
    const { body } = await adjust({ direction: 'credit' });
    const [note] = await documents('credit_note');
    expect(note).toMatchObject({
      ...{ invoice_id: body.document_id, month: null, corrects: null },
      ...{ net_micros: '-1234567', tax_micros: '-234568', total_micros: '-1469135' },
    });
    expect(note?.number).toMatch(/^CRN-\d{4}-\d{6}$/u);
    const lines = await linesOf(note?.invoice_id ?? '');
    expect(lines).toMatchObject([
      { kind: 'adjustment', what: 'Correction: wrong rate in May', net_micros: '-1234567', tax_micros: '-234568' },
    ]);
    expect(await moved(note?.invoice_id ?? '')).toBe(1_469_135n);
    const words = await pdfOf(note?.invoice_id ?? '');
    for (const told of [`Credit note ${note?.number ?? ''}`, 'Grace Example', '-1.469135 EUR']) {
      expect(words).toContain(told);
    }
    expect(await billNow()).toMatchObject({ status: 409 });
  });

  it('that asks for money is a debit note, and names the invoice that it corrects', async () => {
    await purchase(2_000_000n);
    const invoice = (await billNow()).body;
    const { body } = await adjust({ direction: 'debit', corrects_invoice_id: invoice.invoice_id });
    const [note] = await documents('debit_note');
    expect(note).toMatchObject({
      ...{ invoice_id: body.document_id, total_micros: '1469135' },
      corrects: { invoice_id: invoice.invoice_id, number: invoice.number },
    });
    expect(note?.number).toMatch(/^DBN-\d{4}-\d{6}$/u);
    expect(await moved(note?.invoice_id ?? '')).toBe(-1_469_135n);
    expect(await pdfOf(note?.invoice_id ?? '')).toContain(`Corrects ${invoice.number}`);
    const eve = await makeUser(money.world, { balance_micros: 9_000_000n });
    const wrong = { direction: 'debit', net_micros: '1', tax_micros: '0', reason: 'x' };
    expect(
      await finance.post(`/v1/admin/accounts/${eve.account_id}/adjustments`, {
        ...{ ...wrong, corrects_invoice_id: invoice.invoice_id },
      }),
    ).toMatchObject({ status: 404 });
  });

  it('that waits for another admin has its document once it is posted', async () => {
    const { body } = await adjust({ direction: 'credit', net_micros: '60000000' });
    expect(body).toMatchObject({ state: 'waiting', document_id: null });
    expect(await documents('credit_note')).toEqual([]);
    const approved = await second.post<{ document_id: string }>(
      `/v1/admin/finance-orders/${body.finance_order_id}/approve`,
    );
    const [note] = await documents('credit_note');
    expect(approved.body.document_id).toBe(note?.invoice_id);
    expect(note?.total_micros).toBe('-60234568');
  });

  it('that is not in the ledger as it is told is no document', async () => {
    const charge_ref = await purchase(1_000n);
    const line = { tx: { kind: 'purchase', ref: charge_ref } as const, item: charge_ref, what: 'x', explained: {} };
    const note = {
      ...{ account_id: user.account_id, wallet_id: user.wallet_id, currency: 'EUR', corrects_invoice_id: null },
      ...{ corrects: 'charges' as const, lines: [{ ...line, net_micros: 999n, tax_micros: 0n }] },
    };
    // It is refused before anything of the context is asked for.
    const issue = inTransaction(money.world.pool, (tx) => issueNote({} as PortalContext, tx, note, money.world.now()));
    await expect(issue).rejects.toThrow('A note of 999 micros is of 1000 in the ledger.');
    expect(await documents('debit_note')).toEqual([]);
  });
});

describe('a charge that is credited', () => {
  it('has a credit note, which names the invoice that the charge stands on', async () => {
    const charge_ref = await purchase(2_000_000n);
    const credit = { charge_kind: 'purchase', charge_ref, net_micros: '500000', tax_micros: '0', reason: 'unused' };
    const path = `/v1/admin/accounts/${user.account_id}/credit-notes`;
    const early = await finance.post<{ document_id: string }>(path, credit);
    const invoice = (await billNow()).body;
    const late = await finance.post<{ document_id: string }>(path, credit);
    expect(await finance.post(path, { ...credit, net_micros: '1000001' })).toMatchObject({ status: 409 });
    const notes = await documents('credit_note');
    expect(notes.map(({ invoice_id, corrects }) => [invoice_id, corrects?.number ?? null])).toEqual([
      [late.body.document_id, invoice.number],
      [early.body.document_id, null],
    ]);
    expect(await linesOf(late.body.document_id)).toMatchObject([
      { kind: 'credit_note', what: 'Credit: unused', net_micros: '-500000', explained: { charge_ref } },
    ]);
    expect(await moved(late.body.document_id)).toBe(500_000n);
    // The invoice has the charge, and the credits are not on it.
    expect(await linesOf(invoice.invoice_id)).toHaveLength(1);
  });
});

describe('a refund', () => {
  const topUp = async (amount_micros: string): Promise<string> => {
    const { body: card } = await here.post<{ method_id: string }>('/v1/payment-methods', { token: money.token() });
    const { body } = await here.post<{ payment_id: string }>('/v1/top-ups', {
      ...{ amount_micros, method_id: card.method_id },
    });
    return body.payment_id;
  };
  const refunded = async (amount_micros: string, state: string): Promise<void> => {
    const { body } = await here.post<{ refund_id: string }>('/v1/refunds', { amount_micros });
    const stateNow = async () =>
      (await here.get<{ items: { refund_id: string; state: string }[] }>('/v1/refunds')).body.items.find(
        ({ refund_id }) => refund_id === body.refund_id,
      )?.state;
    await expect.poll(stateNow).toBe(state);
  };

  beforeEach(async () => {
    user = await makeUser(money.world, { name: 'Grace Example' });
    here = await user.signIn();
  });

  it('of several payments is a credit note with a line for each, which names its receipt', async () => {
    await topUp('5000000');
    await topUp('9000000');
    await refunded('14000000', 'paid');
    const receipts = new Map((await documents('receipt')).map(({ net_micros, ...one }) => [net_micros, one]));
    const [note] = await documents('credit_note');
    expect(note).toMatchObject({ total_micros: '-14000000', tax_micros: '0' });
    expect(note?.corrects?.number).toBe(receipts.get('9000000')?.number);
    expect(await linesOf(note?.invoice_id ?? '')).toMatchObject([
      { kind: 'payout', net_micros: '-9000000', explained: { receipt: receipts.get('9000000')?.number } },
      { kind: 'payout', net_micros: '-5000000', explained: { receipt: receipts.get('5000000')?.number } },
    ]);
    const words = await pdfOf(note?.invoice_id ?? '');
    expect(words).toContain(`Money paid back of ${receipts.get('5000000')?.number ?? ''}`);
  });

  it('of which the provider paid some has a credit note of that, and one that failed has none', async () => {
    await topUp('5000000');
    const refused = await topUp('9000000');
    const theirs = money.provider.book.payments.get(money.paymentOf(refused));
    if (theirs !== undefined) theirs.state = 'cancelled';
    await refunded('14000000', 'failed');
    const [note] = await documents('credit_note');
    expect(note?.total_micros).toBe('-5000000');
    await refunded('9000000', 'failed');
    expect(await documents('credit_note')).toHaveLength(1);
  });
});
