import { randomUUID } from 'node:crypto';
import { serviceLog } from '../domain/observe/service_log.ts';
import { readControllerSettings } from '../config/settings.ts';
import { runService } from '../domain/running/run_service.ts';
import { Controller } from './controller.ts';

const settings = readControllerSettings(process.env);
const log = serviceLog({ service: 'controller', level: settings.LOG_LEVEL });
const controller = new Controller({ settings, log, owner: randomUUID() });
await runService(controller, log, () => ({ words: 'calls are taken', facts: { port: controller.port } }));
