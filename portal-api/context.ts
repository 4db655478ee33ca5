import type pg from 'pg';
import type { Logger } from 'pino';
import type { PortalSettings } from '../config/portal_settings.ts';
import type { DataKeys } from '../domain/privacy/data_keys.ts';
import type { KeyRing } from '../domain/privacy/sealing.ts';
import type { Route } from './http/route.ts';
import type { Sessions } from './identity/sessions.ts';
import type { Task } from './jobs/task.ts';

/** What every area of the portal is given. */
export interface PortalContext {
  settings: PortalSettings;
  pool: pg.Pool;
  keys: DataKeys;
  ring: KeyRing;
  sessions: Sessions;
  cookie_name: string;
  /** The time of day. */
  now: () => Date;
  log: Logger;
}

/** One area: what it answers, and what it does by itself. */
export interface Area {
  routes: readonly Route[];
  tasks: readonly Task[];
  /** What it needs besides requests and tasks. */
  start?: () => Promise<void>;
  /** Ends what would keep a connection open. */
  stop?: () => Promise<void>;
}
