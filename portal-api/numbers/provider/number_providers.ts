import type { PortalSettings } from '../../../config/portal_settings.ts';
import { HttpProvider } from './http_provider.ts';
import type { NumberProvider, NumberProviders } from './number_provider.ts';
import { stockProvider } from './stock_provider.ts';

/** Those that are set up: our own stock always, the partner where it is known how it is reached. */
export function numberProviders({
  NUMBER_PROVIDER_URL: url,
  NUMBER_PROVIDER_KEY: key,
}: PortalSettings): NumberProviders {
  const providers = new Map<string, NumberProvider>([['stock', stockProvider]]);
  if (url !== undefined && key !== undefined) providers.set('partner', new HttpProvider({ url, key }));
  return providers;
}
