import type { PartName } from '../root/parts.ts';

/** The programs a Letsdial needs, wherever they were found. All paths absolute. */
export interface Programs {
  postgres: PostgresPrograms;
  /** valkey-server or redis-server. */
  valkey_server: string;
  asterisk: AsteriskPrograms;
  sipp: string;
  /** To be preloaded, so that a program sees another clock. */
  libfaketime: string;
  /** Where each of the three servers comes from, for a person to read. */
  origin: Readonly<Record<ServerName, 'machine' | 'private'>>;
}

export type ServerName = Extract<PartName, 'postgres' | 'valkey' | 'asterisk'>;

export interface PostgresPrograms {
  major: number;
  /** Holds `postgres`, `initdb`, `psql`, `pg_dump`. */
  folder: string;
}

export interface AsteriskPrograms {
  asterisk: string;
  /** `astmoddir` of asterisk.conf. */
  modules: string;
  /** `astdatadir` and `astvarlibdir` of asterisk.conf: holds `sounds`, `documentation` and `rest-api`. */
  data: string;
}
