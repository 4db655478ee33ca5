import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Secret, TOTP } from 'otpauth';
import type { AdminRole } from '../../portal-api/identity/identity.ts';
import { parseKeyRing } from '../../portal-api/key_ring_file.ts';
import { seedLegalDocuments } from '../../portal-api/legal/seed_legal_documents.ts';
import { makeAdminUser } from '../../portal-api/sign_in/make_admin.ts';
import { PortalClient } from '../../portal-api/testing/portal_client.ts';
import { MailCatcher } from '../mail/mail_catcher.ts';
import { SimulatedNumberProvider } from '../number_provider/number_provider.ts';
import { providerSettingsSchema } from '../number_provider/settings.ts';
import { databaseLogin } from '../parts/database_login.ts';
import { keptKeyRing } from '../parts/key_ring.ts';
import { portalApiPart } from '../parts/portal_api.ts';
import type { PortalApiPart } from '../parts/portal_api.ts';
import { SimulatedPaymentProvider } from '../payment_provider/payment_provider.ts';
import { TextWorld } from './text_world.ts';
import { testWorld } from './test_world.ts';
import type { World, WorldOptions } from './world.ts';

const PAYMENT_SECRET = 'what payments are signed with';
const NUMBER_KEY = 'what the partner knows us by';
const NUMBER_SECRET = 'what the partner signs with';
const PASSWORD = 'a long word that only admins know';

/** Everything at once: the switch and its controller, the gateway and a carrier's SMSC, the portal as a process, and whom it works with. */
export class PortalStack {
  readonly calls: World;
  readonly texts: TextWorld;
  readonly mail: MailCatcher;
  readonly payments: SimulatedPaymentProvider;
  readonly numbers: SimulatedNumberProvider;
  readonly portal: PortalApiPart;
  readonly #end: () => Promise<void>;

  private constructor(
    parts: Pick<PortalStack, 'calls' | 'texts' | 'mail' | 'payments' | 'numbers' | 'portal'>,
    end: () => Promise<void>,
  ) {
    this.calls = parts.calls;
    this.texts = parts.texts;
    this.mail = parts.mail;
    this.payments = parts.payments;
    this.numbers = parts.numbers;
    this.portal = parts.portal;
    this.#end = end;
  }

  static async begin(options: Pick<WorldOptions, 'carriers'> = {}): Promise<PortalStack> {
    const { world: calls, end } = await testWorld(options);
    const { database_url, redis_url } = calls.options;
    const texts = await TextWorld.begin({ database_url, redis_url, carriers: ['omega'] });
    const mail = await MailCatcher.begin({ host: '127.0.0.1', smtp_port: 0, http_port: 0 });
    const payments = new SimulatedPaymentProvider({ secret: PAYMENT_SECRET, now: () => new Date() });
    await payments.start();
    const url = `http://${calls.network}.1:8720`;
    const webhook = { url: `${url}/v1/webhooks/number-provider`, secret: NUMBER_SECRET };
    const numbers = new SimulatedNumberProvider(
      providerSettingsSchema.parse({ key: NUMBER_KEY, webhook, behaviour: { provision_ms: 200, webhook_copies: 2 } }),
      () => new Date(),
    );
    await numbers.start();
    payments.webhooks.url = `${url}/v1/payment-events`;
    await seedLegalDocuments(calls.pool, new Date());
    const portal = await portalApiPart({
      home: calls.home,
      database_url: await databaseLogin({
        ...{ database_url, group: 'letsdial_portal', password: new URL(database_url).password },
      }),
      redis_url,
      host: `${calls.network}.1`,
      ports: { http: 8720, observe: 8721 },
      settings: {
        SMTP_URL: `smtp://127.0.0.1:${mail.ports.smtp}`,
        ...{ PAYMENT_PROVIDER_URL: payments.url, PAYMENT_WEBHOOK_SECRET: PAYMENT_SECRET },
        ...{ NUMBER_PROVIDER_URL: numbers.url, NUMBER_PROVIDER_KEY: NUMBER_KEY },
        NUMBER_PROVIDER_WEBHOOK_SECRET: NUMBER_SECRET,
      },
    }).start();
    return new PortalStack({ calls, texts, mail, payments, numbers, portal }, end);
  }

  /** Somebody with a browser of their own. */
  client(): PortalClient {
    return new PortalClient(this.portal.url);
  }

  /** One of the operator's people, signed in by password and second factor. */
  async admin(roles: readonly AdminRole[]): Promise<PortalClient> {
    const file = await keptKeyRing(`${this.calls.home}/secrets/key-ring.json`);
    const ring = parseKeyRing(await readFile(file, 'utf8'));
    const totp_secret_base32 = new Secret({ size: 20 }).base32;
    const email = `${randomBytes(4).toString('hex')}@operator.example`;
    const wishes = { email, name: 'Olga Operator', password: PASSWORD, roles, totp_secret_base32 };
    await makeAdminUser({ pool: this.calls.pool, ring }, new Date(), wishes);
    const client = this.client();
    const first = await client.post<{ ticket: string }>('/v1/sign-in/password', {
      email,
      password: PASSWORD,
      as: 'admin',
    });
    const code = new TOTP({ secret: Secret.fromBase32(totp_secret_base32) }).generate();
    const second = await client.post('/v1/sign-in/second-factor', { ticket: first.body.ticket, factor: 'totp', code });
    if (second.status !== 200)
      throw new Error(`The admin was not let in: ${JSON.stringify([first.body, second.body])}`);
    return client;
  }

  async end(): Promise<void> {
    await this.portal.stop();
    await this.payments.stop();
    await this.numbers.stop();
    await this.mail.end();
    await this.texts.end();
    await this.#end();
  }
}
