import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MailCatcher } from '../../deploy/mail/mail_catcher.ts';
import { brokenInvariants } from '../../domain/ledger/invariants.ts';
import { MoneyWorld } from '../payments/testing/money_world.ts';
import { makeAdmin, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { wordsOf } from './testing/pdf_words.ts';

let mail: MailCatcher;
let money: MoneyWorld;
let finance: { user_id: string; client: PortalClient };

beforeAll(async () => {
  mail = await MailCatcher.begin({ host: '127.0.0.1', smtp_port: 0, http_port: 0 });
  money = await MoneyWorld.begin({ SMTP_URL: `smtp://127.0.0.1:${mail.ports.smtp}` });
  const admin = await makeAdmin(money.world, ['finance']);
  finance = { user_id: admin.user_id, client: await admin.signIn() };
});

afterAll(async () => {
  expect(await brokenInvariants(money.world.pool)).toEqual([]);
  await money.end();
  await mail.end();
});

interface Shown {
  invoice_id: string;
  account_id: string;
  number: string;
  kind: string;
}

interface Page {
  items: Shown[];
  next_cursor: string | null;
}

const adjust = (user: TestUser, direction: 'credit' | 'debit') =>
  finance.client.post(`/v1/admin/accounts/${user.account_id}/adjustments`, {
    ...{ direction, net_micros: '1000000', tax_micros: '190000', reason: 'a wrong rate' },
  });

const list = async (query: string): Promise<Page> => {
  const reply = await finance.client.get<Page>(`/v1/admin/invoices?purpose=a%20letter&${query}`);
  expect(reply.status).toBe(200);
  return reply.body;
};

/** What was mailed to somebody: its subject and its facts. */
const mailed = (to: string): string[] =>
  mail.mails(to).map(({ subject, text }) => `${subject}\n${text.replaceAll('\r', '').split('\n\n')[1] ?? ''}`);

describe('the documents of everybody', () => {
  it('are listed by account, kind, number and time, page by page, and each view is on record', async () => {
    const [user, other] = [await makeUser(money.world, { balance_micros: 9_000_000n }), await makeUser(money.world)];
    await adjust(user, 'credit');
    await adjust(user, 'debit');
    await adjust(other, 'credit');
    expect((await list('')).items.map(({ account_id }) => account_id)).toEqual([
      ...[other.account_id, user.account_id, user.account_id],
    ]);
    const of_user = `account_id=${user.account_id}`;
    const first = await list(`${of_user}&limit=1`);
    expect(first.items).toMatchObject([{ kind: 'debit_note', total_micros: '1190000' }]);
    const rest = await list(`${of_user}&limit=1&cursor=${first.next_cursor ?? ''}`);
    expect(rest).toMatchObject({ items: [{ kind: 'credit_note', total_micros: '-1190000' }], next_cursor: null });
    const [note] = (await list(`${of_user}&kind=credit_note`)).items;
    expect(note).toMatchObject({ kind: 'credit_note' });
    expect((await list(`number=${note?.number ?? ''}`)).items).toEqual([note]);
    const soon = new Date(money.world.now().getTime() + 60_000).toISOString();
    expect((await list(`${of_user}&from=${soon}`)).items).toEqual([]);
    expect((await list(`${of_user}&to=${soon}`)).items).toHaveLength(2);
    const { rows } = await money.world.pool.query(
      `select actor_id, purpose from audit_log where action = 'invoices.view' and account_id = $1`,
      [user.account_id],
    );
    expect(rows).toEqual(Array.from({ length: 5 }, () => ({ actor_id: finance.user_id, purpose: 'a letter' })));
  });

  it('are read and downloaded by finance for a purpose, and by nobody else', async () => {
    const user = await makeUser(money.world, { name: 'Grace Example' });
    await adjust(user, 'credit');
    const [note] = (await list(`account_id=${user.account_id}`)).items;
    const path = `/v1/admin/invoices/${note?.invoice_id ?? ''}`;
    expect(await finance.client.get(`${path}/pdf`)).toMatchObject({ status: 422 });
    expect((await finance.client.get<Shown>(`${path}?purpose=call`)).body).toEqual(note);
    const pdf = await finance.client.get<Buffer>(`${path}/pdf?purpose=call`);
    expect(pdf.status).toBe(200);
    expect(wordsOf(pdf.body)).toContain('Grace Example');
    const { rows } = await money.world.pool.query(
      `select action, purpose, subject from audit_log where account_id = $1 and action in ('invoice.view', 'invoice.download') order by seq`,
      [user.account_id],
    );
    const seen = { purpose: 'call', subject: `invoice:${note?.invoice_id ?? ''}` };
    expect(rows).toEqual([
      { ...seen, action: 'invoice.view' },
      { ...seen, action: 'invoice.download' },
    ]);
    const support = await (await makeAdmin(money.world, ['support'])).signIn();
    expect(await support.get(`${path}/pdf?purpose=call`)).toMatchObject({ status: 403 });
    expect(await (await user.signIn()).get(`${path}?purpose=call`)).toMatchObject({ status: 403 });
  });
});

describe('a customer', () => {
  it('is mailed about each credit note and debit note: its number and how much it is', async () => {
    const user = await makeUser(money.world, { balance_micros: 9_000_000n, email: 'nina@example.org' });
    await adjust(user, 'credit');
    await adjust(user, 'debit');
    const [debit, credit] = (await list(`account_id=${user.account_id}`)).items;
    await expect
      .poll(() => mailed('nina@example.org').toSorted(), { timeout: 8_000 })
      .toEqual([
        `Letsdial: You have a credit note\nNumber: ${credit?.number ?? ''}\nTotal: €1.19`,
        `Letsdial: You have a debit note\nNumber: ${debit?.number ?? ''}\nTotal: €1.19`,
      ]);
  });

  it('whose money was paid back is told of its credit note in the same mail', async () => {
    const user = await makeUser(money.world, { email: 'otto@example.org' });
    const here = await user.signIn();
    const card = await here.post<{ method_id: string }>('/v1/payment-methods', { token: money.token() });
    await here.post('/v1/top-ups', { amount_micros: '5000000', method_id: card.body.method_id });
    await money.provider.webhooks.flush();
    expect(await here.post('/v1/refunds', { amount_micros: '2000000' })).toMatchObject({ status: 201 });
    const notes = async (): Promise<Shown[]> => (await list(`account_id=${user.account_id}&kind=credit_note`)).items;
    await expect.poll(async () => (await notes()).length, { timeout: 8_000 }).toBe(1);
    const [note] = await notes();
    const of_money_back = (): string[] => mailed('otto@example.org').filter((one) => !one.includes('received'));
    await expect
      .poll(of_money_back, { timeout: 8_000 })
      .toEqual([`Letsdial: Your refund is on its way\nAmount: €2.00\nNumber: ${note?.number ?? ''}`]);
    // No second mail is under way.
    await expect.poll(() => money.waiting('send_notice'), { timeout: 8_000 }).toBe(0);
    expect(of_money_back()).toHaveLength(1);
  });
});
