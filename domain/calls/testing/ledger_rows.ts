import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { inTransaction } from '../../db/transaction.ts';
import type { Transaction } from '../../db/transaction.ts';
import { ledgerAccount, post } from '../../ledger/post.ts';
import type { SettleItem } from '../hold.ts';
import { LEGS } from './history.ts';
import { heldOf } from './ledger_model.ts';
import type { LedgerModel } from './ledger_model.ts';

/** What a history plays with: an account with two wallets and a pack in each, and the legs of its calls. */
export interface Stage {
  switch_id: string;
  wallet_ids: readonly [bigint, bigint];
  pack_ids: readonly [bigint, bigint];
  leg_ids: readonly string[];
}

export interface StagePlan {
  credit_limit_micros: bigint;
  pack_seconds: number;
  pack_expires_at: Date;
}

/** The stage has one wallet in each. */
export const CURRENCIES = ['EUR', 'USD'] as const;

export async function setStage(pool: pg.Pool, plan: StagePlan): Promise<Stage> {
  const { rows } = await pool.query<{ id: string; pack: string }>(
    `with a as (insert into account (id, name, home_country) values ($1, 'history', 'DE') returning id),
          w as (insert into wallet (account_id, currency, credit_limit_micros)
                select a.id, c, $2 from a, unnest(array['EUR', 'USD']) c returning id, currency),
          p as (insert into minute_pack (wallet_id, name, prefixes, seconds_left, expires_at)
                select w.id, 'pack', '{}', $3, $4 from w returning id, wallet_id)
     select w.id, p.id as pack from w join p on p.wallet_id = w.id order by w.currency`,
    [randomUUID(), plan.credit_limit_micros.toString(), plan.pack_seconds, plan.pack_expires_at],
  );
  const [euro, dollar] = rows;
  if (euro === undefined || dollar === undefined) throw new Error('the stage was not set');
  return {
    switch_id: `switch-${randomUUID()}`,
    wallet_ids: [BigInt(euro.id), BigInt(dollar.id)],
    pack_ids: [BigInt(euro.pack), BigInt(dollar.pack)],
    leg_ids: Array.from({ length: LEGS }, () => randomUUID()),
  };
}

export interface NewPromo {
  wallet_id: bigint;
  currency: (typeof CURRENCIES)[number];
  micros: bigint;
  spend_order: number;
  expires_at: Date;
}

/** Gives promo credit: a bucket of its own, paid for by the operator. */
export function givePromo(pool: pg.Pool, promo: NewPromo): Promise<void> {
  return inTransaction(pool, async (tx) => {
    const cost = await ledgerAccount(tx, 'promo_cost', promo.currency, null);
    const bucket = await promoBucket(tx, promo);
    await post(tx, 'promo', randomUUID(), {}, [
      { account_id: bucket, amount_micros: promo.micros },
      { account_id: cost, amount_micros: -promo.micros },
    ]);
  });
}

async function promoBucket(tx: Transaction, promo: NewPromo): Promise<bigint> {
  const { rows } = await tx.query<{ id: string }>(
    `with locked as (select id from wallet where id = $1 for no key update),
          a as (insert into ledger_account (kind, currency, wallet_id)
                select 'wallet_promo', $2, id from locked returning id)
     insert into promo_credit (ledger_account_id, wallet_id, spend_order, expires_at)
     select a.id, $1, $3, $4 from a returning ledger_account_id as id`,
    [promo.wallet_id.toString(), promo.currency, promo.spend_order, promo.expires_at],
  );
  return BigInt(rows[0]?.id ?? 0);
}

/** What stands in the tables about two wallets, and what should: alike in form, so that they can be compared as text. */
export interface Standing {
  wallets: readonly string[];
  promos: readonly string[];
  packs: readonly string[];
  holds: readonly string[];
  records: readonly string[];
  /** Of each leg what was booked on each kind of account, the wallet's cash and promo credit as one. */
  booked: readonly string[];
}

