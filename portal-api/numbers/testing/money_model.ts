import { hasSucceeded, next } from '../../payments/attempt_state.ts';
import type { AttemptState } from '../../payments/attempt_state.ts';
import { refundableSince } from '../../payments/payment_policy.ts';
import { ACCOUNTS, OPENING_MICROS } from './history_steps.ts';

const CENT_MICROS = 10_000n;

export interface ModelCharge {
  account: number;
  net: bigint;
  tax: bigint;
  given_net: bigint;
  given_tax: bigint;
}

export interface ModelPayment {
  account: number;
  amount: bigint;
  state: AttemptState;
  refunded: bigint;
  begun_at: Date;
  is_disputed: boolean;
}

interface ModelDispute {
  payment: ModelPayment;
  /** As the provider has it, and as it is known here. */
  told: 'open' | 'won' | 'lost';
  known: 'open' | 'won' | 'lost' | null;
  debited: bigint;
  owed: bigint;
}

/** What has left a wallet, and has not arrived where it came from. */
interface ModelRefund {
  account: number;
  parts: { payment: ModelPayment; amount: bigint }[];
  waits: boolean;
}

interface ModelEvent {
  payment: ModelPayment;
  dispute: { of: ModelDispute; state: 'open' | 'won' | 'lost' } | null;
  is_heard: boolean;
}

/** Wallets, what is owed, payments and what banks take back, as they have to come out. */
export class MoneyModel {
  readonly balances = Array.from({ length: ACCOUNTS }, () => OPENING_MICROS);
  readonly owed = Array.from({ length: ACCOUNTS }, () => 0n);
  readonly charges: ModelCharge[] = [];
  readonly payments: ModelPayment[] = [];
  readonly disputes: ModelDispute[] = [];
  /** What came from outside and is still here. */
  #brought = OPENING_MICROS * BigInt(ACCOUNTS);
  #waiting: ModelEvent[] = [];
  #refunds: ModelRefund[] = [];

  balance(account: number): bigint {
    return this.balances[account] ?? 0n;
  }

  owes(account: number): bigint {
    return this.owed[account] ?? 0n;
  }

  charge(account: number, net: bigint, tax: bigint): ModelCharge | null {
    if (this.balance(account) < net + tax) return null;
    this.balances[account] = this.balance(account) - net - tax;
    const charge = { account, net, tax, given_net: 0n, given_tax: 0n };
    this.charges.push(charge);
    return charge;
  }

  giveBack(charge: ModelCharge, net: bigint, tax: bigint): void {
    charge.given_net += net;
    charge.given_tax += tax;
    this.#receive(charge.account, net + tax);
  }

  /** Whether it is booked at once. */
  pay(account: number, amount: bigint, at_once: boolean, begun_at: Date): boolean {
    const payment: ModelPayment = { account, amount, state: 'pending', refunded: 0n, begun_at, is_disputed: false };
    this.payments.push(payment);
    this.#waiting.push({ payment, dispute: null, is_heard: false });
    if (at_once) this.#book(payment);
    return at_once;
  }

  /** Those that a bank could still take back. */
  get undisputed(): ModelPayment[] {
    return this.payments.filter(({ is_disputed }) => !is_disputed);
  }

  get undecided(): ModelDispute[] {
    return this.disputes.filter(({ told }) => told === 'open');
  }

  dispute(which: number): void {
    const payment = this.undisputed[which % this.undisputed.length];
    if (payment === undefined) return;
    payment.is_disputed = true;
    const of: ModelDispute = { payment, told: 'open', known: null, debited: 0n, owed: 0n };
    this.disputes.push(of);
    this.#waiting.push({ payment, dispute: { of, state: 'open' }, is_heard: false });
  }

  decide(which: number, state: 'won' | 'lost'): void {
    const of = this.undecided[which % this.undecided.length];
    if (of === undefined) return;
    of.told = state;
    this.#waiting.push({ payment: of.payment, dispute: { of, state }, is_heard: false });
  }

