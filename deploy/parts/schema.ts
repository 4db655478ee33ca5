import { migrate } from '../../domain/db/migrate.ts';
import { immortal } from '../runtime/running.ts';
import type { Part } from '../supervise/part.ts';

/** Brings the database to this version; nothing of it runs on. */
export function schemaPart(database_url: string): Part {
  return {
    name: 'Schema',
    start: async () => {
      const applied = await migrate(database_url);
      return {
        describe: applied.length === 0 ? 'Schema is up to date' : `Schema: ${applied.length} migration(s) applied`,
        stop: () => Promise.resolve(),
        kill: () => undefined,
        died: immortal,
      };
    },
  };
}
