/** The database with every migration applied, that each test file's own is a copy of. */
export const TEMPLATE = 'migrated';

/** The same server and user, another database. */
export function databaseUrl(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
