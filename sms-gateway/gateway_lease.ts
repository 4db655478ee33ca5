import type { Logger } from 'pino';
import type { GatewaySettings } from '../config/gateway_settings.ts';
import { LeaseKeeper } from '../domain/lease/lease_keeper.ts';

export interface GatewayLeaseParts {
  settings: Pick<GatewaySettings, 'DATABASE_URL' | 'GATEWAY_ID'>;
  /** This process. */
  owner: string;
  /** Whether any carrier is bound to. */
  works: () => boolean;
  onLost: () => void;
  log: Logger;
}

/** That this process alone sends under the gateway's name. */
export function gatewayLease({ settings, owner, works, onLost, log }: GatewayLeaseParts): LeaseKeeper {
  return new LeaseKeeper({
    database_url: settings.DATABASE_URL,
    switch_id: settings.GATEWAY_ID,
    service: 'gateway',
    works,
    owner,
    now: () => new Date(),
    retry_ms: 250,
    monotonic: () => performance.now(),
    onLost,
    log,
  });
}
