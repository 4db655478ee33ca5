import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { inTransaction } from '../../db/transaction.ts';
import { topUp } from '../../ledger/top_up.ts';
import { answerCalls, authorizeCalls, recordUnheldCalls, renewCalls, settleCalls } from '../hold.ts';
import type { AuthorizeItem, CallRecord, HoldAnswer, RenewItem, SettleItem, SpendWindow } from '../hold.ts';
import { takeLease } from '../../lease/lease.ts';
import type { AuthorizeChoice, Choice, History, RenewChoice, SettleChoice } from './history.ts';
import { heldOf, LedgerModel } from './ledger_model.ts';
import { CURRENCIES, givePromo, setStage, standingInModel, standingInTables } from './ledger_rows.ts';
import type { Stage, Standing } from './ledger_rows.ts';

const HOUR_MS = 3_600_000;
const BEGIN_MS = Date.UTC(2026, 0, 15, 21, 30);

/** What was answered to one step, and what stood afterwards: by the tables and by the model. */
export interface Outcome<T> {
  tables: T;
  model: T;
}

/** Plays one history to the tables and to the model at once. */
export class Player {
  readonly model = new LedgerModel();
  readonly #pool: pg.Pool;
  readonly #stage: Stage;
  readonly #history: History;
  readonly #payments = Array.from({ length: 4 }, () => randomUUID());
  #now_ms = BEGIN_MS;

  private constructor(pool: pg.Pool, stage: Stage, history: History) {
    this.#pool = pool;
    this.#stage = stage;
    this.#history = history;
  }

  static async begin(pool: pg.Pool, history: History): Promise<Player> {
    const { credit_limit_micros, pack_seconds, pack_minutes } = history;
    const expires_at_ms = BEGIN_MS + pack_minutes * 60_000;
    const stage = await setStage(pool, { credit_limit_micros, pack_seconds, pack_expires_at: new Date(expires_at_ms) });
    const player = new Player(pool, stage, history);
    for (const n of [0, 1] as const) {
      const wallet_id = stage.wallet_ids[n];
      player.model.wallets.set(wallet_id, {
        cash_micros: 0n,
        cash_spend_order: 100,
        credit_limit_micros,
        promos: [],
        charges: [],
      });
      player.model.packs.set(stage.pack_ids[n], { wallet_id, seconds_left: pack_seconds, expires_at_ms });
      if (history.first_top_up > 0n) await player.#topUp(randomUUID(), wallet_id, history.first_top_up);
    }
    await player.play({ kind: 'takeover' });
    return player;
  }

