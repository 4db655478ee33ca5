import { SimulatedNumberProvider } from '../../deploy/number_provider/number_provider.ts';
import { providerSettingsSchema } from '../../deploy/number_provider/settings.ts';
import { seedLegalDocuments } from '../legal/seed_legal_documents.ts';
import { putInStock } from '../numbers/testing/stock.ts';
import { MoneyWorld } from '../payments/testing/money_world.ts';
import type { PortalWorld } from './portal_world.ts';

const KEY = 'what the partner knows us by';
const SECRET = 'what the partner signs with';

/** A portal with everybody it works with, so that nothing is refused only because somebody is missing. */
export class FuzzedWorld {
  readonly #money: MoneyWorld;
  readonly #numbers: SimulatedNumberProvider;

  private constructor(money: MoneyWorld, numbers: SimulatedNumberProvider) {
    this.#money = money;
    this.#numbers = numbers;
  }

  static async begin(): Promise<FuzzedWorld> {
    const numbers = new SimulatedNumberProvider(providerSettingsSchema.parse({ key: KEY }), () => new Date());
    await numbers.start();
    const money = await MoneyWorld.begin({
      ...{ NUMBER_PROVIDER_URL: numbers.url, NUMBER_PROVIDER_KEY: KEY, NUMBER_PROVIDER_WEBHOOK_SECRET: SECRET },
      // What mail says is of no matter here, and nobody takes it.
      SMTP_URL: 'smtp://127.0.0.1:9',
    });
    const stock = Array.from({ length: 50 }, (_, n) => `+49302312510${String(n).padStart(2, '0')}`);
    await putInStock(money.world.pool, stock);
    await seedLegalDocuments(money.world.pool, new Date());
    return new FuzzedWorld(money, numbers);
  }

  get world(): PortalWorld {
    return this.#money.world;
  }

  async end(): Promise<void> {
    await this.#money.end();
    await this.#numbers.stop();
  }
}
