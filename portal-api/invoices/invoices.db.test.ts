import { randomUUID } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { putDeck, putTextDeck } from '../../deploy/world/tariffs.ts';
import { walletOf } from '../../deploy/world/verdict.ts';
import { authorizeCalls, settleCalls } from '../../domain/calls/hold.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import { takeLease } from '../../domain/lease/lease.ts';
import { chargeWallet } from '../../domain/ledger/charge_wallet.ts';
import { giveBack } from '../../domain/ledger/give_back.ts';
import { brokenInvariants } from '../../domain/ledger/invariants.ts';
import { price, withTax } from '../../domain/rating/price.ts';
import { acceptMessages } from '../../domain/texts/accept_messages.ts';
import { MessageIds } from '../../domain/texts/message_id.ts';
import { MoneyWorld } from '../payments/testing/money_world.ts';
import { makeAdmin, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';

interface Shown {
  invoice_id: string;
  number: string;
  kind: string;
  month: string | null;
  line_count: number;
  net_micros: string;
  tax_micros: string;
  rounding_micros: string;
  total_micros: string;
}

interface Line {
  n: number;
  kind: string;
  what: string;
  quantity: number;
  unit: string;
  explained: Record<string, unknown>;
  net_micros: string;
  tax_micros: string;
}

const TAX_PPM = 190_000;
const rate = {
  ...{ rate_micros_per_minute: 12_345n, connect_fee_micros: 0n, minimum_seconds: 0, initial_increment_seconds: 1 },
  ...{ subsequent_increment_seconds: 1, grace_seconds: 0, free_seconds: 0 },
};

let money: MoneyWorld;
let user: TestUser;
let here: PortalClient;
let text_deck_id: number;
const message_ids = new MessageIds(Date.now);

beforeAll(async () => {
  money = await MoneyWorld.begin();
  const { pool } = money.world;
  user = await makeUser(money.world, { balance_micros: 50_000_000n, tax_ppm: TAX_PPM, name: 'Grace Example' });
  here = await user.signIn();
  await putDeck(pool, {
    name: 'retail',
    currency: 'EUR',
    carrier_id: null,
    rows: [{ prefix: '44', destination: 'UK', ...rate }],
  });
  text_deck_id = await putTextDeck(pool, {
    ...{ name: 'retail-texts', currency: 'EUR', carrier_id: null },
    rows: [{ prefix: '44', destination: 'UK', rate_micros_per_segment: 45_671n }],
  });
  await pool.query(`insert into did (number, account_id, state) values ('+493012345678', $1, 'active')`, [
    user.account_id,
  ]);
});

afterAll(async () => {
  expect(await brokenInvariants(money.world.pool)).toEqual([]);
  await money.end();
});

/** A call as the controller charges it. */
async function call(seconds: number): Promise<void> {
  const { pool } = money.world;
  const { epoch } = await takeLease(pool, 'switch-1', randomUUID(), new Date());
  const lease = { switch_id: 'switch-1', epoch };
  const { net, tax, gross } = withTax(price(seconds, rate), TAX_PPM);
  const [leg_id, now] = [randomUUID(), new Date()];
  const spend = {
    spend_hour: now,
    spend_hour_max: 10n ** 12n,
    spend_day: now.toISOString().slice(0, 10),
    spend_day_max: 10n ** 12n,
  };
  const source = { deck_id: 1, deck: 'retail', version: 1, prefix: '44', destination: 'UK', currency: 'EUR' };
  const tariff = { rate: { ...rate, rate_micros_per_minute: '12345', connect_fee_micros: '0' }, tax_ppm: TAX_PPM };
  await authorizeCalls(pool, lease, [
    {
      ...{
        leg_id,
        call_id: leg_id,
        wallet_id: user.wallet_id,
        channel_id: leg_id,
        hold_micros: gross + 1_000n,
        seconds,
      },
      ...{ pack_id: null, pack_seconds: 0, deadline_at: now, now_at: now, concurrent_calls_max: 10, ...spend },
      snapshot: { source, tariff },
    },
  ]);
  const [answer] = await settleCalls(pool, lease, [
    {
      ...{
        leg_id,
        wallet_id: user.wallet_id,
        net_micros: net,
        tax_micros: tax,
        loss_micros: 0n,
        pack_seconds: 0,
        ...spend,
      },
      cdr: {
        ...{ started_at: now, direction: 'outbound', device: 'phone', dialled: '+442071838750', caller: null },
        ...{ callee: '+442071838750', destination: 'UK', answered_at: now, ended_at: now, duration_ms: seconds * 1000 },
        ...{ duration_source: 'record', seconds_charged: seconds, seconds_billed: seconds, cost_micros: 0n },
        ...{ cost_currency: null, result: 'answered', refusal: null, cause: 16, blame: 'nobody', pdd_ms: null },
        ...{ carrier_id: null, trunk_id: null, attempts: [] },
      },
    },
  ]);
  expect(answer?.verdict).toBe('settled');
}

/** Texts of one batch, which are one transaction of the ledger. */
async function texts(count: number): Promise<string[]> {
  const { net, tax } = withTax(45_671n, TAX_PPM);
  const batch = Array.from({ length: count }, () => ({
    ...{ id: message_ids.next(), account_id: user.account_id, wallet_id: user.wallet_id, sender: '+493012345678' },
    ...{ recipient: '+447700900123', body: 'Hello', encoding: 'gsm7' as const, segments: 1, class: 'normal' as const },
    ...{ on_doubt: 'resend' as const, net_micros: net, tax_micros: tax, source: 'portal' as const, system_id: null },
    ...{ client_ref: null, wants_receipt: false, idempotency: null, due_at: null, carrier_id: null, epoch: null },
    rate: { deck_id: text_deck_id, prefix: '44', destination: 'UK', rate_micros_per_segment: 45_671n },
    ...{ valid_until: new Date(Date.now() + 86_400_000), hold_reason: null },
  }));
  const answers = await acceptMessages(money.world.pool, new Date(), batch);
  expect(answers.map(({ verdict }) => verdict)).toEqual(batch.map(() => 'accepted'));
  return batch.map(({ id }) => id);
}

async function purchase(net_micros: bigint): Promise<string> {
  const ref = randomUUID();
  const { tax } = withTax(net_micros, TAX_PPM);
  const content = { what: 'number +493012345678' };
  const charge = { ref, wallet_id: user.wallet_id, net_micros, tax_micros: tax, content, now: new Date() };
  expect(await inTransaction(money.world.pool, (tx) => chargeWallet(tx, { kind: 'purchase', ...charge }))).toBe(
    'posted',
  );
  return ref;
}

async function allLines(invoice_id: string): Promise<Line[]> {
  const lines: Line[] = [];
  let cursor = '';
  for (;;) {
    const { body } = await here.get<{ items: Line[]; next_cursor: string | null }>(
      `/v1/invoices/${invoice_id}/lines?limit=7${cursor}`,
    );
    lines.push(...body.items);
    if (body.next_cursor === null) return lines;
    cursor = `&cursor=${body.next_cursor}`;
  }
}

const sum = (lines: readonly Line[], column: 'net_micros' | 'tax_micros'): bigint =>
  lines.reduce((total, line) => total + BigInt(line[column]), 0n);

/** What the wallet paid for what is billed, by the postings alone. */
async function ledgerGross(): Promise<bigint> {
  const { rows } = await money.world.pool.query<{ gross: string }>(
    `select (-sum(p.amount_micros))::bigint as gross from posting p join ledger_account a on a.id = p.account_id join ledger_tx t on t.id = p.tx_id
      where a.wallet_id = $1 and a.kind like 'wallet%' and t.kind not in ('topup', 'promo', 'promo_expiry')`,
    [user.wallet_id.toString()],
  );
  return BigInt(rows[0]?.gross ?? 0);
}

const invoices = async (kind: string) =>
  (await here.get<{ items: Shown[] }>('/v1/invoices')).body.items.filter((one) => one.kind === kind);

describe('the invoice of a month', () => {
  it('has a line for each call, text and charge, and they sum to the ledger to the micro', async () => {
    for (const seconds of [1, 59, 61, 337]) await call(seconds);
    const [refunded = ''] = await texts(3);
    await money.world.pool.query('select refund_message($1, 1::smallint, now())', [refunded]);
    const bought = await purchase(3_333_333n);
    await inTransaction(money.world.pool, (tx) =>
      giveBack(tx, {
        ...{
          ref: randomUUID(),
          charge_kind: 'purchase',
          charge_ref: bought,
          net_micros: 1_000_001n,
          tax_micros: 190_001n,
        },
        content: { what: 'number +493012345678, half a month' },
      }),
    );
    const before = await ledgerGross();
    money.world.advance(32 * 86_400_000);
    here = await user.signIn();
    await money.runTask('invoice_look');
    await expect.poll(() => invoices('invoice')).toHaveLength(1);
    const [invoice] = await invoices('invoice');
    if (invoice === undefined) throw new Error('there is no invoice');
    const lines = await allLines(invoice.invoice_id);
    expect(lines).toHaveLength(invoice.line_count);
    expect(lines.map(({ kind }) => kind).toSorted()).toEqual([
      ...['call', 'call', 'call', 'call', 'credit_note', 'purchase', 'text', 'text', 'text', 'text_refund'],
    ]);
    expect(sum(lines, 'net_micros') + sum(lines, 'tax_micros')).toBe(before);
    expect([sum(lines, 'net_micros'), sum(lines, 'tax_micros')].map(String)).toEqual([
      ...[invoice.net_micros, invoice.tax_micros],
    ]);
    // To whole cents, in the customer's favour, and then the ledger says the same.
    expect(BigInt(invoice.total_micros) % 10_000n).toBe(0n);
    expect(BigInt(invoice.rounding_micros)).toBeLessThanOrEqual(0n);
    expect(await ledgerGross()).toBe(BigInt(invoice.total_micros));
    expect((await walletOf(money.world.pool, user.wallet_id)).balance_micros).toBe(
      50_000_000n - BigInt(invoice.total_micros),
    );
  });

  it('explains each call by its seconds and its rate row, and each text by its segments', async () => {
    const [invoice] = await invoices('invoice');
    const lines = await allLines(invoice?.invoice_id ?? '');
    const call_lines = lines.filter(({ kind }) => kind === 'call');
    for (const line of call_lines) {
      const { net, tax } = withTax(price(line.quantity, rate), TAX_PPM);
      expect(line).toMatchObject({
        ...{
          net_micros: net.toString(),
          tax_micros: tax.toString(),
          unit: 'second',
          what: 'Call to +442071838750 (UK)',
        },
        explained: {
          ...{ deck: 'retail', deck_version: 1, prefix: '44', tax_ppm: TAX_PPM, seconds_spoken: line.quantity },
          rate: { rate_micros_per_minute: '12345' },
        },
      });
    }
    expect(lines.find(({ kind }) => kind === 'text')).toMatchObject({
      ...{ quantity: 1, unit: 'segment', net_micros: '45671' },
      explained: { deck: 'retail-texts', deck_version: 1, rate_micros_per_segment: '45671', prefix: '44' },
    });
  });

  it('is a PDF and a table with the same lines', async () => {
    const [invoice] = await invoices('invoice');
    const { body, headers } = await here.get<Buffer>(`/v1/invoices/${invoice?.invoice_id ?? ''}/pdf`);
    expect(headers.get('content-type')).toBe('application/pdf');
    const words = wordsOf(body);
    expect(words).toContain(invoice?.number);
    expect(words).toContain('Grace Example');
    expect(words).toContain('retail version 1, prefix 44, 0.012345 EUR a minute');
    const amounts = [...words.matchAll(/(-?\d+\.\d+) EUR \+ (-?\d+\.\d+) EUR/gu)];
    const gross = amounts.reduce((total, [, net = '', tax = '']) => total + microsOf(net) + microsOf(tax), 0n);
    expect(amounts).toHaveLength(invoice?.line_count ?? 0);
    expect(gross + BigInt(invoice?.rounding_micros ?? 0)).toBe(BigInt(invoice?.total_micros ?? 0));
    const csv = (await here.get<string>(`/v1/invoices/${invoice?.invoice_id ?? ''}/lines.csv`)).body
      .trim()
      .split('\r\n');
    expect(csv).toHaveLength((invoice?.line_count ?? 0) + 1);
  });

  it('is made once, and what comes later is on the next', async () => {
    await money.runTask('invoice_look');
    await call(10);
    money.world.advance(31 * 86_400_000);
    here = await user.signIn();
    await money.runTask('invoice_look');
    await expect.poll(() => invoices('invoice')).toHaveLength(2);
    expect((await invoices('invoice')).map(({ line_count }) => line_count)).toEqual([1, 10]);
  });

  it('is a credit note where more was given back than charged, and numbers have no gap', async () => {
    const ref = await purchase(100_000n);
    const admin = await (await makeAdmin(money.world, ['finance'])).signIn();
    const now_bill = () => admin.post<Shown>(`/v1/admin/accounts/${user.account_id}/invoices`);
    expect(await now_bill()).toMatchObject({ status: 201, body: { kind: 'invoice', line_count: 1 } });
    const credit = {
      charge_kind: 'purchase',
      charge_ref: ref,
      net_micros: '50000',
      tax_micros: '9500',
      reason: 'unused',
    };
    const path = `/v1/admin/accounts/${user.account_id}/credit-notes`;
    expect(await admin.post(path, credit)).toMatchObject({ status: 201 });
    expect(await admin.post(path, { ...credit, net_micros: '50001' })).toMatchObject({ status: 409 });
    // A month that was billed early is billed: the rest stands on the invoice of the month after it.
    expect(await now_bill()).toMatchObject({ status: 409 });
    money.world.advance(63 * 86_400_000);
    here = await user.signIn();
    await money.runTask('invoice_look');
    await expect.poll(() => invoices('credit_note')).toMatchObject([{ total_micros: '-60000', line_count: 1 }]);
    const { rows } = await money.world.pool.query<{ number: string }>('select number from invoice order by number');
    const years = new Set(rows.map(({ number }) => number.slice(0, 8)));
    for (const year of years) {
      const own = rows.filter(({ number }) => number.startsWith(year)).map(({ number }) => Number(number.slice(9)));
      expect(own).toEqual(own.map((_, n) => n + 1));
    }
  });

  it('of somebody else is not there', async () => {
    const eve = await (await makeUser(money.world)).signIn();
    const [invoice] = await invoices('invoice');
    for (const part of ['', '/lines', '/lines.csv', '/pdf']) {
      expect(await eve.get(`/v1/invoices/${invoice?.invoice_id ?? ''}${part}`)).toMatchObject({ status: 404 });
    }
  });

  it('is made out to whom the customer says, and an earlier one stays as it was', async () => {
    const profile = { name: 'Hopper GmbH', address_lines: ['Weg 1'], country: 'DE', tax_id: 'DE123' };
    const put = (version: number) => here.ask('PUT', '/v1/billing-profile', { body: profile, version });
    expect(await put(7)).toMatchObject({ status: 412 });
    expect(await put(1)).toMatchObject({ status: 200, body: { ...profile, version: 2 } });
    const [invoice] = await invoices('invoice');
    const { body } = await here.get<Buffer>(`/v1/invoices/${invoice?.invoice_id ?? ''}/pdf`);
    expect(wordsOf(body)).toContain('Grace Example');
  });
});

const microsOf = (decimal: string): bigint => {
  const [whole = '', fraction = ''] = decimal.replace('-', '').split('.');
  const micros = BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
  return decimal.startsWith('-') ? -micros : micros;
};

/** The text of a PDF: of each stream that draws, the strings, which are in hexadecimal of the font's own letters. */
function wordsOf(pdf: Buffer): string {
  const text = pdf.toString('latin1');
  const words: string[] = [];
  for (const { index, 0: head } of text.matchAll(/stream\r?\n/gu)) {
    const begin = index + head.length;
    let drawn: string;
    try {
      drawn = inflateSync(pdf.subarray(begin, text.indexOf('endstream', begin))).toString('latin1');
    } catch {
      continue;
    }
    for (const [, strings = ''] of drawn.matchAll(/\[(.*?)\] TJ/gu)) {
      const hex = [...strings.matchAll(/<([0-9a-f]*)>/giu)].map(([, one = '']) => one).join('');
      words.push(Buffer.from(hex, 'hex').toString('latin1'));
    }
  }
  return words.join('\n');
}
