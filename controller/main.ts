import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { readControllerSettings } from '../config/settings.ts';
import { runService } from '../domain/running/run_service.ts';
import { Controller } from './controller.ts';

const settings = readControllerSettings(process.env);
const log = pino({ level: settings.LOG_LEVEL, base: { service: 'controller' } });
const controller = new Controller({ settings, log, owner: randomUUID() });
await runService(controller, log, () => ({ words: 'calls are taken', facts: { port: controller.port } }));
