import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { readControllerSettings } from '../config/settings.ts';
import { Controller } from './controller.ts';

const settings = readControllerSettings(process.env);
const log = pino({ level: settings.LOG_LEVEL, base: { service: 'controller' } });
const controller = new Controller({ settings, log, owner: randomUUID() });

let stopping = false;
function stop(signal: string): void {
  if (stopping) {
    log.warn({ signal }, 'told twice: stopping at once');
    process.exit(1);
  }
  stopping = true;
  log.info({ signal }, 'draining');
  controller.stop().then(
    () => process.exit(0),
    (error: unknown) => {
      log.error({ err: error }, 'the stop failed');
      process.exit(1);
    },
  );
}
process.on('SIGTERM', () => stop('SIGTERM'));
process.on('SIGINT', () => stop('SIGINT'));
// With IPC, the parent that started us is told when calls are taken; without, the log says it.
controller.onFatal((error) => {
  log.fatal({ err: error }, 'the controller cannot go on');
  process.exit(1);
});

await controller.start();
log.info({ port: controller.port }, 'ready: calls are taken');
process.send?.({ ready: true, port: controller.port });
