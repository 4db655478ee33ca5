import { GATEWAY_SETTING_NAMES } from '../config/gateway_settings.ts';
import { PORTAL_SETTING_NAMES } from '../config/portal_settings.ts';
import { CONTROLLER_SETTING_NAMES } from '../config/settings.ts';

export type Settings = Readonly<Record<string, string>>;

/** What the environment says of each service's own settings: they are checked by the service, which does not start with wrong ones. */
export interface ServiceSettings {
  controller: Settings;
  gateway: Settings;
  portal: Settings;
}

/**
 * Where a start puts its services together it decides how they reach each other and where everything is kept, by settings of its own; and how
 * long they drain, as it waits for them.
 */
const DECIDED = new Set([
  ...['DATABASE_URL', 'REDIS_URL', 'GATEWAY_HTTP_PORT', 'GATEWAY_SMPP_PORT', 'GATEWAY_SMPP_TLS_PORT', 'DRAIN_MS'],
  ...['CONTROLLER_HOST', 'CONTROLLER_PORT', 'GATEWAY_TLS_CERT_FILE', 'GATEWAY_TLS_KEY_FILE', 'PORTAL_HTTP_PORT'],
  ...['KEY_RING_FILE', 'DOCUMENTS_FOLDER', 'VOICEMAIL_FOLDER', 'AUDIT_HEADS_FILE'],
]);

const isDecided = (name: string): boolean => DECIDED.has(name) || name.startsWith('ASTERISK_');

/** An empty variable is as good as none. */
function given(environment: NodeJS.ProcessEnv, names: readonly string[]): Settings {
  const found = names.flatMap((name): [string, string][] => {
    const value = isDecided(name) ? '' : (environment[name] ?? '');
    return value === '' ? [] : [[name, value]];
  });
  return Object.fromEntries(found);
}

export function serviceSettings(environment: NodeJS.ProcessEnv): ServiceSettings {
  return {
    controller: given(environment, CONTROLLER_SETTING_NAMES),
    gateway: given(environment, GATEWAY_SETTING_NAMES),
    portal: given(environment, PORTAL_SETTING_NAMES),
  };
}

/** A port that the environment names; null: one that is free. What is no port is told by the service that is given it. */
export function portIn(settings: Settings, name: string): number | null {
  const port = Number(settings[name] ?? '');
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : null;
}
