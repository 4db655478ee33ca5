import type { PortalContext } from '../context.ts';
import { httpVerifier } from './http_verifier.ts';
import { localVerifier } from './verifier.ts';
import type { Verifier } from './verifier.ts';

/** As the settings say; null: nobody but people looks at documents. */
export function chooseVerifier({ settings, now }: Pick<PortalContext, 'settings' | 'now'>): Verifier | null {
  const { KYC_VERIFIER, KYC_VERIFIER_URL: url, KYC_VERIFIER_SECRET: secret } = settings;
  switch (KYC_VERIFIER) {
    case 'none':
      return null;
    case 'local':
      return localVerifier(now);
    case 'http':
      if (url === undefined || secret === undefined) throw new Error('The settings of the verifier were not checked.');
      return httpVerifier({ url, secret, now });
  }
}
