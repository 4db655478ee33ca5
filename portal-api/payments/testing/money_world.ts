import { SimulatedPaymentProvider } from '../../../deploy/payment_provider/payment_provider.ts';
import { PortalWorld } from '../../testing/portal_world.ts';

const SECRET = 'a secret of the tests alone';

/** A portal and a payment provider that share a clock and nothing else. */
export class MoneyWorld {
  readonly world: PortalWorld;
  readonly provider: SimulatedPaymentProvider;

  private constructor(world: PortalWorld, provider: SimulatedPaymentProvider) {
    this.world = world;
    this.provider = provider;
  }

  static async begin(settings: Readonly<Record<string, string>> = {}): Promise<MoneyWorld> {
    let clock = (): Date => new Date();
    const provider = new SimulatedPaymentProvider({ secret: SECRET, now: () => clock() });
    await provider.start();
    const world = await PortalWorld.begin({
      ...{ PAYMENT_PROVIDER_URL: provider.url, PAYMENT_WEBHOOK_SECRET: SECRET, ...settings },
    });
    clock = () => world.now();
    provider.webhooks.url = `${world.url}/v1/payment-events`;
    return new MoneyWorld(world, provider);
  }

  /** The token of a card, as the provider's form gives it to a browser. */
  token(number = '4242424242424242'): string {
    const card = this.provider.book.tokenise(number, 12, 2040);
    if (card === null) throw new Error(`${number} is no card.`);
    return card.token;
  }

  /** The provider's payment of one of ours. */
  paymentOf(payment_id: string): string {
    const found = [...this.provider.book.payments.values()].find(({ reference }) => reference === payment_id);
    if (found === undefined) throw new Error(`The provider knows no payment ${payment_id}.`);
    return found.id;
  }

  /** Has a task done now. */
  async runTask(name: string, payload: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.world.pool.query('select graphile_worker.add_job($1, payload => $2)', [name, JSON.stringify(payload)]);
  }

  /** How many tasks of that name are not done yet. */
  async waiting(name: string): Promise<number> {
    const { rows } = await this.world.pool.query<{ n: number }>(
      'select count(*)::int as n from graphile_worker.jobs where task_identifier = $1',
      [name],
    );
    return rows[0]?.n ?? 0;
  }

  async end(): Promise<void> {
    await this.world.end();
    await this.provider.stop();
  }
}
