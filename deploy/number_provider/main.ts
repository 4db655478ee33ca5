import { z } from 'zod';
import { SimulatedNumberProvider } from './number_provider.ts';
import { providerSettingsSchema } from './settings.ts';

/** The simulated provider of numbers as a process of its own. One line of JSON tells when it is ready, and where. */
const settings = providerSettingsSchema.safeParse(JSON.parse(process.env['NUMBER_PROVIDER_SETTINGS'] ?? '{}'));
if (!settings.success) {
  console.error(
    `The simulated provider cannot start: the JSON in NUMBER_PROVIDER_SETTINGS is not right.\n${z.prettifyError(settings.error)}`,
  );
  process.exit(1);
}

const provider = new SimulatedNumberProvider(settings.data, () => new Date());
await provider.start();

let stopping = false;
function stop(): void {
  if (stopping) return;
  stopping = true;
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
