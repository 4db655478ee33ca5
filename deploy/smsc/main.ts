import { z } from 'zod';
import { controlServer } from './control.ts';
import { Smsc } from './smsc.ts';
import { smscSettingsSchema } from './settings.ts';

/** The simulated carrier as a process of its own. One line of JSON tells when it is ready, and where. */
const given = process.env['SMSC_SETTINGS'] ?? '';
const settings = smscSettingsSchema.safeParse(JSON.parse(given === '' ? '{}' : given));
if (!settings.success) {
  console.error(
    `The simulated carrier cannot start: the JSON in SMSC_SETTINGS is not right.\n${z.prettifyError(settings.error)}`,
  );
  process.exit(1);
}

const { address } = settings.data;
const smsc = new Smsc(settings.data);
const control = controlServer(smsc);
await smsc.start();
await new Promise<void>((resolve, reject) => {
  control.once('error', reject);
  control.listen(settings.data.control_port, address, resolve);
});

let stopping = false;
function stop(): void {
  if (stopping) return;
  stopping = true;
  control.close();
  control.closeAllConnections();
  smsc.stop().then(
    () => process.exit(0),
    (error: unknown) => {
      console.error('The stop failed:', error);
      process.exit(1);
    },
  );
}
process.on('SIGTERM', stop);
process.on('SIGINT', stop);

const bound = control.address();
const control_port = bound !== null && typeof bound === 'object' ? bound.port : settings.data.control_port;
const ready = { ready: true, address, port: smsc.port, control_port };
console.log(JSON.stringify(ready));
process.send?.(ready);
