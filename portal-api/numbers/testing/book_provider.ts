import { Book } from '../../../deploy/payment_provider/book.ts';
import type { Dispute, Payment } from '../../../deploy/payment_provider/book.ts';
import { toldPayment, Webhooks } from '../../../deploy/payment_provider/webhooks.ts';
import { LocalProvider } from '../../payments/local_provider.ts';
import type { NewPayment, PaymentProvider, ProviderEvent, StartedPayment } from '../../payments/payment_provider.ts';

const SECRET = 'what the provider of a history signs with';
const AT_ONCE = '4242424242424242';
const LATER = '4000000000000077';

/**
 * The simulated payment provider without its HTTP: its book is asked directly, and what it tells is signed by it and read, signature and
 * all, as the portal reads it.
 */
export class BookProvider extends LocalProvider {
  readonly book = new Book();
  readonly #now: () => Date;
  readonly #webhooks: Webhooks;
  readonly #disputed = new Set<string>();
  #waiting: string[] = [];
  #events = 0;
  /** Whether the next payment has succeeded when it is begun, or is pending. */
  at_once = true;

  constructor(now: () => Date) {
    super({ url: 'http://127.0.0.1:9', secret: SECRET });
    this.#now = now;
    this.#webhooks = new Webhooks(SECRET, now);
  }

  override makeCustomer(account_id: string): Promise<string> {
    return Promise.resolve(this.book.customer(account_id));
  }

  override startPayment({ payment_id, amount_cents, currency, return_url }: NewPayment): Promise<StartedPayment> {
    const [payment] = this.book.begin({
      ...{ reference: payment_id, amount_cents, currency, return_url, created_at: this.#now(), card: null },
      save_method: false,
    });
    const card = this.book.tokenise(this.at_once ? AT_ONCE : LATER, 12, 2040);
    if (card !== null) this.book.charge(payment, card);
    const answer = { provider_payment: payment.id, state: payment.state, checkout_url: null, failure: null };
    payment.state = 'succeeded';
    this.#later({ type: 'payment', payment: toldPayment(payment) });
    return Promise.resolve({ kind: 'started', ...answer });
  }

  override refund({
    refund_id,
    provider_payment,
    amount_cents,
  }: Parameters<PaymentProvider['refund']>[0]): ReturnType<PaymentProvider['refund']> {
    const payment = this.book.payments.get(provider_payment);
    const refund = payment === undefined ? null : this.book.refund(payment, refund_id, amount_cents);
    return Promise.resolve(refund === null ? { kind: 'refused' } : { kind: 'paid', provider_refund: refund.id });
  }

  get undisputed(): Payment[] {
    return [...this.book.payments.values()].filter(({ id }) => !this.#disputed.has(id));
  }

  get undecided(): Dispute[] {
    return [...this.book.disputes.values()].filter(({ state }) => state === 'open');
  }

  dispute(payment: Payment): void {
    this.#disputed.add(payment.id);
    this.#tellOf(this.book.dispute(payment));
  }

  decide(dispute: Dispute, state: 'won' | 'lost'): void {
    dispute.state = state;
    this.#tellOf(dispute);
  }

  /** What it tells now, each so many times, as the portal reads it. */
  tell(times: number, backwards: boolean): ProviderEvent[] {
    const bodies = backwards ? this.#waiting.toReversed() : this.#waiting;
    this.#waiting = [];
    return Array.from({ length: times }, () => bodies.map((body) => this.#read(body))).flat();
  }

  #tellOf({ id, state, amount_cents, payment }: Dispute): void {
    const dispute = { id, state, amount_cents: amount_cents.toString() };
    this.#later({ type: 'dispute', payment: toldPayment(payment), dispute });
  }

  #later(event: object): void {
    this.#events += 1;
    this.#waiting.push(JSON.stringify({ ...event, id: `evt_${this.#events}_${crypto.randomUUID()}` }));
  }

  #read(told: string): ProviderEvent {
    const { body, signature } = this.#webhooks.sign(told);
    const read = this.readWebhook(Buffer.from(body), { 'letsdial-signature': signature }, this.#now());
    if (read.kind !== 'event') throw new Error(`What the provider signed was not taken: ${JSON.stringify(read)}.`);
    return read.event;
  }
}