  async play(choice: Choice): Promise<Outcome<unknown>> {
    switch (choice.kind) {
      case 'authorize': {
        const items = choice.items.map((one) => this.#authorizeItem(one));
        const tables = await authorizeCalls(this.#pool, this.#lease(choice.stale), items);
        return { tables: tables.map(heard), model: this.model.authorize(this.#epoch(choice.stale), items).map(heard) };
      }
      case 'renew': {
        const items = choice.items.map((one) => this.#renewItem(one));
        const tables = await renewCalls(this.#pool, this.#lease(choice.stale), items);
        return { tables: tables.map(heard), model: this.model.renew(this.#epoch(choice.stale), items).map(heard) };
      }
      case 'answer': {
        const times = { answered_at: new Date(this.#now_ms), deadline_at: new Date(this.#now_ms + 5000) };
        const items = choice.legs.map((leg) => ({
          leg_id: this.#stage.leg_ids[leg] ?? '',
          attempt: 1 + (leg % 3),
          ...times,
        }));
        const tables = await answerCalls(this.#pool, this.#lease(choice.stale), items);
        return { tables: tables.map(heard), model: this.model.noteAnswer(this.#epoch(choice.stale), items).map(heard) };
      }
      case 'settle': {
        const items = choice.items.map((one) => this.#settleItem(one));
        const tables = await settleCalls(this.#pool, this.#lease(choice.stale), items);
        return { tables: tables.map(heard), model: this.model.settle(this.#epoch(choice.stale), items).map(heard) };
      }
      default:
        return this.#playOther(choice);
    }
  }

  async standing(): Promise<Outcome<Standing>> {
    const { spend_hour, spend_day } = this.#window(0);
    return {
      tables: await standingInTables(this.#pool, this.#stage, spend_hour.getTime(), spend_day),
      model: standingInModel(this.model, spend_hour.getTime(), spend_day),
    };
  }

  /** Ends every call that is still open, so that the history leaves nothing half done. */
  async end(): Promise<void> {
    const legs = this.model.openHolds().map((hold) => this.#stage.leg_ids.indexOf(hold.leg_id));
    const whole = { percent: 100, taxed: true, loss_micros: 0n, pack_percent: 100, cost_micros: 0n, hours_ago: 0 };
    if (legs.length > 0)
      await this.play({ kind: 'settle', stale: false, items: legs.map((leg) => ({ leg, among: 'all', ...whole })) });
  }

  async #playOther(
    choice: Exclude<Choice, { kind: 'authorize' | 'renew' | 'answer' | 'settle' }>,
  ): Promise<Outcome<unknown>> {
    switch (choice.kind) {
      case 'top_up':
        return this.#topUp(this.#payments[choice.payment] ?? '', this.#stage.wallet_ids[choice.wallet], choice.micros);
      case 'promo': {
        const { micros, spend_order } = choice;
        const wallet_id = this.#stage.wallet_ids[choice.wallet];
        // No two credits of one order end at one moment, so that it is plain which is spent first.
        const expires_at_ms = this.#now_ms + choice.minutes * 60_000 + this.model.promos_given.length;
        const expires_at = new Date(expires_at_ms);
        await givePromo(this.#pool, {
          wallet_id,
          currency: CURRENCIES[choice.wallet],
          micros,
          spend_order,
          expires_at,
        });
        this.model.addPromo(wallet_id, { left_micros: micros, spend_order, expires_at_ms });
        return { tables: null, model: null };
      }
      case 'unheld': {
        const leg_id = this.#stage.leg_ids[choice.leg] ?? '';
        const record = { ...this.#record(0n), result: 'refused' as const, refusal: 'outage', duration_ms: 0 };
        const identity = { leg_id, call_id: leg_id, account_id: null, snapshot: {} };
        const tables = await recordUnheldCalls(this.#pool, this.#lease(false), [{ ...record, ...identity }]);
        return { tables: tables.map(heard), model: [heard(this.model.recordUnheld(leg_id))] };
      }
      case 'takeover': {
        const { epoch } = await takeLease(this.#pool, this.#stage.switch_id, randomUUID(), new Date(this.#now_ms));
        return { tables: epoch, model: this.model.takeLease() };
      }
      case 'wait':
        this.#now_ms += choice.minutes * 60_000;
        return { tables: null, model: null };
    }
  }

  async #topUp(payment_id: string, wallet_id: bigint, amount_micros: bigint): Promise<Outcome<string>> {
    const tables = await inTransaction(this.#pool, (tx) =>
      topUp(tx, { payment_id, wallet_id, amount_micros, reason: 'test' }),
    );
    return { tables, model: this.model.topUp(payment_id, wallet_id, amount_micros) };
  }

  #epoch(stale: boolean): number {
    return stale ? this.model.epoch - 1 : this.model.epoch;
  }

  #lease(stale: boolean): { switch_id: string; epoch: number } {
    return { switch_id: this.#stage.switch_id, epoch: this.#epoch(stale) };
  }

  #window(hours_ago: number): SpendWindow {
    const at_ms = this.#now_ms - hours_ago * HOUR_MS;
    return {
      spend_hour: new Date(Math.floor(at_ms / HOUR_MS) * HOUR_MS),
      spend_hour_max: this.#history.hour_max,
      spend_day: new Date(at_ms).toISOString().slice(0, 10),
      spend_day_max: this.#history.day_max,
    };
  }

  #authorizeItem(choice: AuthorizeChoice): AuthorizeItem {
    const own = choice.wallet;
    const pack_id = choice.pack === null ? null : this.#stage.pack_ids[choice.pack === 'own' ? own : own === 0 ? 1 : 0];
    return {
      leg_id: this.#stage.leg_ids[choice.leg] ?? '',
      call_id: this.#stage.leg_ids[choice.leg] ?? '',
      wallet_id: this.#stage.wallet_ids[own],
      channel_id: `channel-${choice.leg}`,
      hold_micros: choice.micros,
      seconds: choice.seconds,
      pack_id,
      pack_seconds: pack_id === null ? 0 : choice.pack_seconds,
      deadline_at: new Date(this.#now_ms + 60_000),
      now_at: new Date(this.#now_ms),
      concurrent_calls_max: choice.calls_max,
      snapshot: { leg: choice.leg },
      ...this.#window(0),
    };
  }

  #legOf({ leg, among }: { leg: number; among: 'open' | 'all' }): string {
    const open = this.model.openHolds();
    const legs = among === 'all' || open.length === 0 ? this.#stage.leg_ids : open.map((hold) => hold.leg_id);
    return legs[leg % legs.length] ?? '';
  }

  #renewItem(choice: RenewChoice): RenewItem {
    const leg_id = this.#legOf(choice);
    const hold = this.model.holds.get(leg_id);
    const [first, second] = this.#stage.wallet_ids;
    const own = hold?.wallet_id ?? first;
    return {
      leg_id,
      wallet_id: choice.other_wallet ? (own === first ? second : first) : own,
      grant_no: Math.max(1, (hold?.grants.length ?? 0) + (choice.again ? 0 : 1)),
      micros: choice.micros,
      seconds: choice.seconds,
      pack_seconds: choice.pack_seconds,
      deadline_at: new Date(this.#now_ms + 60_000),
      now_at: new Date(this.#now_ms),
      ...this.#window(0),
    };
  }

  #settleItem(choice: SettleChoice): SettleItem {
    const leg_id = this.#legOf(choice);
    const hold = this.model.holds.get(leg_id);
    const { micros, pack_seconds } = hold === undefined ? { micros: 9n, pack_seconds: 0 } : heldOf(hold);
    const gross = choice.percent > 100 ? micros + 1n : (micros * BigInt(choice.percent)) / 100n;
    const tax_micros = choice.taxed ? gross / 6n : 0n;
    const pack = choice.pack_percent > 100 ? pack_seconds + 1 : Math.floor((pack_seconds * choice.pack_percent) / 100);
    return {
      leg_id,
      wallet_id: hold?.wallet_id ?? this.#stage.wallet_ids[0],
      net_micros: gross - tax_micros,
      tax_micros,
      loss_micros: choice.loss_micros,
      pack_seconds: pack,
      spend_hour: this.#window(choice.hours_ago).spend_hour,
      spend_day: this.#window(choice.hours_ago).spend_day,
      cdr: this.#record(choice.cost_micros),
    };
  }

  #record(cost_micros: bigint): CallRecord {
    return {
      started_at: new Date(BEGIN_MS),
      direction: 'outbound',
      device: 'phone',
      dialled: '+4420',
      caller: null,
      callee: '+4420',
      destination: 'x',
      answered_at: new Date(BEGIN_MS),
      ended_at: new Date(this.#now_ms),
      duration_ms: this.#now_ms - BEGIN_MS,
      duration_source: 'record',
      seconds_charged: 1,
      seconds_billed: 1,
      cost_micros,
      cost_currency: cost_micros === 0n ? null : 'GBP',
      result: 'answered',
      refusal: null,
      cause: 16,
      blame: 'nobody',
      pdd_ms: null,
      carrier_id: cost_micros === 0n ? null : 1,
      trunk_id: null,
      attempts: [],
    };
  }
}

/** Of an answer what its verdict makes meaningful. */
function heard({ verdict, free_micros, open_calls, held_micros, seconds_granted }: HoldAnswer): string {
  switch (verdict) {
    case 'short':
    case 'spend_hour':
    case 'spend_day':
      return `${verdict} free ${free_micros} calls ${open_calls}`;
    case 'too_many_calls':
      return `${verdict} ${open_calls}`;
    case 'granted':
      return `${verdict} ${held_micros} for ${seconds_granted} s, free ${free_micros} calls ${open_calls}`;
    case 'settled':
      return `${verdict} free ${free_micros} calls ${open_calls}`;
    case 'replay':
    case 'over_held':
      return `${verdict} ${held_micros} for ${seconds_granted} s`;
    default:
      return verdict;
  }
}
