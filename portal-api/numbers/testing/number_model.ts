import { withTax } from '../../../domain/rating/price.ts';
import { nextHoldingState, unpaidEvent } from '../holdings/holding_state.ts';
import type { HoldingState } from '../holdings/holding_state.ts';
import { monthLater, nextPeriod, unusedPart } from '../holdings/period.ts';
import type { PaidPeriod } from '../holdings/period.ts';
import { isPaid, nextOrderState } from '../orders/order_state.ts';
import { QUARANTINE_MS } from '../terms.ts';
import { MONTHLY_MICROS, NUMBERS, SETUP_MICROS, STEP_MS, TAX_PPM } from './history_steps.ts';
import type { Step } from './history_steps.ts';
import { MoneyModel } from './money_model.ts';
import type { ModelCharge } from './money_model.ts';

export interface ModelHolding {
  number: number;
  account: number;
  state: HoldingState;
  state_since: Date;
  held_from: Date;
  held_to: Date | null;
  blocked_until: Date | null;
  paid_until: Date;
  anchor_day: number;
  cancelled_to: Date | null;
  last: (PaidPeriod & { charge: ModelCharge }) | null;
}

/** Money and numbers as they have to come out, in memory: what is real is held against it. */
export class NumberModel {
  now: Date;
  readonly money = new MoneyModel();
  readonly holdings: ModelHolding[] = [];

  constructor(now: Date) {
    this.now = now;
  }

  open(number_index: number): ModelHolding | null {
    return this.holdings.find((one) => one.number === number_index && one.held_to === null) ?? null;
  }

  take(step: Step): void {
    const { money } = this;
    this.now = new Date(this.now.getTime() + STEP_MS);
    switch (step.kind) {
      case 'buy':
        return this.#buy(step.account, step.number, step.works);
      case 'cancel':
        return this.#cancel(step.number, step.at_once);
      case 'undo':
        return this.#undo(step.number);
      case 'transfer':
        return this.#transfer(step.number, step.to);
      case 'pay':
        if (money.pay(step.account, step.amount_micros, step.at_once, this.now)) this.#renewOf(step.account);
        return;
      case 'refund':
        return money.refund(step.account, step.way, this.now);
      case 'settle_refunds':
        return money.settleRefunds();
      case 'dispute':
        return money.dispute(step.payment);
      case 'decide':
        return money.decide(step.dispute, step.state);
      case 'tell':
        return money.tell(step.times, step.backwards, (account) => this.#renewOf(account));
      case 'wait':
        this.now = new Date(this.now.getTime() + step.hours * 3_600_000);
        return;
      case 'renew':
        for (let index = 0; index < NUMBERS; index += 1) this.#renew(index);
    }
  }

  /** In words, what must never be. */
  broken(): string[] {
    const wrong = this.money.broken();
    for (const [index, one] of this.holdings.entries()) {
      for (const other of this.holdings.slice(index + 1)) {
        const is_after = one.blocked_until !== null && other.held_from >= one.blocked_until;
        if (one.number === other.number && !is_after) wrong.push('two holders, or one within the quarantine');
      }
    }
    return wrong;
  }

  #buy(account_index: number, number_index: number, works: boolean): void {
    if (this.money.owes(account_index) > 0n) return;
    const is_taken = this.holdings.some(
      ({ number: of, blocked_until }) => of === number_index && (blocked_until === null || blocked_until > this.now),
    );
    const [setup, month] = [withTax(SETUP_MICROS, TAX_PPM), withTax(MONTHLY_MICROS, TAX_PPM)];
    const charge = is_taken ? null : this.money.charge(account_index, setup.net + month.net, setup.tax + month.tax);
    if (charge === null) return;
    const state = nextOrderState('ordered', 'charged');
    if (state === null || !isPaid(state)) throw new Error('what is charged is paid');
    if (!works) return this.money.giveBack(charge, charge.net, charge.tax);
    const anchor_day = this.now.getUTCDate();
    const period = { starts_at: this.now, ends_at: monthLater(this.now, anchor_day) };
    this.holdings.push({
      ...{ number: number_index, account: account_index, state: 'active', state_since: this.now, held_from: this.now },
      ...{ held_to: null, blocked_until: null, paid_until: period.ends_at, anchor_day, cancelled_to: null },
      last: { ...period, net_micros: month.net, tax_micros: month.tax, charge },
    });
  }

  #cancel(number_index: number, at_once: boolean): void {
    const holding = this.open(number_index);
    if (holding === null || (holding.cancelled_to !== null && !at_once)) return;
    if (!at_once && holding.paid_until > this.now) {
      holding.cancelled_to = holding.paid_until;
      return;
    }
    if (holding.last !== null) {
      const unused = unusedPart(holding.last, this.now);
      this.money.giveBack(holding.last.charge, unused.net_micros, unused.tax_micros);
    }
    this.#end(holding, QUARANTINE_MS);
  }

  #undo(number_index: number): void {
    const holding = this.open(number_index);
    if (holding === null || holding.cancelled_to === null) return;
    if (holding.cancelled_to > this.now) holding.cancelled_to = null;
  }

  #transfer(number_index: number, to: number): void {
    const holding = this.open(number_index);
    if (holding?.state !== 'active' || holding.account === to || holding.cancelled_to !== null) return;
    if (this.money.owes(to) > 0n) return;
    this.#end(holding, 0);
    const since = { state: 'active' as const, state_since: this.now, held_from: this.now };
    this.holdings.push({ ...holding, ...since, account: to, held_to: null, blocked_until: null, last: null });
  }

  #renewOf(account: number): void {
    for (let index = 0; index < NUMBERS; index += 1) if (this.open(index)?.account === account) this.#renew(index);
  }

  #renew(number_index: number): void {
    for (let holding = this.open(number_index); holding !== null; holding = this.open(number_index)) {
      if (holding.cancelled_to !== null && holding.cancelled_to <= this.now) return this.#end(holding, QUARANTINE_MS);
      if (holding.paid_until > this.now) return;
      if (!this.#pay(holding)) return this.#leaveUnpaid(holding);
    }
  }

  #pay(holding: ModelHolding): boolean {
    const { net, tax } = withTax(MONTHLY_MICROS, TAX_PPM);
    const charge = this.money.charge(holding.account, net, tax);
    if (charge === null) return false;
    const { starts_at, ends_at, anchor_day } = nextPeriod(holding, this.now);
    const state = nextHoldingState(holding.state, 'paid') ?? holding.state;
    if (state !== holding.state) holding.state_since = this.now;
    Object.assign(holding, { state, paid_until: ends_at, anchor_day });
    holding.last = { starts_at, ends_at, net_micros: net, tax_micros: tax, charge };
    return true;
  }

  #leaveUnpaid(holding: ModelHolding): void {
    const event = unpaidEvent(holding, this.now);
    const state = event === null ? null : nextHoldingState(holding.state, event);
    if (state === null) return;
    if (state === 'ended') return this.#end(holding, QUARANTINE_MS);
    Object.assign(holding, { state, state_since: this.now });
  }

  #end(holding: ModelHolding, quarantine_ms: number): void {
    const blocked_until = new Date(this.now.getTime() + quarantine_ms);
    Object.assign(holding, { state: 'ended', held_to: this.now, blocked_until });
  }
}
