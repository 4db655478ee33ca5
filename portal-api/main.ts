import { readFile } from 'node:fs/promises';
import { serviceLog } from '../domain/observe/service_log.ts';
import { readPortalSettings } from '../config/portal_settings.ts';
import { runService } from '../domain/running/run_service.ts';
import { parseKeyRing } from './key_ring_file.ts';
import { Portal } from './portal.ts';

const settings = readPortalSettings(process.env);
const log = serviceLog({ service: 'portal-api', level: settings.LOG_LEVEL });
const ring = parseKeyRing(await readFile(settings.KEY_RING_FILE, 'utf8'));
const portal = new Portal({
  ...{ settings, log, ring, now: () => new Date(), version: '1.0.0' },
  ...{ check_answers: false, keeps_crontab: true },
});
await runService(portal, log, () => ({ words: 'requests are answered', facts: { ...portal.ports } }));
