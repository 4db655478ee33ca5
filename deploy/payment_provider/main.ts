import { z } from 'zod';
import { SimulatedPaymentProvider } from './payment_provider.ts';

/** The simulated payment provider as a process of its own. One line of JSON tells when it is ready, and where. */
const settings = z
  .object({
    PAYMENT_PROVIDER_ADDRESS: z.ipv4().startsWith('127.').default('127.0.0.1'),
    PAYMENT_PROVIDER_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
    PAYMENT_WEBHOOK_SECRET: z.string().min(16),
    /** Where the portal takes events. */
    PAYMENT_WEBHOOK_URL: z.url({ protocol: /^https?$/u }),
  })
  .safeParse(process.env);
if (!settings.success) {
  console.error(`The simulated payment provider cannot start.\n${z.prettifyError(settings.error)}`);
  process.exit(1);
}

const { PAYMENT_PROVIDER_ADDRESS, PAYMENT_PROVIDER_PORT, PAYMENT_WEBHOOK_SECRET, PAYMENT_WEBHOOK_URL } = settings.data;
const provider = new SimulatedPaymentProvider({
  address: PAYMENT_PROVIDER_ADDRESS,
  port: PAYMENT_PROVIDER_PORT,
  secret: PAYMENT_WEBHOOK_SECRET,
});
provider.webhooks.url = PAYMENT_WEBHOOK_URL;
// As bad as a provider may be: each event twice, late, and the latest first.
provider.webhooks.telling = { times: 2, backwards: true, delay_ms: 500 };
await provider.start();

function stop(): void {
  provider.stop().then(
    () => process.exit(0),
    (error: unknown) => {
      console.error('The stop failed:', error);
      process.exit(1);
    },
  );
}
process.on('SIGTERM', stop);
process.on('SIGINT', stop);

const ready = { ready: true, url: provider.url };
console.log(JSON.stringify(ready));
process.send?.(ready);