  /** `booked` is called after an event by which a payment came. */
  tell(times: number, backwards: boolean, booked: (account: number) => void): void {
    const events = backwards ? this.#waiting.toReversed() : this.#waiting;
    this.#waiting = [];
    for (let time = 0; time < times; time += 1) {
      for (const event of events) if (this.#hear(event)) booked(event.payment.account);
    }
  }

  /** Unspent whole cents, to the latest payments first. */
  refund(account: number, way: 'at_once' | 'later' | 'waits', now: Date): void {
    if (this.owes(account) > 0n) return;
    const refund: ModelRefund = { account, parts: [], waits: way === 'waits' };
    let left = this.balance(account) - (this.balance(account) % CENT_MICROS);
    for (const payment of this.payments.toReversed()) {
      if (payment.account !== account || payment.state !== 'succeeded') continue;
      if (payment.begun_at < refundableSince(now)) continue;
      const free = payment.amount - payment.refunded;
      const amount = free < left ? free : left;
      if (amount === 0n) continue;
      payment.refunded += amount;
      left -= amount;
      this.balances[account] = this.balance(account) - amount;
      refund.parts.push({ payment, amount });
    }
    if (way === 'at_once') this.#send(refund);
    else this.#refunds.push(refund);
  }

  /** What is to be sent is sent, and what waits is rejected, the oldest first. */
  settleRefunds(): void {
    const refunds = this.#refunds;
    this.#refunds = [];
    for (const refund of refunds) {
      if (refund.waits) this.#putBack(refund, refund.parts);
      else this.#send(refund);
    }
  }

  /** Nobody is paid by us what the bank gives back, or may give back, for the same payment. */
  #send(refund: ModelRefund): void {
    const isTaken = (payment: ModelPayment): boolean =>
      this.disputes.some((one) => one.payment === payment && one.told !== 'won');
    const refused = refund.parts.filter(({ payment }) => isTaken(payment));
    for (const { payment, amount } of refund.parts) if (!isTaken(payment)) this.#brought -= amount;
    this.#putBack(refund, refused);
  }

  #putBack({ account }: ModelRefund, parts: ModelRefund['parts']): void {
    for (const { payment, amount } of parts) {
      payment.refunded -= amount;
      this.#receive(account, amount);
    }
  }

  /** In words, what must never be. */
  broken(): string[] {
    const wrong: string[] = [];
    if (this.balances.some((balance) => balance < 0n)) wrong.push('a balance is below zero');
    if (this.owed.some((owed) => owed < 0n)) wrong.push('more was paid of a debt than was owed');
    const kept = this.charges.reduce((sum, one) => sum + one.net + one.tax - one.given_net - one.given_tax, 0n);
    const held = this.balances.reduce((sum, balance, account) => sum + balance - this.owes(account), 0n);
    const parts = this.#refunds.flatMap((refund) => refund.parts);
    const on_its_way = parts.reduce((sum, { amount }) => sum + amount, 0n);
    if (held + kept + on_its_way !== this.#brought) wrong.push('money is lost');
    if (this.charges.some((one) => one.given_net > one.net || one.given_tax > one.tax))
      wrong.push('a refund above what was charged');
    if (this.payments.some(({ refunded, amount }) => refunded > amount)) wrong.push('a refund above what was paid');
    return wrong;
  }

  #book(payment: ModelPayment): void {
    payment.state = 'succeeded';
    this.#brought += payment.amount;
    this.#receive(payment.account, payment.amount);
  }

  /** Whatever comes pays what is owed, from all cash that there is. */
  #receive(account: number, amount: bigint): void {
    const cash = this.balance(account) + amount;
    const to_debt = this.owes(account) < cash ? this.owes(account) : cash;
    this.owed[account] = this.owes(account) - to_debt;
    this.balances[account] = cash - to_debt;
  }

  /** Once, whenever it comes. Whether a payment was booked by it. */
  #hear(event: ModelEvent): boolean {
    if (event.is_heard) return false;
    event.is_heard = true;
    const { payment, dispute } = event;
    const is_new = !hasSucceeded(payment.state);
    if (is_new) this.#book(payment);
    if (dispute !== null && this.#takeDispute(dispute.of, dispute.state)) {
      payment.state = next(payment.state, `dispute_${dispute.state}`);
    }
    return is_new;
  }

  #takeDispute(dispute: ModelDispute, state: 'open' | 'won' | 'lost'): boolean {
    const { account, amount } = dispute.payment;
    if (dispute.known === null) {
      dispute.known = state;
      if (state === 'won') return true;
      for (const refund of this.#refunds.filter((one) => one.waits && one.account === account)) {
        this.#putBack(refund, refund.parts);
        this.#refunds = this.#refunds.filter((one) => one !== refund);
      }
      dispute.debited = amount < this.balance(account) ? amount : this.balance(account);
      dispute.owed = amount - dispute.debited;
      this.balances[account] = this.balance(account) - dispute.debited;
      this.owed[account] = this.owes(account) + dispute.owed;
      this.#brought -= amount;
      return true;
    }
    if (dispute.known !== 'open' || state === 'open') return false;
    dispute.known = state;
    if (state === 'lost') return true;
    // Of what comes back, no more than itself pays a debt.
    const to_debt = this.owes(account) < amount ? this.owes(account) : amount;
    this.owed[account] = this.owes(account) - to_debt;
    this.balances[account] = this.balance(account) + amount - to_debt;
    this.#brought += amount;
    return true;
  }
}
