import { randomBytes } from 'node:crypto';

export type PaymentState = 'pending' | 'succeeded' | 'failed' | 'cancelled';

export interface Card {
  token: string;
  brand: string;
  last4: string;
  expires_month: number;
  expires_year: number;
  /** What it does when it is charged; a real provider tells cards apart by their numbers too. */
  behaviour: 'pays' | 'declines' | 'pays_later';
}

export interface Payment {
  id: string;
  reference: string | null;
  state: PaymentState;
  amount_cents: bigint;
  refunded_cents: bigint;
  currency: string;
  checkout_url: string | null;
  failure: string | null;
  created_at: Date;
  card: Card | null;
  save_method: boolean;
  return_url: string;
}

export interface Dispute {
  id: string;
  payment: Payment;
  state: 'open' | 'won' | 'lost';
  amount_cents: bigint;
}

const idOf = (kind: string): string => `${kind}_${randomBytes(9).toString('hex')}`;

/** The test numbers, of the kind that every provider has. */
const NUMBERS: Readonly<Record<string, Pick<Card, 'brand' | 'behaviour'>>> = {
  '4242424242424242': { brand: 'visa', behaviour: 'pays' },
  '5555555555554444': { brand: 'mastercard', behaviour: 'pays' },
  '4000000000000002': { brand: 'visa', behaviour: 'declines' },
  '4000000000000077': { brand: 'visa', behaviour: 'pays_later' },
};

/** What the simulated provider remembers. */
export class Book {
  readonly customers = new Map<string, string>();
  readonly cards = new Map<string, Card>();
  readonly payments = new Map<string, Payment>();
  readonly refunds = new Map<string, { id: string; payment_id: string; amount_cents: bigint }>();
  readonly disputes = new Map<string, Dispute>();

  customer(reference: string): string {
    const id = this.customers.get(reference) ?? idOf('cus');
    this.customers.set(reference, id);
    return id;
  }

  /** A token for a number; null where the number is no card's. */
  tokenise(number: string, expires_month: number, expires_year: number): Card | null {
    const known = NUMBERS[number];
    if (known === undefined) return null;
    const card: Card = { token: idOf('card'), last4: number.slice(-4), expires_month, expires_year, ...known };
    this.cards.set(card.token, card);
    return card;
  }

  /** The payment of that reference, made where it is new. */
  begin(wish: Omit<Payment, 'id' | 'state' | 'refunded_cents' | 'failure' | 'checkout_url'>): [Payment, boolean] {
    const before = [...this.payments.values()].find(
      ({ reference }) => reference !== null && reference === wish.reference,
    );
    if (before !== undefined) return [before, false];
    const id = idOf('pay');
    const payment: Payment = {
      ...{ ...wish, id, state: 'pending', refunded_cents: 0n, failure: null, checkout_url: null },
    };
    this.payments.set(id, payment);
    return [payment, true];
  }

  charge(payment: Payment, card: Card): void {
    payment.card = card;
    payment.state = card.behaviour === 'pays' ? 'succeeded' : card.behaviour === 'declines' ? 'failed' : 'pending';
    payment.failure = card.behaviour === 'declines' ? 'card_declined' : null;
  }

  /** Once for its reference; null where that is more than is left, or where the customer's bank takes the payment back already. */
  refund(payment: Payment, reference: string, amount_cents: bigint): { id: string } | null {
    const before = this.refunds.get(reference);
    if (before !== undefined) return before;
    if (payment.state !== 'succeeded' || payment.refunded_cents + amount_cents > payment.amount_cents) return null;
    if ([...this.disputes.values()].some((one) => one.payment === payment && one.state !== 'won')) return null;
    const refund = { id: idOf('ref'), payment_id: payment.id, amount_cents };
    payment.refunded_cents += amount_cents;
    this.refunds.set(reference, refund);
    return refund;
  }

  /** The bank gives back what was refunded. */
  failRefund(id: string): Payment | null {
    const refund = [...this.refunds.values()].find((one) => one.id === id);
    const payment = refund === undefined ? undefined : this.payments.get(refund.payment_id);
    if (refund === undefined || payment === undefined) return null;
    payment.refunded_cents -= refund.amount_cents;
    return payment;
  }

  dispute(payment: Payment): Dispute {
    const dispute: Dispute = { id: idOf('dis'), payment, state: 'open', amount_cents: payment.amount_cents };
    this.disputes.set(dispute.id, dispute);
    return dispute;
  }
}
