import type { Logger } from 'pino';
import type { Queryable } from '../../../domain/db/transaction.ts';
import { payerOfAccount } from '../../accept/payer.ts';
import type { TextPayer } from '../../accept/payer.ts';
import { BoundEsme } from './bound_esme.ts';
import { selectEsmes } from './esme_row.ts';
import type { EsmeRow } from './esme_row.ts';

export interface EsmesOptions {
  db: Queryable;
  now_ms: () => number;
  log: Logger;
}

/** The customers that have bound since the process began: with their limits and who pays, as they were read some seconds ago. */
export class Esmes {
  readonly #options: EsmesOptions;
  readonly #by_system_id = new Map<string, BoundEsme>();
  #refreshing: Promise<void> | null = null;
  #is_asked = false;

  constructor(options: EsmesOptions) {
    this.#options = options;
  }

  get(system_id: string): BoundEsme | undefined {
    return this.#by_system_id.get(system_id);
  }

  /** One that was just read. It stays known when its binds have gone, so that binding anew is no way around its rate. */
  put(row: EsmeRow, payer: TextPayer): BoundEsme {
    const known = this.#by_system_id.get(row.system_id);
    if (known !== undefined) {
      if (known.row.password_scrypt !== row.password_scrypt) this.#unbind(known, PASSWORD_CHANGED);
      this.#set(known, row, payer);
      return known;
    }
    const esme = new BoundEsme(row, payer, this.#options.now_ms());
    this.#by_system_id.set(row.system_id, esme);
    return esme;
  }

  /** Reads those that are bound, and unbinds whoever may not be any more. What was asked while it reads is read again. */
  refresh(): Promise<void> {
    this.#is_asked = true;
    this.#refreshing ??= this.#readWhileAsked();
    return this.#refreshing;
  }

  async #readWhileAsked(): Promise<void> {
    try {
      while (this.#is_asked) {
        this.#is_asked = false;
        await this.#read();
      }
    } catch (error) {
      this.#options.log.warn(
        { err: error },
        'the customers who are bound could not be read anew; they stay as they were',
      );
    } finally {
      this.#refreshing = null;
    }
  }

  async #read(): Promise<void> {
    const bound = [...this.#by_system_id.values()].filter(({ sessions }) => sessions.size > 0);
    if (bound.length === 0) return;
    const { db } = this.#options;
    const rows = await selectEsmes(
      db,
      bound.map(({ row }) => row.system_id),
    );
    const by_id = new Map(rows.map((row) => [row.system_id, row]));
    for (const esme of bound) {
      const row = by_id.get(esme.row.system_id);
      const payer = row?.is_enabled === true ? await payerOfAccount(db, row.account_id) : null;
      if (row === undefined || payer === null) this.#unbind(esme, NOT_ENABLED);
      else if (row.password_scrypt !== esme.row.password_scrypt) this.#unbind(esme, PASSWORD_CHANGED);
      else this.#set(esme, row, payer);
    }
  }

  #set(esme: BoundEsme, row: EsmeRow, payer: TextPayer): void {
    esme.set(row, payer);
    if (!row.tls_required) return;
    const unbound = esme.unbindInTheClear();
    if (unbound > 0) this.#options.log.info({ system_id: row.system_id, unbound, why: TLS_REQUIRED }, UNBOUND);
  }

  #unbind(esme: BoundEsme, why: string): void {
    this.#options.log.info({ system_id: esme.row.system_id, why }, UNBOUND);
    esme.unbind();
  }
}

const UNBOUND = 'a customer is unbound';
const TLS_REQUIRED = 'it is to bind over TLS only from now on, and was bound in the clear';
const PASSWORD_CHANGED = 'its password was changed';
const NOT_ENABLED = 'it was disabled or removed, or its account is not active';
