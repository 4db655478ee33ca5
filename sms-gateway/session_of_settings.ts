import type { GatewaySettings } from '../config/gateway_settings.ts';
import { SESSION_DEFAULTS } from './smpp/session_settings.ts';
import type { SessionSettings } from './smpp/session_settings.ts';

/** Of whichever side of SMPP we are. */
export function sessionOf({
  RESPONSE_TIMEOUT_MS,
  ENQUIRE_LINK_MS,
}: Pick<GatewaySettings, 'RESPONSE_TIMEOUT_MS' | 'ENQUIRE_LINK_MS'>): SessionSettings {
  return {
    ...SESSION_DEFAULTS,
    request_timeout_ms: RESPONSE_TIMEOUT_MS,
    enquire_link_idle_ms: ENQUIRE_LINK_MS,
  };
}
