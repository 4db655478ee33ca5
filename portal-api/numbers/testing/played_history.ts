import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import pino from 'pino';
import { readPortalSettings } from '../../../config/portal_settings.ts';
import { testLogin } from '../../../deploy/testing/database_login.ts';
import { freshDatabase } from '../../../deploy/testing/database.ts';
import { generousLimits, topUpNow } from '../../../deploy/world/people.ts';
import { openAccount } from '../../../domain/accounts/open_account.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import { DataKeys } from '../../../domain/privacy/data_keys.ts';
import { keyRingOf } from '../../../domain/privacy/sealing.ts';
import type { PaymentsContext } from '../../payments/payments_context.ts';
import { planRefund } from '../../payments/refund_plan.ts';
import { rejectRefund, requestRefund, sendRefund } from '../../payments/refunds.ts';
import { startPayment } from '../../payments/start_payment.ts';
import { takeEvent } from '../../payments/take_event.ts';
import { cancelNumber, undoCancellation } from '../holdings/cancel_number.ts';
import { openHolding } from '../holdings/holding_rows.ts';
import { freeNumbers, renewNumber, renewNumbers } from '../holdings/renew.ts';
import { acceptTransfer, offerTransfer, withdrawTransfer } from '../moving/transfer.ts';
import { driveOrder } from '../orders/drive_order.ts';
import { placeOrder } from '../orders/place_order.ts';
import type { NumberProvider } from '../provider/number_provider.ts';
import { stockProvider } from '../provider/stock_provider.ts';
import { BookProvider } from './book_provider.ts';
import {
  ACCOUNTS,
  BEGINNING,
  MONTHLY_MICROS,
  NUMBERS,
  OPENING_MICROS,
  SETUP_MICROS,
  STEP_MS,
  TAX_PPM,
} from './history_steps.ts';
import type { Step } from './history_steps.ts';
import type { NumberModel } from './number_model.ts';
import { putInStock } from './stock.ts';

const refusing: NumberProvider = {
  ...stockProvider,
  provision: () => Promise.resolve({ state: 'refused', reason: 'a test refuses it' }),
};
/** Nothing is asked of anybody here. */
const ports = { missingDocuments: () => Promise.resolve([]), termsAccepted: () => Promise.resolve(true) };

/** A database in which histories are played, one after the other or beside each other. */
export interface Stage {
  /** Of the superuser, who sees everything. */
  owner: pg.Pool;
  /** As the role that the portal runs by. */
  pool: pg.Pool;
  end: () => Promise<void>;
}

export async function openStage(connections: number): Promise<Stage> {
  const database = await freshDatabase();
  const owner = new pg.Pool({ connectionString: database.url, max: connections });
  const pool = new pg.Pool({ connectionString: await testLogin(database.url, 'letsdial_portal'), max: connections });
  const end = async (): Promise<void> => {
    await Promise.all([pool.end(), owner.end()]);
    await database.drop();
  };
  return { owner, pool, end };
}

const ring = keyRingOf([{ id: 'test-1', secret: randomBytes(32) }], randomBytes(32));
const settings = readPortalSettings({
  ...{ DATABASE_URL: 'postgres://nobody@127.0.0.1/none', REDIS_URL: 'redis://127.0.0.1:1', KEY_RING_FILE: 'none' },
  ...{ AUDIT_HEADS_FILE: 'none', DOCUMENTS_FOLDER: 'none' },
});

interface Account {
  account_id: string;
  wallet_id: bigint;
}

async function makeAccount(owner: pg.Pool): Promise<Account> {
  const account_id = randomUUID();
  const { wallet_id } = await inTransaction(owner, (tx) =>
    openAccount(tx, {
      ...{ account_id, name: 'Ada Example', home_country: 'DE', time_zone: 'UTC', tax_ppm: TAX_PPM },
      ...{ sell_deck: 'retail', currency: 'EUR', limits: generousLimits },
    }),
  );
  await topUpNow(owner, wallet_id, OPENING_MICROS);
  return { account_id, wallet_id };
}

/** One history on the real tables. */
export class PlayedHistory {
  now = BEGINNING;
  readonly accounts: Account[];
  readonly numbers: string[];
  readonly provider = new BookProvider(() => this.now);
  readonly #stage: Stage;
  /** What was asked for, and is not sent or decided yet. */
  readonly #refunds: string[] = [];
  /** Whose numbers are to be paid, as money came. */
  readonly #paying = new Set<string>();

