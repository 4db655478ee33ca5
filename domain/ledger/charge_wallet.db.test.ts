import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase } from '../../deploy/testing/database.ts';
import type { FreshDatabase } from '../../deploy/testing/database.ts';
import { makeCustomer } from '../../deploy/world/people.ts';
import { walletOf } from '../../deploy/world/verdict.ts';
import { inTransaction } from '../db/transaction.ts';
import { chargeWallet } from './charge_wallet.ts';
import { giveBack } from './give_back.ts';
import { brokenInvariants } from './invariants.ts';

let database: FreshDatabase;
let pool: pg.Pool;
let numbers = 0;

beforeAll(async () => {
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 4 });
});

afterAll(async () => {
  expect(await brokenInvariants(pool)).toEqual([]);
  await pool.end();
  await database.drop();
});

async function wallet(balance_micros: bigint): Promise<bigint> {
  numbers += 1;
  const { wallet_id } = await makeCustomer(pool, { balance_micros, number: `+4930${100_000 + numbers}` });
  return wallet_id;
}

/** As a promotion would: credit that ends in an hour, or has ended. */
async function grantPromo(wallet_id: bigint, amount_micros: bigint, expires_at: Date): Promise<void> {
  await pool.query(
    `with made as (insert into ledger_account (kind, currency, wallet_id) values ('wallet_promo', 'EUR', $1) returning id)
     insert into promo_credit (ledger_account_id, wallet_id, expires_at) select id, $1, $2 from made`,
    [wallet_id.toString(), expires_at],
  );
  await pool.query(
    `select post_transaction('promo', $1, '{}', array[max(p.ledger_account_id), ledger_account_id('promo_cost', 'EUR', null, null)],
            array[$3::bigint, -$3::bigint]) from promo_credit p where p.wallet_id = $2`,
    [randomUUID(), wallet_id.toString(), amount_micros.toString()],
  );
}

const charge = (wallet_id: bigint, ref: string, net_micros: bigint, tax_micros = 0n) =>
  inTransaction(pool, (tx) =>
    chargeWallet(tx, {
      ...{ kind: 'purchase', ref, wallet_id, net_micros, tax_micros, now: new Date() },
      ...{ content: { what: 'a number' }, policy_version: 'of a test' },
    }),
  );

const back = (charge_ref: string, net_micros: bigint, tax_micros = 0n, ref = randomUUID()) =>
  inTransaction(pool, (tx) =>
    giveBack(tx, { ref, charge_kind: 'purchase', charge_ref, net_micros, tax_micros, content: { why: 'a test' } }),
  );

describe('a charge', () => {
  it('takes net and tax, once for its ref', async () => {
    const wallet_id = await wallet(10_000n);
    const ref = randomUUID();
    expect(await charge(wallet_id, ref, 5_000n, 950n)).toBe('posted');
    expect(await charge(wallet_id, ref, 5_000n, 950n)).toBe('replay');
    expect(await charge(wallet_id, ref, 5_001n, 950n)).toBe('conflict');
    expect((await walletOf(pool, wallet_id)).balance_micros).toBe(4_050n);
  });

  it('takes nothing where there is less than all of it', async () => {
    const wallet_id = await wallet(10_000n);
    expect(await charge(wallet_id, randomUUID(), 10_000n, 1n)).toBe('no_money');
    expect(await charge(wallet_id, randomUUID(), 10_000n)).toBe('posted');
    expect((await walletOf(pool, wallet_id)).balance_micros).toBe(0n);
  });

  it('is not paid by promo credit that has expired', async () => {
    const wallet_id = await wallet(1_000n);
    await grantPromo(wallet_id, 5_000n, new Date(Date.now() - 1_000));
    expect(await charge(wallet_id, randomUUID(), 1_001n)).toBe('no_money');
    expect(await charge(wallet_id, randomUUID(), 1_000n)).toBe('posted');
  });
});

describe('what is given back', () => {
  it('is what was paid and no more, however often it is asked for', async () => {
    const wallet_id = await wallet(10_000n);
    const ref = randomUUID();
    await charge(wallet_id, ref, 5_000n, 950n);
    const first = randomUUID();
    expect(await back(ref, 3_000n, 570n, first)).toBe('posted');
    expect(await back(ref, 3_000n, 570n, first)).toBe('replay');
    expect(await back(ref, 2_001n, 380n)).toBe('too_much');
    expect(await back(ref, 2_000n, 381n)).toBe('too_much');
    expect(await back(ref, 2_000n, 380n)).toBe('posted');
    expect(await back(randomUUID(), 1n)).toBe('no_charge');
    expect((await walletOf(pool, wallet_id)).balance_micros).toBe(10_000n);
  });

  it('goes to the buckets that paid: cash first, and as much promo credit as was spent', async () => {
    const wallet_id = await wallet(10_000n);
    await grantPromo(wallet_id, 4_000n, new Date(Date.now() + 3_600_000));
    const ref = randomUUID();
    await charge(wallet_id, ref, 6_000n);
    const promo = async () => {
      const { rows } = await pool.query<{ promo_micros: string }>('select promo_micros from wallet where id = $1', [
        wallet_id.toString(),
      ]);
      return rows[0]?.promo_micros;
    };
    expect(await promo()).toBe('0');
    await back(ref, 2_000n);
    expect(await promo()).toBe('0');
    await back(ref, 1_000n);
    expect(await promo()).toBe('1000');
    await back(ref, 3_000n);
    expect(await promo()).toBe('4000');
  });

  it('holds over any sequence, with two at the same moment', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.bigInt(0n, 5_000n),
        fc.array(fc.tuple(fc.bigInt(0n, 3_000n), fc.bigInt(0n, 3_000n)), { maxLength: 4 }),
        async (paid, wishes) => {
          const wallet_id = await wallet(10_000n);
          const ref = randomUUID();
          await charge(wallet_id, ref, paid);
          let given = 0n;
          for (const pair of wishes) {
            const verdicts = await Promise.all(pair.map((net) => back(ref, net)));
            verdicts.forEach((verdict, n) => {
              if (verdict === 'posted') given += pair[n] ?? 0n;
            });
          }
          expect(given <= paid).toBe(true);
          expect((await walletOf(pool, wallet_id)).balance_micros).toBe(10_000n - paid + given);
        },
      ),
      { numRuns: 60 },
    );
  });
});
