import { join } from 'node:path';
import { migrate } from '../../domain/db/migrate.ts';
import { keptSecret } from '../runtime/process/secret.ts';
import { immortal } from '../runtime/running.ts';
import type { Running } from '../runtime/running.ts';
import type { Part } from '../supervise/part.ts';
import { databaseLogin } from './database_login.ts';
import type { DatabaseGroup } from './database_login.ts';

/** By which URL each program logs in. */
export interface Schema extends Running {
  controller_url: string;
  gateway_url: string;
  portal_url: string;
  explain_url: string;
}

export interface SchemaPartOptions {
  home: string;
  /** Of a role that may make tables and roles. */
  database_url: string;
  /** Of a login that was made by hand; null: one that is made here, its password kept beside the others. */
  controller_database_url: string | null;
  /** The same for the gateway of texts. */
  gateway_database_url: string | null;
  /** The same for the portal's API. */
  portal_database_url: string | null;
}

/** Brings the database to this version, with a login for each program that uses it; nothing of it runs on. */
export function schemaPart({
  home,
  database_url,
  controller_database_url,
  gateway_database_url,
  portal_database_url,
}: SchemaPartOptions): Part<Schema> {
  const login = async (group: DatabaseGroup, secret: string): Promise<string> =>
    databaseLogin({ database_url, group, password: await keptSecret(join(home, 'secrets', secret)) });
  return {
    name: 'Schema',
    start: async () => {
      const applied = await migrate(database_url);
      return {
        describe: applied.length === 0 ? 'Schema is up to date' : `Schema: ${applied.length} migration(s) applied`,
        controller_url: controller_database_url ?? (await login('letsdial_controller', 'controller-database')),
        gateway_url: gateway_database_url ?? (await login('letsdial_gateway', 'gateway-database')),
        portal_url: portal_database_url ?? (await login('letsdial_portal', 'portal-database')),
        explain_url: await login('letsdial_explain', 'explain-database'),
        stop: () => Promise.resolve(),
        kill: () => undefined,
        died: immortal,
      };
    },
  };
}