  private constructor(stage: Stage, accounts: Account[], numbers: string[]) {
    this.#stage = stage;
    this.accounts = accounts;
    this.numbers = numbers;
  }

  /** @param history its number, by which no two on a stage share a number of a phone. */
  static async begin(stage: Stage, history: number): Promise<PlayedHistory> {
    const numbers = Array.from({ length: NUMBERS }, (_, n) => `+4960${String(history * 10 + n).padStart(7, '0')}`);
    await putInStock(stage.owner, numbers, { setup_micros: SETUP_MICROS, monthly_micros: MONTHLY_MICROS });
    const accounts: Account[] = [];
    for (let one = 0; one < ACCOUNTS; one += 1) accounts.push(await makeAccount(stage.owner));
    return new PlayedHistory(stage, accounts, numbers);
  }

  account(index: number): Account {
    const found = this.accounts[index];
    if (found === undefined) throw new Error(`There is no account ${index}.`);
    return found;
  }

  number(index: number): string {
    return this.numbers[index] ?? '';
  }

  async take(step: Step): Promise<void> {
    this.now = new Date(this.now.getTime() + STEP_MS);
    switch (step.kind) {
      case 'buy':
        return this.#buy(this.account(step.account).account_id, this.number(step.number), step.works);
      case 'cancel':
        return this.#cancel(this.number(step.number), step.at_once);
      case 'undo':
        return this.#undo(this.number(step.number));
      case 'transfer':
        return this.#transfer(this.number(step.number), this.account(step.to).account_id);
      case 'pay':
        return this.#pay(this.account(step.account), step.amount_micros, step.at_once);
      case 'refund':
        return this.#refund(this.account(step.account), step.way);
      case 'settle_refunds':
        return this.#settleRefunds();
      case 'dispute': {
        const payment = this.provider.undisputed[step.payment % this.provider.undisputed.length];
        if (payment !== undefined) this.provider.dispute(payment);
        return;
      }
      case 'decide': {
        const dispute = this.provider.undecided[step.dispute % this.provider.undecided.length];
        if (dispute !== undefined) this.provider.decide(dispute, step.state);
        return;
      }
      case 'tell':
        return this.#tell(step.times, step.backwards);
      case 'wait':
        this.now = new Date(this.now.getTime() + step.hours * 3_600_000);
        return;
      case 'renew':
        for (const number of this.numbers)
          await inTransaction(this.#stage.pool, (tx) => renewNumber(tx, number, this.now));
    }
  }

  async #buy(account_id: string, number: string, works: boolean): Promise<void> {
    const { now } = this;
    const { pool } = this.#stage;
    await freeNumbers(pool, now);
    const wish = { order_id: randomUUID(), account_id, number, wait_for_kyc: false, now };
    await inTransaction(pool, (tx) => placeOrder(tx, wish, ports));
    const providers = new Map([['stock', works ? stockProvider : refusing]]);
    await driveOrder({ pool, providers, now: () => now }, wish.order_id);
  }

