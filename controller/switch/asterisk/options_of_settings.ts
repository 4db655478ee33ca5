import type { Logger } from 'pino';
import type { ControllerSettings } from '../../../config/settings.ts';
import type { AsteriskSwitchOptions } from './options.ts';

export function switchOptions(settings: ControllerSettings, log: Logger): AsteriskSwitchOptions {
  return {
    ari: { url: settings.ASTERISK_ARI_URL, user: settings.ASTERISK_ARI_USER, password: settings.ASTERISK_ARI_PASSWORD },
    ami: {
      host: settings.ASTERISK_AMI_HOST,
      port: settings.ASTERISK_AMI_PORT,
      user: settings.ASTERISK_AMI_USER,
      password: settings.ASTERISK_AMI_PASSWORD,
    },
    cdr_file: settings.ASTERISK_CDR_FILE,
    request_timeout_ms: 2000,
    heartbeat_ms: 1000,
    reconnect_ms: { first: 100, most: 2000 },
    problem: (error) => log.warn({ err: error }, 'the switch'),
  };
}
