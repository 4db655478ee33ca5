import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { runMigrations } from 'graphile-worker';
import knex from 'knex';
import pg from 'pg';
import type { Knex } from 'knex';

const folder = fileURLToPath(new URL('../migrations/', import.meta.url));

/** Migrations are plain SQL files, applied in the order of their names, each in a transaction of its own. */
const sqlFiles: Knex.MigrationSource<string> = {
  getMigrations: async () => (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort(),
  getMigrationName: (name) => name,
  getMigration: async (name) => {
    const sql = await readFile(path.join(folder, name), 'utf8');
    return {
      // A migration waits for a lock for at most this long: behind a waiting one, every call would wait too.
      up: async (trx) => {
        await trx.raw("set local lock_timeout = '5s'");
        await trx.raw(sql.replaceAll('?', String.raw`\?`));
      },
      down: () => Promise.reject(new Error(`${name} is not undone: write the next migration instead`)),
    };
  },
};

/** Brings the database at `url` to the newest version. Safe to call at every start and from several processes. */
export async function migrate(url: string): Promise<readonly string[]> {
  const db = knex({ client: 'pg', connection: url, pool: { min: 0, max: 2 } });
  const turn = new pg.Client({ connectionString: url });
  await turn.connect();
  try {
    // Two services that start together take turns; the second finds nothing left to do.
    await turn.query("select pg_advisory_lock(hashtext('schema_migration'))");
    const [, applied] = (await db.migrate.latest({ migrationSource: sqlFiles, tableName: 'schema_migration' })) as [
      number,
      string[],
    ];
    await migrateTasks(turn, url);
    return applied;
  } finally {
    await turn.end();
    await db.destroy();
  }
}

/** The tasks of the portal have a schema of their own, which their package brings up to date; whoever runs them works in it. */
async function migrateTasks(client: pg.Client, url: string): Promise<void> {
  await runMigrations({ connectionString: url });
  await client.query(
    `revoke execute on all functions in schema graphile_worker from public;
     grant usage on schema graphile_worker to letsdial_portal;
     grant select, insert, update, delete on all tables in schema graphile_worker to letsdial_portal;
     grant usage, select on all sequences in schema graphile_worker to letsdial_portal;
     grant execute on all functions in schema graphile_worker to letsdial_portal`,
  );
  // Its tables are closed to everybody but their owner row by row, beyond what is granted.
  await client.query(
    `do $$
     declare
       t text;
     begin
       for t in select c.relname from pg_class c
                 where c.relnamespace = 'graphile_worker'::regnamespace and c.relkind = 'r' and c.relrowsecurity
                   and not exists (select 1 from pg_policy p where p.polrelid = c.oid and p.polname = 'letsdial_portal')
       loop
         execute format('create policy letsdial_portal on graphile_worker.%I to letsdial_portal using (true) with check (true)', t);
       end loop;
     end $$`,
  );
}
