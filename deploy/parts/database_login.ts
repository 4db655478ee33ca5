import pg from 'pg';
import { Outage } from '../runtime/outage.ts';

/** A group of domain/migrations/0005_roles.sql. */
export type DatabaseGroup = 'letsdial_controller' | 'letsdial_gateway' | 'letsdial_explain' | 'letsdial_portal';

export interface DatabaseLoginOptions {
  /** Migrated; of a role that may create roles. */
  database_url: string;
  group: DatabaseGroup;
  /** Letters and digits. */
  password: string;
}

/** The URL by which a program logs in that may do what its group may, and nothing else. */
export async function databaseLogin({ database_url, group, password }: DatabaseLoginOptions): Promise<string> {
  const login = `${group}_login`;
  const url = new URL(database_url);
  url.username = login;
  url.password = password;
  if (url.username !== login) {
    throw new Outage(
      'DATABASE_URL names no host, so no other user can be put into it and nothing was started: give the host of the Postgres.',
    );
  }
  await setPassword({ database_url, login, password, group });
  return url.href;
}

export interface PasswordOptions {
  database_url: string;
  login: string;
  password: string;
  /** What the login is made in where there is none yet; null: it was made before. */
  group: DatabaseGroup | null;
}

/**
 * Roles belong to the whole cluster, so a password is told anew at each start. Two that tell one at the same moment, to
 * whichever databases of the cluster, collide; whoever does looks again.
 */
export async function setPassword({ database_url, login, password, group }: PasswordOptions): Promise<void> {
  const name = pg.escapeIdentifier(login);
  const creation =
    group === null
      ? ''
      : `if not exists (select from pg_roles where rolname = ${pg.escapeLiteral(login)}) then
           create role ${name} login in role ${pg.escapeIdentifier(group)};
         end if;`;
  const client = new pg.Client({ connectionString: database_url });
  try {
    await client.connect();
    await client.query(`do $do$ begin
      for turn in 1..20 loop
        begin
          ${creation}
          alter role ${name} password ${pg.escapeLiteral(password)};
          exit;
        exception when duplicate_object or unique_violation or internal_error then
          if turn = 20 then raise; end if;
          -- Not all after the same time, or they meet again.
          perform pg_sleep(0.1 * random());
        end;
      end loop;
    end $do$`);
  } catch (error) {
    // SQLSTATE 42501, insufficient_privilege.
    if (!(error instanceof pg.DatabaseError) || error.code !== '42501') throw error;
    throw new Outage(
      `The user of DATABASE_URL may not give the role ${login} a password (${error.message}), so nothing of Letsdial could log in by it: let that user create roles, and let it administer this one.`,
    );
  } finally {
    await client.end();
  }
}
