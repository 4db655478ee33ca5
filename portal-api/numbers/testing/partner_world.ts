import { randomBytes } from 'node:crypto';
import { SimulatedNumberProvider } from '../../../deploy/number_provider/number_provider.ts';
import { providerSettingsSchema } from '../../../deploy/number_provider/settings.ts';
import { PortalWorld } from '../../testing/portal_world.ts';
import { needDocumentsIn } from './documents.ts';

export interface PartnerWorld {
  world: PortalWorld;
  provider: SimulatedNumberProvider;
  /** What the provider knows us by. */
  key: string;
  end: () => Promise<void>;
}

/** A portal that has numbers of a provider which answers over HTTP and tells by webhooks, and needs no documents for any. */
export async function partnerWorld(): Promise<PartnerWorld> {
  const [key, secret] = [randomBytes(20).toString('hex'), randomBytes(20).toString('hex')];
  // It begins first, and asks for the time only once there is somebody who asks it.
  const clock = { now: () => new Date() };
  const provider = new SimulatedNumberProvider(providerSettingsSchema.parse({ key }), () => clock.now());
  await provider.start();
  const world = await PortalWorld.begin({
    ...{ NUMBER_PROVIDER_URL: provider.url, NUMBER_PROVIDER_KEY: key, NUMBER_PROVIDER_WEBHOOK_SECRET: secret },
  });
  clock.now = () => world.now();
  provider.webhook = { url: `${world.url}/v1/webhooks/number-provider`, secret };
  await needDocumentsIn(world.pool, []);
  const end = async (): Promise<void> => {
    await world.end();
    await provider.stop();
  };
  return { world, provider, key, end };
}
