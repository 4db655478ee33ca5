import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { databaseLogin } from '../../deploy/parts/database_login.ts';
import { freshDatabase } from '../../deploy/testing/database.ts';
import type { FreshDatabase } from '../../deploy/testing/database.ts';
import { generousLimits, topUpNow } from '../../deploy/world/people.ts';
import { openAccount } from '../../domain/accounts/open_account.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import { brokenInvariants } from '../../domain/ledger/invariants.ts';
import { cancelNumber, undoCancellation } from './holdings/cancel_number.ts';
import { openHolding } from './holdings/holding_rows.ts';
import { freeNumbers, renewNumber } from './holdings/renew.ts';
import { acceptTransfer, offerTransfer, withdrawTransfer } from './moving/transfer.ts';
import { driveOrder } from './orders/drive_order.ts';
import { placeOrder } from './orders/place_order.ts';
import type { NumberProvider } from './provider/number_provider.ts';
import { stockProvider } from './provider/stock_provider.ts';
import * as Model from './testing/number_model.ts';
import type { Step } from './testing/number_model.ts';
import { putInStock } from './testing/stock.ts';

let database: FreshDatabase;
let owner: pg.Pool;
/** As the role that the portal runs by. */
let pool: pg.Pool;

beforeAll(async () => {
  database = await freshDatabase();
  owner = new pg.Pool({ connectionString: database.url, max: 4 });
  const login = { database_url: database.url, group: 'letsdial_portal', password: 'portal' } as const;
  pool = new pg.Pool({ connectionString: await databaseLogin(login), max: 6 });
});

afterAll(async () => {
  await Promise.all([pool.end(), owner.end()]);
  await database.drop();
});

const refusing: NumberProvider = {
  ...stockProvider,
  provision: () => Promise.resolve({ state: 'refused', reason: 'a test refuses it' }),
};
/** Nothing is asked of anybody here. */
const ports = { missingDocuments: () => Promise.resolve([]), termsAccepted: () => Promise.resolve(true) };

interface Account {
  account_id: string;
  wallet_id: bigint;
}

async function makeAccount(): Promise<Account> {
  const account_id = randomUUID();
  const { wallet_id } = await inTransaction(owner, (tx) =>
    openAccount(tx, {
      ...{ account_id, name: 'Ada Example', home_country: 'DE', time_zone: 'UTC', tax_ppm: Model.TAX_PPM },
      ...{ sell_deck: 'retail', currency: 'EUR', limits: generousLimits },
    }),
  );
  await topUpNow(owner, wallet_id, Model.OPENING_MICROS);
  return { account_id, wallet_id };
}

let played = 0;

/** One history on the real tables. */
class Played {
  now = Model.BEGINNING;
  readonly accounts: Account[];
  readonly numbers: string[];

  private constructor(accounts: Account[], numbers: string[]) {
    this.accounts = accounts;
    this.numbers = numbers;
  }

  static async begin(): Promise<Played> {
    played += 1;
    const numbers = Array.from({ length: Model.NUMBERS }, (_, n) => `+4960${String(played * 10 + n).padStart(7, '0')}`);
    const prices = { setup_micros: Model.SETUP_MICROS, monthly_micros: Model.MONTHLY_MICROS };
    await putInStock(owner, numbers, prices);
    return new Played(await Promise.all(Array.from({ length: Model.ACCOUNTS }, () => makeAccount())), numbers);
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
    const { now } = this;
    switch (step.kind) {
      case 'buy':
        return this.#buy(this.account(step.account).account_id, this.number(step.number), step.works);
      case 'cancel':
        return this.#cancel(this.number(step.number), step.at_once);
      case 'undo': {
        const holding = await openHolding(pool, this.number(step.number));
        if (holding !== null) await inTransaction(pool, (tx) => undoCancellation(tx, { ...holding, now }));
        return;
      }
      case 'transfer':
        return this.#transfer(this.number(step.number), this.account(step.to).account_id);
      case 'top_up':
        return topUpNow(owner, this.account(step.account).wallet_id, Model.TOP_UP_MICROS);
      case 'wait':
        this.now = new Date(now.getTime() + step.hours * 3_600_000);
        return;
      case 'renew':
        for (const number of this.numbers) await inTransaction(pool, (tx) => renewNumber(tx, number, now));
    }
  }