  async #cancel(number: string, at_once: boolean): Promise<void> {
    const { pool } = this.#stage;
    const holding = await openHolding(pool, number);
    if (holding === null) return;
    const wish = { cancellation_id: randomUUID(), number, account_id: holding.account_id, at_once };
    await inTransaction(pool, (tx) => cancelNumber(tx, { ...wish, refund_micros_seen: null, now: this.now }));
  }

  async #undo(number: string): Promise<void> {
    const { pool } = this.#stage;
    const holding = await openHolding(pool, number);
    if (holding === null) return;
    await inTransaction(pool, (tx) => undoCancellation(tx, { ...holding, now: this.now }));
  }

  async #transfer(number: string, to: string): Promise<void> {
    const { now } = this;
    const { pool } = this.#stage;
    const holding = await openHolding(pool, number);
    if (holding === null) return;
    const whose = { number, account_id: holding.account_id, now };
    const offered = await inTransaction(pool, (tx) => offerTransfer(tx, { ...whose, transfer_id: randomUUID() }));
    if (offered.kind !== 'offered') return;
    const acceptance = { holding_id: randomUUID(), code: offered.code, account_id: to, now };
    await inTransaction(pool, (tx) => acceptTransfer(tx, acceptance, ports));
    await inTransaction(pool, (tx) => withdrawTransfer(tx, whose));
  }

  async #pay({ account_id, wallet_id }: Account, amount_micros: bigint, at_once: boolean): Promise<void> {
    this.provider.at_once = at_once;
    const wish = { id: randomUUID(), account_id, wallet_id, currency: 'EUR', amount_micros };
    const card = { purpose: 'top_up', method_id: null, save_method: false } as const;
    await startPayment(this.#context, this.provider, { ...wish, ...card }, this.now);
    await this.#payNumbers();
  }

  async #refund({ account_id, wallet_id }: Account, way: 'at_once' | 'later' | 'waits'): Promise<void> {
    const { now } = this;
    const { pool } = this.#stage;
    const wallet = { account_id, wallet_id, currency: 'EUR' };
    const { total_micros } = await planRefund(pool, wallet, 'local', null, now);
    if (total_micros === 0n) return;
    const approvals_needed = way === 'waits' ? 2 : 0;
    const wish = { id: randomUUID(), wallet, amount_micros: total_micros, approvals_needed, reason: 'a test' };
    const by = { kind: 'customer', id: account_id } as const;
    await inTransaction(pool, (tx) => requestRefund(tx, 'local', { ...wish, by }, now));
    // It is sent by a task, which is done here.
    if (way === 'at_once') await sendRefund(this.#context, this.provider, wish.id);
    else this.#refunds.push(wish.id);
  }

  async #settleRefunds(): Promise<void> {
    for (const id of this.#refunds.splice(0)) {
      await inTransaction(this.#stage.pool, (tx) => rejectRefund(tx, id, this.now));
      await sendRefund(this.#context, this.provider, id);
    }
  }

  async #tell(times: number, backwards: boolean): Promise<void> {
    for (const event of this.provider.tell(times, backwards)) {
      await takeEvent(this.#context, 'local', event, this.now);
      await this.#payNumbers();
    }
  }

  async #payNumbers(): Promise<void> {
    for (const account_id of this.#paying) await renewNumbers(this.#stage.pool, account_id, this.now);
    this.#paying.clear();
  }

  get #context(): PaymentsContext {
    const payNumbersSoon = (_: unknown, account_id: string): Promise<void> => {
      this.#paying.add(account_id);
      return Promise.resolve();
    };
    const { pool } = this.#stage;
    const parts = {
      settings,
      pool,
      keys: new DataKeys(ring),
      ring,
      cookie_name: 'none',
      log: pino({ level: 'silent' }),
    };
    // Nobody signs in here.
    return { ...parts, now: () => this.now, payNumbersSoon } as unknown as PaymentsContext;
  }

  /** Who holds what, how it stands, and what everybody has, owes and has paid. */
  async standing(): Promise<unknown> {
    const { rows } = await this.#stage.owner.query<{ standing: unknown }>({
      name: 'standing',
      text: `select jsonb_build_object(
        'balances', (select jsonb_agg(w.balance_micros::text order by a.n) from unnest($1::bigint[]) with ordinality a(id, n) join wallet w on w.id = a.id),
        'owed', (select jsonb_agg((select coalesce(-sum(p.amount_micros), 0)::text from ledger_account l join posting p on p.account_id = l.id
                                    where l.kind = 'receivable' and l.wallet_id = a.id) order by a.n) from unnest($1::bigint[]) with ordinality a(id, n)),
        'payments', (select coalesce(jsonb_agg(jsonb_build_array(p.state, p.refunded_micros::text) order by p.created_at), '[]')
                       from payment_attempt p where p.wallet_id = any ($1::bigint[])),
        'holders', (select jsonb_agg((select jsonb_build_array(array_position($1::bigint[], h.wallet_id) - 1, h.state, extract(epoch from h.paid_until)::bigint::text)
                                        from number_holding h where h.number = n.number and h.held_to is null) order by n.n)
                      from unnest($2::text[]) with ordinality n(number, n))) as standing`,
      values: [this.accounts.map(({ wallet_id }) => wallet_id.toString()), this.numbers],
    });
    return rows[0]?.standing;
  }
}

/** How it has to stand. */
export const expected = (model: NumberModel): unknown => ({
  balances: model.money.balances.map(String),
  owed: model.money.owed.map(String),
  payments: model.money.payments.map(({ state, refunded }) => [state, refunded.toString()]),
  holders: Array.from({ length: NUMBERS }, (_, index) => {
    const one = model.open(index);
    return one && [one.account, one.state, (one.paid_until.getTime() / 1000).toString()];
  }),
});
