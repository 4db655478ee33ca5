import type { Micros } from '../../../domain/money/micros.ts';
import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import type { ConvertedFrom } from '../offers/wallet_price.ts';
import type { HoldingState } from './holding_state.ts';
import type { PaidPeriod } from './period.ts';

/** A month's price, as it was before it was converted. */
export type MonthlyConvertedFrom = Omit<ConvertedFrom, 'list_setup_micros'>;

export type EndReason = 'cancelled' | 'unpaid' | 'transferred' | 'ported_out' | 'forced';

/** A number with its holder, for as long as he has it. */
export interface Holding {
  id: string;
  number: string;
  account_id: string;
  wallet_id: bigint;
  state: HoldingState;
  state_since: Date;
  held_from: Date;
  held_to: Date | null;
  currency: string;
  monthly_micros: Micros;
  /** Null where the price list was of the wallet's own currency. */
  converted: MonthlyConvertedFrom | null;
  anchor_day: number;
  paid_until: Date;
  /** How many periods were paid. */
  periods: number;
  version: number;
}

type HoldingRow = Omit<Holding, 'wallet_id' | 'monthly_micros' | 'converted'> & {
  wallet_id: string;
  monthly_micros: string;
} & { [K in keyof MonthlyConvertedFrom]: string | null };

const columns = `h.id, h.number, h.account_id, h.wallet_id, h.state, h.state_since, h.held_from, h.held_to, h.currency, h.monthly_micros,
  h.anchor_day, h.paid_until, h.periods, h.version, h.list_currency, h.list_monthly_micros, h.fx_numerator, h.fx_denominator,
  to_char(h.fx_on_date, 'YYYY-MM-DD') as fx_on_date`;

const holdingOf = ({
  list_currency,
  list_monthly_micros,
  fx_numerator,
  fx_denominator,
  fx_on_date,
  ...row
}: HoldingRow): Holding => ({
  ...row,
  converted:
    list_currency === null || fx_on_date === null
      ? null
      : {
          ...{ list_currency, fx_on_date },
          list_monthly_micros: BigInt(list_monthly_micros ?? 0),
          fx_numerator: BigInt(fx_numerator ?? 0),
          fx_denominator: BigInt(fx_denominator ?? 0),
        },
  wallet_id: BigInt(row.wallet_id),
  monthly_micros: BigInt(row.monthly_micros),
});

/** Who holds a number now. */
export async function openHolding(db: Queryable, number: string): Promise<Holding | null> {
  const { rows } = await db.query<HoldingRow>(
    `select ${columns} from number_holding h where h.number = $1 and h.held_to is null`,
    [number],
  );
  return rows[0] === undefined ? null : holdingOf(rows[0]);
}

/** The account's holding of a number; null where it holds it not, or not any more. */
export async function ownHolding(db: Queryable, number: string, account_id: string): Promise<Holding | null> {
  const holding = await openHolding(db, number);
  return holding?.account_id === account_id ? holding : null;
}

/** One that something refers to, so it is there. */
export async function selectHolding(db: Queryable, id: string): Promise<Holding> {
  const { rows } = await db.query<HoldingRow>(`select ${columns} from number_holding h where h.id = $1`, [id]);
  if (rows[0] === undefined) throw new Error(`The holding ${id} is gone.`);
  return holdingOf(rows[0]);
}

/** The account's holding of a number, or the last that it had; null where it never held it. */
export async function lastHolding(db: Queryable, number: string, account_id: string): Promise<Holding | null> {
  const { rows } = await db.query<HoldingRow>(
    `select ${columns} from number_holding h where h.number = $1 and h.account_id = $2 order by h.held_from desc limit 1`,
    [number, account_id],
  );
  return rows[0] === undefined ? null : holdingOf(rows[0]);
}