/** @param hour_ms and @param day the window in which spending is looked at. */
export async function standingInTables(pool: pg.Pool, stage: Stage, hour_ms: number, day: string): Promise<Standing> {
  const { rows } = await pool.query<{ standing: Standing }>({
    name: 'standing',
    text: `select jsonb_build_object(
      'wallets', (select jsonb_agg(format('%s balance %s held %s calls %s hour %s day %s', w.id, w.balance_micros, w.held_micros,
                    w.open_calls, case when w.spend_hour = $2 then w.spend_hour_micros else 0 end,
                    case when w.spend_day = $3 then w.spend_day_micros else 0 end) order by w.id)
                    from wallet w where w.id = any($1)),
      'promos', (select coalesce(jsonb_agg(format('%s left %s', p.wallet_id, p.balance_micros) order by p.ledger_account_id), '[]')
                    from promo_credit p where p.wallet_id = any($1)),
      'packs', (select jsonb_agg(format('%s left %s held %s', p.id, p.seconds_left, p.seconds_held) order by p.id)
                    from minute_pack p where p.wallet_id = any($1)),
      'holds', (select coalesce(jsonb_agg(format('%s %s micros %s pack %s grants %s seconds %s until %s answered by %s', h.leg_id, h.state,
                    h.held_micros, h.pack_seconds_held, h.grant_no, h.seconds_granted,
                    (extract(epoch from h.deadline_at) * 1000)::bigint, coalesce(h.answered_attempt, 0)) order by h.leg_id), '[]')
                    from call_hold h where h.leg_id = any($4)),
      'records', (select coalesce(jsonb_agg(case when c.wallet_id is null then format('%s unheld', c.leg_id) else format('%s net %s tax %s loss %s pack %s grants %s', c.leg_id, c.net_micros, c.tax_micros,
                    c.operator_loss_micros, c.pack_seconds,
                    (select sum((g ->> 'micros')::bigint) from jsonb_array_elements(c.grants) g)) end order by c.leg_id), '[]')
                    from cdr c where c.leg_id = any($4)),
      'booked', (select coalesce(jsonb_agg(format('%s %s %s', b.ref, b.kind, b.micros) order by b.ref, b.kind), '[]') from (
                    select t.ref, replace(replace(a.kind, '_cash', ''), '_promo', '') as kind,
                           sum(p.amount_micros) as micros
                      from ledger_tx t join posting p on p.tx_id = t.id join ledger_account a on a.id = p.account_id
                     where t.kind = 'call' and t.ref = any($4) group by 1, 2) b)) as standing`,
    values: [stage.wallet_ids.map(String), new Date(hour_ms), day, stage.leg_ids],
  });
  const standing = rows[0]?.standing;
  if (standing === undefined) throw new Error('nothing stands in the tables');
  return standing;
}

export function standingInModel(model: LedgerModel, hour_ms: number, day: string): Standing {
  const holds = [...model.holds.values()].sort((a, b) => (a.leg_id < b.leg_id ? -1 : 1));
  return {
    wallets: [...model.wallets.keys()].map((id) => {
      const spent = model.spent(id, hour_ms, day);
      const money = `balance ${model.balanceMicros(id)} held ${model.heldMicros(id)}`;
      return `${id} ${money} calls ${model.openCalls(id)} hour ${spent.hour} day ${spent.day}`;
    }),
    promos: model.promos_given.map(({ wallet_id, promo }) => `${wallet_id} left ${promo.left_micros}`),
    packs: [...model.packs].map(([id, pack]) => `${id} left ${pack.seconds_left} held ${model.packSecondsHeld(id)}`),
    holds: holds.map((hold) => {
      const { micros, pack_seconds, seconds } = heldOf(hold);
      const state = hold.open ? 'o' : 's';
      const held = `micros ${micros} pack ${pack_seconds} grants ${hold.grants.length} seconds ${seconds}`;
      return `${hold.leg_id} ${state} ${held} until ${hold.deadline_at_ms} answered by ${hold.answered_attempt ?? 0}`;
    }),
    records: recordsInModel(model),
    booked: [...model.settled.values()].flatMap(bookedFor).sort(),
  };
}

/** What one settlement moves, and nothing where it moves nothing. */
function bookedFor({ leg_id, net_micros, tax_micros, loss_micros, cdr }: SettleItem): string[] {
  const moved = {
    wallet: -net_micros - tax_micros,
    revenue: net_micros + loss_micros,
    tax_payable: tax_micros,
    operator_loss: -loss_micros,
    carrier_cost: -cdr.cost_micros,
    carrier_payable: cdr.cost_micros,
  };
  return Object.entries(moved).flatMap(([kind, micros]) => (micros === 0n ? [] : [`${leg_id} ${kind} ${micros}`]));
}

function recordsInModel(model: LedgerModel): string[] {
  const settled = [...model.settled.values()].map((item) => {
    const hold = model.holds.get(item.leg_id);
    const granted = hold === undefined ? 0n : heldOf(hold).micros;
    const money = `net ${item.net_micros} tax ${item.tax_micros} loss ${item.loss_micros}`;
    return `${item.leg_id} ${money} pack ${item.pack_seconds} grants ${granted}`;
  });
  return [...settled, ...[...model.unheld].map((leg_id) => `${leg_id} unheld`)].sort();
}