  async #buy(account_id: string, number: string, works: boolean): Promise<void> {
    const { now } = this;
    await freeNumbers(pool, now);
    const wish = { order_id: randomUUID(), account_id, number, wait_for_kyc: false, now };
    await inTransaction(pool, (tx) => placeOrder(tx, wish, ports));
    const providers = new Map([['stock', works ? stockProvider : refusing]]);
    await driveOrder({ pool, providers, now: () => now }, wish.order_id);
  }

  async #cancel(number: string, at_once: boolean): Promise<void> {
    const holding = await openHolding(pool, number);
    if (holding === null) return;
    const wish = { cancellation_id: randomUUID(), number, account_id: holding.account_id, at_once };
    await inTransaction(pool, (tx) => cancelNumber(tx, { ...wish, refund_micros_seen: null, now: this.now }));
  }

  async #transfer(number: string, to: string): Promise<void> {
    const { now } = this;
    const holding = await openHolding(pool, number);
    if (holding === null) return;
    const whose = { number, account_id: holding.account_id, now };
    const offered = await inTransaction(pool, (tx) => offerTransfer(tx, { ...whose, transfer_id: randomUUID() }));
    if (offered.kind !== 'offered') return;
    const acceptance = { holding_id: randomUUID(), code: offered.code, account_id: to, now };
    await inTransaction(pool, (tx) => acceptTransfer(tx, acceptance, ports));
    await inTransaction(pool, (tx) => withdrawTransfer(tx, whose));
  }

  /** Who holds what, how it stands, and what everybody has. */
  async standing(): Promise<unknown> {
    const holders = await Promise.all(this.numbers.map((number) => openHolding(owner, number)));
    const { rows } = await owner.query<{ id: string; balance_micros: string }>(
      'select id, balance_micros from wallet where id = any ($1::bigint[])',
      [this.accounts.map(({ wallet_id }) => wallet_id.toString())],
    );
    return {
      balances: this.accounts.map(
        ({ wallet_id }) => rows.find(({ id }) => id === wallet_id.toString())?.balance_micros,
      ),
      holders: holders.map(
        (one) => one && [this.accounts.findIndex((a) => a.account_id === one.account_id), one.state, one.paid_until],
      ),
    };
  }
}

const expected = (model: Model.NumberModel): unknown => ({
  balances: model.balances.map(String),
  holders: Array.from({ length: Model.NUMBERS }, (_, index) => {
    const one = model.open(index);
    return one && [one.account, one.state, one.paid_until];
  }),
});

async function play(history: readonly Step[]): Promise<void> {
  const [real, model] = [await Played.begin(), new Model.NumberModel(Model.BEGINNING)];
  for (const step of history) {
    await real.take(step);
    model.take(step);
    if (step.kind !== 'wait')
      expect({ step, ...((await real.standing()) as object) }).toEqual({ step, ...(expected(model) as object) });
  }
}

it('three hundred histories go as the model has them, to the micro', async () => {
  const histories = fc.sample(Model.steps, { numRuns: 150, seed: 21 });
  const players = Array.from({ length: 4 }, async () => {
    for (let history = histories.pop(); history !== undefined; history = histories.pop()) await play(history);
  });
  await Promise.all(players);
  expect(await brokenInvariants(owner)).toEqual([]);
}, 120_000);

it('and then no number had two holders at one moment, and no refund was above what was paid', async () => {
  const overlaps = await owner.query(
    `select a.number from number_holding a join number_holding b on a.number = b.number and a.id < b.id
      where tstzrange(a.held_from, a.blocked_until) && tstzrange(b.held_from, b.blocked_until)`,
  );
  expect(overlaps.rows).toEqual([]);
  const { rows } = await owner.query<{ charges: number; refunds: number; too_much: number }>(
    `select count(*)::integer as charges, count(g.net)::integer as refunds,
            (count(*) filter (where g.net > (c.content ->> 'net_micros')::bigint or g.tax > (c.content ->> 'tax_micros')::bigint))::integer as too_much
       from ledger_tx c
       left join (select content ->> 'charge_ref' as ref, content ->> 'charge_kind' as kind, sum((content ->> 'net_micros')::bigint) as net,
                         sum((content ->> 'tax_micros')::bigint) as tax from ledger_tx where kind = 'credit_note' group by 1, 2) g
         on g.ref = c.ref::text and g.kind = c.kind
      where c.kind in ('purchase', 'renewal')`,
  );
  expect(rows[0]?.too_much).toBe(0);
  expect(rows[0]?.charges).toBeGreaterThan(150);
  expect(rows[0]?.refunds).toBeGreaterThan(100);
});
