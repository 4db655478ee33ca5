import type { PortalContext } from '../context.ts';
import { LocalProvider } from './local_provider.ts';
import type { PaymentProvider } from './payment_provider.ts';
import { StripeProvider } from './stripe_provider.ts';

/** The provider that the settings name; null where they leave out what it needs, and no payments are taken. */
export function chooseProvider({ settings }: Pick<PortalContext, 'settings'>): PaymentProvider | null {
  const { PAYMENT_PROVIDER, PAYMENT_PROVIDER_URL, PAYMENT_WEBHOOK_SECRET, STRIPE_SECRET_KEY } = settings;
  if (PAYMENT_WEBHOOK_SECRET === undefined) return null;
  if (PAYMENT_PROVIDER === 'stripe') {
    if (STRIPE_SECRET_KEY === undefined) return null;
    return new StripeProvider({
      secret_key: STRIPE_SECRET_KEY,
      webhook_secret: PAYMENT_WEBHOOK_SECRET,
      url: PAYMENT_PROVIDER_URL ?? null,
    });
  }
  if (PAYMENT_PROVIDER_URL === undefined) return null;
  return new LocalProvider({ url: PAYMENT_PROVIDER_URL, secret: PAYMENT_WEBHOOK_SECRET });
}
