/** Where money comes from: what Letsdial asks of a payment provider, whichever it is. Amounts are whole cents, as providers count. */

export interface NewPayment {
  /** Ours; the provider keeps it beside the payment and makes one payment of it, however often it is asked. */
  payment_id: string;
  amount_cents: bigint;
  currency: string;
  customer: string;
  /** The token of a saved card; null: the customer pays on a page of the provider's. */
  method_token: string | null;
  save_method: boolean;
  return_url: string;
}

export type StartedPayment =
  | {
      kind: 'started';
      provider_payment: string | null;
      state: PaymentState;
      checkout_url: string | null;
      failure: string | null;
    }
  /** Nothing is known of what became of it: it may be asked for again with the same id. */
  | { kind: 'unavailable' };

export type PaymentState = 'pending' | 'succeeded' | 'failed' | 'cancelled';

export type ReadPayment =
  | { kind: 'read'; state: PaymentState; failure: string | null }
  /** The provider has none of that name. */
  | { kind: 'unknown' }
  | { kind: 'unavailable' };

export interface ProviderPayment {
  provider_payment: string;
  /** Ours, as it was given; null for a payment that did not come from here. */
  payment_id: string | null;
  state: PaymentState;
  amount_cents: bigint;
  refunded_cents: bigint;
  currency: string;
}

export interface SavedCard {
  token: string;
  brand: string;
  last4: string;
  expires_month: number;
  expires_year: number;
}

/** What a webhook told. */
export type ProviderEvent = { event_id: string; provider_payment: string; payment_id: string | null } & (
  | { kind: 'payment'; state: PaymentState; failure: string | null }
  | { kind: 'dispute'; dispute: string; state: 'open' | 'won' | 'lost'; amount_cents: bigint }
  /** Money that was paid back came back itself: the bank did not take it. */
  | { kind: 'refund'; provider_refund: string; state: 'failed' }
);

export type ReadWebhook =
  | { kind: 'event'; event: ProviderEvent }
  /** Nothing that concerns us. */
  | { kind: 'other' }
  | { kind: 'refused'; why: string };

export interface PaymentProvider {
  readonly name: 'local' | 'stripe';
  /** The provider's name for an account, made on first use. */
  makeCustomer(account_id: string): Promise<string | null>;
  startPayment(payment: NewPayment): Promise<StartedPayment>;
  /** How a payment stands, for who may have missed what was told of it. */
  readPayment(provider_payment: string): Promise<ReadPayment>;
  /** The card behind a token that the provider's own form gave to a browser; null where there is none. */
  saveCard(token: string, customer: string): Promise<SavedCard | null>;
  /** The card that a payment was made with and that was left for later. */
  cardOfPayment(provider_payment: string): Promise<SavedCard | null>;
  /** Once for its id. `paid`, as far as is known; `refused`: it will not be; `unavailable`: not known, ask again. */
  refund(refund: {
    refund_id: string;
    provider_payment: string;
    amount_cents: bigint;
  }): Promise<{ kind: 'paid'; provider_refund: string } | { kind: 'refused' } | { kind: 'unavailable' }>;
  /** All that was begun since then. */
  listPayments(since: Date): AsyncIterable<ProviderPayment>;
  readWebhook(raw: Buffer, headers: Readonly<Record<string, string | string[] | undefined>>, now: Date): ReadWebhook;
}