export async function heldBy(
  db: Queryable,
  account_id: string,
  after: string | null,
  rows_max: number,
): Promise<Holding[]> {
  const { rows } = await db.query<HoldingRow>({
    name: 'held_by',
    text: `select ${columns} from number_holding h
            where h.account_id = $1 and h.held_to is null and ($2::text is null or h.number > $2) order by h.number limit $3`,
    values: [account_id, after, rows_max],
  });
  return rows.map(holdingOf);
}

/** Everybody who ever held a number, the first first. */
export async function holdersOf(
  db: Queryable,
  number: string,
): Promise<(Holding & { blocked_until: string | null; end_reason: EndReason | null })[]> {
  const { rows } = await db.query<HoldingRow & { blocked_until: string | null; end_reason: EndReason | null }>(
    `select ${columns}, to_char(h.blocked_until at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as blocked_until, h.end_reason
       from number_holding h where h.number = $1 order by h.held_from, h.id`,
    [number],
  );
  return rows.map(({ blocked_until, end_reason, ...row }) => ({ ...holdingOf(row), blocked_until, end_reason }));
}

/** Numbers whose holding has something due: a notice, a payment, an end. */
export async function dueNumbers(db: Queryable, before: Date): Promise<string[]> {
  const { rows } = await db.query<{ number: string }>(
    'select number from number_holding where held_to is null and paid_until <= $1 order by paid_until',
    [before],
  );
  return rows.map(({ number }) => number);
}

export async function insertHolding(tx: Transaction, holding: Holding, order_id: string | null): Promise<void> {
  const from = holding.converted;
  await tx.query(
    `insert into number_holding (id, number, account_id, wallet_id, order_id, state, state_since, held_from, currency, monthly_micros,
                                 anchor_day, paid_until, periods, list_currency, list_monthly_micros, fx_numerator, fx_denominator,
                                 fx_on_date)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
    [
      ...[holding.id, holding.number, holding.account_id, holding.wallet_id.toString(), order_id, holding.state],
      ...[holding.state_since, holding.held_from, holding.currency, holding.monthly_micros.toString()],
      ...[holding.anchor_day, holding.paid_until, holding.periods, from?.list_currency ?? null],
      ...[from?.list_monthly_micros.toString() ?? null, from?.fx_numerator.toString() ?? null],
      ...[from?.fx_denominator.toString() ?? null, from?.fx_on_date ?? null],
    ],
  );
}

export async function moveHolding(tx: Transaction, { id }: Holding, state: HoldingState, now: Date): Promise<void> {
  await tx.query(
    'update number_holding set state = $2, state_since = $3, version = version + 1 where id = $1 and held_to is null',
    [id, state, now],
  );
}

export interface ChargedPeriod extends PaidPeriod {
  period_no: number;
  charge_kind: 'purchase' | 'renewal';
  charge_ref: string;
}

export async function insertPeriod(tx: Transaction, holding_id: string, period: ChargedPeriod): Promise<void> {
  await tx.query(
    `insert into number_period (holding_id, period_no, starts_at, ends_at, net_micros, tax_micros, charge_kind, charge_ref)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      ...[holding_id, period.period_no, period.starts_at, period.ends_at, period.net_micros.toString()],
      ...[period.tax_micros.toString(), period.charge_kind, period.charge_ref],
    ],
  );
}

/** The period that was paid last; null where the holder has paid none yet. */
export async function lastPeriod(db: Queryable, holding_id: string): Promise<ChargedPeriod | null> {
  const { rows } = await db.query<
    Omit<ChargedPeriod, 'net_micros' | 'tax_micros'> & { net_micros: string; tax_micros: string }
  >(
    `select period_no, starts_at, ends_at, net_micros, tax_micros, charge_kind, charge_ref from number_period
      where holding_id = $1 order by period_no desc limit 1`,
    [holding_id],
  );
  const row = rows[0];
  return row === undefined ? null : { ...row, net_micros: BigInt(row.net_micros), tax_micros: BigInt(row.tax_micros) };
}
