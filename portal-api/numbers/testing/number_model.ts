import fc from 'fast-check';
import { withTax } from '../../../domain/rating/price.ts';
import { nextHoldingState, unpaidEvent } from '../holdings/holding_state.ts';
import type { HoldingState } from '../holdings/holding_state.ts';
import { monthLater, nextPeriod, unusedPart } from '../holdings/period.ts';
import type { PaidPeriod } from '../holdings/period.ts';
import { isPaid, nextOrderState } from '../orders/order_state.ts';
import { DAY_MS, QUARANTINE_MS } from '../terms.ts';

export const ACCOUNTS = 3;
export const NUMBERS = 2;
export const OPENING_MICROS = 8_000_001n;
export const SETUP_MICROS = 1_000_003n;
export const MONTHLY_MICROS = 3_000_007n;
export const TAX_PPM = 190_000;

/** What people and time do; which account and which number are by their index. */
export type Step =
  | { kind: 'buy'; account: number; number: number; works: boolean }
  | { kind: 'cancel'; number: number; at_once: boolean }
  | { kind: 'undo'; number: number }
  | { kind: 'transfer'; number: number; to: number }
  | { kind: 'top_up'; account: number }
  | { kind: 'wait'; hours: number }
  | { kind: 'renew' };

export const TOP_UP_MICROS = 4_000_000n;

const account = fc.nat(ACCOUNTS - 1);
const number = fc.nat(NUMBERS - 1);

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('buy' as const), account, number, works: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel' as const), number, at_once: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('undo' as const), number }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('transfer' as const), number, to: account }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('top_up' as const), account }) },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 45 * 24 }) }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('renew' as const) }) },
  ),
  { minLength: 4, maxLength: 24 },
);

interface Charge {
  account: number;
  net: bigint;
  tax: bigint;
  given_net: bigint;
  given_tax: bigint;
}

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
  last: (PaidPeriod & { charge: Charge }) | null;
}

/** Money and numbers as they have to come out, in memory: what is real is held against it. */
export class NumberModel {
  now: Date;
  readonly balances = Array.from({ length: ACCOUNTS }, () => OPENING_MICROS);
  readonly holdings: ModelHolding[] = [];
  readonly charges: Charge[] = [];
  deposited = OPENING_MICROS * BigInt(ACCOUNTS);

  constructor(now: Date) {
    this.now = now;
  }

  open(number_index: number): ModelHolding | null {
    return this.holdings.find((one) => one.number === number_index && one.held_to === null) ?? null;
  }

  take(step: Step): void {
    switch (step.kind) {
      case 'buy':
        return this.#buy(step.account, step.number, step.works);
      case 'cancel':
        return this.#cancel(step.number, step.at_once);
      case 'undo':
        return this.#undo(step.number);
      case 'transfer':
        return this.#transfer(step.number, step.to);
      case 'top_up':
        this.balances[step.account] = this.#balance(step.account) + TOP_UP_MICROS;
        this.deposited += TOP_UP_MICROS;
        return;
      case 'wait':
        this.now = new Date(this.now.getTime() + step.hours * 3_600_000);
        return;
      case 'renew':
        for (let index = 0; index < NUMBERS; index += 1) this.#renew(index);
    }
  }

  /** In words, what must never be. */
  broken(): string[] {
    const wrong: string[] = [];
    if (this.balances.some((balance) => balance < 0n)) wrong.push('a balance is below zero');
    const kept = this.charges.reduce((sum, one) => sum + one.net + one.tax - one.given_net - one.given_tax, 0n);
    if (this.balances.reduce((sum, balance) => sum + balance, 0n) + kept !== this.deposited)
      wrong.push('money is lost');
    if (this.charges.some((one) => one.given_net > one.net || one.given_tax > one.tax))
      wrong.push('a refund above what was paid');
    for (const [index, one] of this.holdings.entries()) {
      for (const other of this.holdings.slice(index + 1)) {
        const is_after = one.blocked_until !== null && other.held_from >= one.blocked_until;
        if (one.number === other.number && !is_after) wrong.push('two holders, or one within the quarantine');
      }
    }
    return wrong;
  }

  #buy(account_index: number, number_index: number, works: boolean): void {
    const is_taken = this.holdings.some(
      ({ number: of, blocked_until }) => of === number_index && (blocked_until === null || blocked_until > this.now),
    );
    const [setup, month] = [withTax(SETUP_MICROS, TAX_PPM), withTax(MONTHLY_MICROS, TAX_PPM)];
    const charge = is_taken ? null : this.#charge(account_index, setup.net + month.net, setup.tax + month.tax);
    if (charge === null) return;
    const state = nextOrderState('ordered', 'charged');
    if (state === null || !isPaid(state)) throw new Error('what is charged is paid');
    if (!works) return this.#giveBack(charge, charge.net, charge.tax);
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
      this.#giveBack(holding.last.charge, unused.net_micros, unused.tax_micros);
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
    this.#end(holding, 0);
    const since = { state: 'active' as const, state_since: this.now, held_from: this.now };
    this.holdings.push({ ...holding, ...since, account: to, held_to: null, blocked_until: null, last: null });
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
    const charge = this.#charge(holding.account, net, tax);
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

  #balance(index: number): bigint {
    return this.balances[index] ?? 0n;
  }

  #charge(index: number, net: bigint, tax: bigint): Charge | null {
    if (this.#balance(index) < net + tax) return null;
    this.balances[index] = this.#balance(index) - net - tax;
    const charge = { account: index, net, tax, given_net: 0n, given_tax: 0n };
    this.charges.push(charge);
    return charge;
  }

  #giveBack(charge: Charge, net: bigint, tax: bigint): void {
    charge.given_net += net;
    charge.given_tax += tax;
    this.balances[charge.account] = this.#balance(charge.account) + net + tax;
  }
}

/** When histories begin: near the end of a month with 31 days, where months are of unlike length. */
export const BEGINNING = new Date(Date.parse('2027-01-29T09:00:00Z') + DAY_MS);
