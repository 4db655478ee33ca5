import { databaseLogin } from '../parts/database_login.ts';
import type { DatabaseGroup } from '../parts/database_login.ts';

/**
 * A login that may do what its group may. Roles belong to the whole cluster, and tests that run side by side share one: all of them tell
 * the same password, that of the cluster's own user, as each time that one is told it locks out whoever tells another.
 */
export function testLogin(database_url: string, group: DatabaseGroup): Promise<string> {
  return databaseLogin({ database_url, group, password: new URL(database_url).password });
}
