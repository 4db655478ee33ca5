import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { putDeck, putTextDeck } from '../../deploy/world/tariffs.ts';
import { walletOf } from '../../deploy/world/verdict.ts';
import { authorizeCalls, settleCalls } from '../../domain/calls/hold.ts';
import type { CallRecord } from '../../domain/calls/hold.ts';
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
import { microsOf, wordsOf } from './testing/pdf_words.ts';

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

const way_on = { ...rate, rate_micros_per_minute: 60_000n };

/** The same for a call to a number of theirs that went on to another country, where `carrier_id` says so, or was answered by a phone. */
function forwardedCall(seconds: number, carrier_id: number | null): Promise<void> {
  const forwarded = {
    ...{ to: '+442071838750', rate: { ...way_on, rate_micros_per_minute: '60000', connect_fee_micros: '0' } },
    source: { deck_id: 7, deck: 'retail', version: 2, prefix: '4420', destination: 'UK', currency: 'EUR' },
  };
  const parties = { direction: 'inbound', caller: '+33155550100', destination: '+493012345678', carrier_id } as const;
  return call(seconds, null, { forwarded, parties });
}

/** A call as the controller charges it, some of it or all by a pack. */
async function call(
  seconds: number,
  pack: { id: string; seconds: number } | null = null,
  inbound: { forwarded: object; parties: Partial<CallRecord> } | null = null,
): Promise<void> {
  const { pool } = money.world;
  const { epoch } = await takeLease(pool, 'switch-1', randomUUID(), new Date());
  const lease = { switch_id: 'switch-1', epoch };
  const on = typeof inbound?.parties.carrier_id === 'number' ? price(seconds, way_on) : 0n;
  const { net, tax, gross } = withTax(price(seconds - (pack?.seconds ?? 0), rate) + on, TAX_PPM);
  const [leg_id, now] = [randomUUID(), new Date()];
  const spend = {
    spend_hour: now,
    spend_hour_max: 10n ** 12n,
    spend_day: now.toISOString().slice(0, 10),
    spend_day_max: 10n ** 12n,
  };
  const sold = { deck_id: 1, deck: 'retail', version: 1, prefix: '44', destination: 'UK', currency: 'EUR' };
  const source = inbound === null ? sold : null;
  const of = { ...rate, rate_micros_per_minute: '12345', connect_fee_micros: '0' };
  const tariff = { rate: of, tax_ppm: TAX_PPM, forwarded: inbound?.forwarded ?? null };
  await authorizeCalls(pool, lease, [
    {
      ...{ leg_id, call_id: leg_id, wallet_id: user.wallet_id, channel_id: leg_id, seconds },
      ...{ hold_micros: gross === 0n ? 0n : gross + 1_000n, pack_id: pack === null ? null : BigInt(pack.id) },
      ...{ pack_seconds: pack?.seconds ?? 0, deadline_at: now, now_at: now, concurrent_calls_max: 10, ...spend },
      snapshot: { source, tariff },
    },
  ]);
  const [answer] = await settleCalls(pool, lease, [
    {
      ...{ leg_id, wallet_id: user.wallet_id, net_micros: net, tax_micros: tax, loss_micros: 0n, ...spend },
      pack_seconds: pack?.seconds ?? 0,
      cdr: {
        ...{ started_at: now, direction: 'outbound', device: 'phone', dialled: '+442071838750', caller: null },
        ...{ callee: '+442071838750', destination: 'UK', answered_at: now, ended_at: now, duration_ms: seconds * 1000 },
        ...{ duration_source: 'record', seconds_charged: seconds, seconds_billed: seconds, cost_micros: 0n },
        ...{ cost_currency: null, result: 'answered', refusal: null, cause: 16, blame: 'nobody', pdd_ms: null },
        ...{ carrier_id: null, trunk_id: null, attempts: [] },
        ...inbound?.parties,
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
  const charged = await inTransaction(money.world.pool, (tx) =>
    chargeWallet(tx, { kind: 'purchase', ...charge, policy_version: 'of a test' }),
  );
  expect(charged).toBe('posted');
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

  it('tells calls that a pack paid for, at no charge where it covered all of one, and sums to the ledger', async () => {
    const { pool } = money.world;
    const { rows } = await pool.query<{ id: string }>(
      `insert into minute_pack (wallet_id, name, prefixes, seconds_left, expires_at)
       values ($1, 'UK 60', '{44}', 3600, now() + interval '1 year') returning id`,
      [user.wallet_id.toString()],
    );
    const id = rows[0]?.id ?? '';
    await call(125, { id, seconds: 125 });
    await call(200, { id, seconds: 60 });
    await call(30);
    const before = await ledgerGross();
    const made = new Set((await invoices('invoice')).map(({ invoice_id }) => invoice_id));
    money.world.advance(31 * 86_400_000);
    here = await user.signIn();
    await money.runTask('invoice_look');
    await expect.poll(() => invoices('invoice')).toHaveLength(made.size + 1);
    const [invoice] = (await invoices('invoice')).filter(({ invoice_id }) => !made.has(invoice_id));
    const lines = await allLines(invoice?.invoice_id ?? '');
    const charge = (seconds: number) => withTax(price(seconds, rate), TAX_PPM);
    const told = (line: Line) => [
      line.quantity,
      line.explained['pack'],
      line.explained['pack_seconds'],
      line.net_micros,
    ];
    expect(lines.map(told)).toEqual([
      [125, 'UK 60', 125, '0'],
      [200, 'UK 60', 60, charge(140).net.toString()],
      [30, undefined, undefined, charge(30).net.toString()],
    ]);
    expect(lines[0]).toMatchObject({ kind: 'call', what: 'Call to +442071838750 (UK)', tax_micros: '0' });
    expect(sum(lines, 'net_micros') + sum(lines, 'tax_micros')).toBe(charge(140).gross + charge(30).gross);
    expect((await ledgerGross()) - before).toBe(BigInt(invoice?.rounding_micros ?? 0));
    const words = wordsOf((await here.get<Buffer>(`/v1/invoices/${invoice?.invoice_id ?? ''}/pdf`)).body);
    expect(words).toContain('125 s of the pack UK 60');
    expect(words).toContain('60 s of the pack UK 60');
    // Told once: what comes later is on the next, and this one is not.
    await call(5);
    money.world.advance(31 * 86_400_000);
    here = await user.signIn();
    await money.runTask('invoice_look');
    await expect.poll(() => invoices('invoice')).toHaveLength(made.size + 2);
    expect((await invoices('invoice'))[0]?.line_count).toBe(1);
  });

  it('is made once, and what comes later is on the next', async () => {
    await money.runTask('invoice_look');
    await call(10);
    await forwardedCall(20, 1);
    await forwardedCall(30, null);
    money.world.advance(31 * 86_400_000);
    here = await user.signIn();
    await money.runTask('invoice_look');
    await expect.poll(() => invoices('invoice')).toHaveLength(4);
    expect((await invoices('invoice')).map(({ line_count }) => line_count)).toEqual([3, 1, 3, 10]);
  });

  it('tells a call that was forwarded by both of its prices, and one that a phone answered by the number’s own', async () => {
    const [invoice] = await invoices('invoice');
    const [, went_on, at_phone] = await allLines(invoice?.invoice_id ?? '');
    const both = price(20, rate) + price(20, way_on);
    expect(went_on).toMatchObject({
      ...{ what: 'Call from +33155550100, forwarded to +442071838750 (+493012345678)', net_micros: both.toString() },
      explained: {
        ...{ seconds_spoken: 20, rate: { rate_micros_per_minute: '12345' } },
        forwarded: {
          ...{ to: '+442071838750', deck: 'retail', deck_version: 2, prefix: '4420' },
          rate: { rate_micros_per_minute: '60000' },
        },
      },
    });
    expect(went_on?.explained).not.toHaveProperty('deck');
    expect(at_phone).toMatchObject({
      ...{ what: 'Call from +33155550100 (+493012345678)', net_micros: price(30, rate).toString() },
    });
    expect(at_phone?.explained).not.toHaveProperty('forwarded');
    const words = wordsOf((await here.get<Buffer>(`/v1/invoices/${invoice?.invoice_id ?? ''}/pdf`)).body);
    expect(words).toContain('retail version 2, prefix 4420, 0.06 EUR a minute, and 0.012345 EUR for calls in');
  });

  it('is a credit note where more was given back than charged, and numbers have no gap', async () => {
    const ref = await purchase(100_000n);
    const admin = await (await makeAdmin(money.world, ['finance'])).signIn();
    const now_bill = () => admin.post<Shown>(`/v1/admin/accounts/${user.account_id}/invoices`);
    expect(await now_bill()).toMatchObject({ status: 201, body: { kind: 'invoice', line_count: 1 } });
    await inTransaction(money.world.pool, (tx) =>
      giveBack(tx, {
        ...{ ref: randomUUID(), charge_kind: 'purchase', charge_ref: ref, net_micros: 50_000n, tax_micros: 9_500n },
        content: { what: 'number +493012345678, not provided' },
      }),
    );
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
