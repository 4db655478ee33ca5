import type { Logger } from 'pino';
import { Outage } from '../../../domain/db/batch.ts';
import type { Queryable } from '../../../domain/db/transaction.ts';
import { payerOfAccount } from '../../accept/payer.ts';
import type { BindRequest } from '../../smpp/server.ts';
import type { BindAnswer } from '../../smpp/session_owner.ts';
import { STATUS } from '../../smpp/status.ts';
import { selectEsme } from './esme_row.ts';
import type { Esmes } from './esmes.ts';
import { Passwords } from './passwords.ts';
import { Turns } from './turns.ts';

export interface BinderOptions {
  db: Queryable;
  esmes: Esmes;
  /** Wrong ones are counted by address: counted by system_id, anybody could lock a customer out. */
  guesses: { tooMany: (address: string) => boolean; wrong: (address: string) => void };
  /** What we call ourselves. */
  system_id: string;
  log: Logger;
}

/**
 * Decides who may bind.
 *
 * An unknown system_id, a wrong password and a right one from an address that is not allowed all hear ESME_RINVPASWD, after
 * the same work: who guesses learns neither which names there are nor that a password is right. It is that status and not
 * ESME_RINVSYSID because a mistyped password is what a real customer should look for first.
 */
export class Binder {
  readonly #options: BinderOptions;
  readonly #passwords = new Passwords();
  readonly #turns = new Turns();

  constructor(options: BinderOptions) {
    this.#options = options;
  }

  async decide(request: BindRequest): Promise<BindAnswer> {
    const { pdu, address } = request;
    const { guesses, log } = this.#options;
    try {
      // One after the other, so that a hundred guesses at once are counted before they are judged. A customer's binds that come
      // back together wait for the first one's password only.
      return await this.#turns.take(address, async () =>
        guesses.tooMany(address) ? refused(STATUS.ESME_RTHROTTLED) : this.#judge(request),
      );
    } catch (error) {
      if (!Outage.is(error)) throw error;
      log.warn({ err: error, system_id: pdu.system_id }, 'a bind could not be judged while the database is away');
      return refused(STATUS.ESME_RSYSERR);
    }
  }

  async #judge({ pdu, address, is_secure }: BindRequest): Promise<BindAnswer> {
    const { db, esmes, guesses, log, system_id } = this.#options;
    const row = await selectEsme(db, pdu.system_id, address);
    const verdict = await this.#passwords.check(pdu.password, row?.password_scrypt ?? null);
    if (verdict === 'busy') {
      log.warn({ system_id: pdu.system_id, address }, 'a bind was refused: too many passwords are being checked');
      return refused(STATUS.ESME_RTHROTTLED);
    }
    if (row === null || verdict === 'wrong' || !row.is_address_allowed) {
      guesses.wrong(address);
      const why = row === null ? 'unknown system_id' : verdict === 'right' ? 'address not allowed' : 'wrong password';
      log.info({ system_id: pdu.system_id, address, why }, 'a bind was refused');
      return refused(STATUS.ESME_RINVPASWD);
    }
    // Whoever knows the password may know the rest.
    if (row.tls_required && !is_secure) {
      log.info(
        { system_id: row.system_id, address },
        'a bind was refused: it came in the clear, and is to come over TLS',
      );
      return refused(STATUS.ESME_RBINDFAIL);
    }
    const payer = row.is_enabled ? await payerOfAccount(db, row.account_id) : null;
    if (payer === null) {
      log.info({ system_id: row.system_id, address }, 'a bind was refused: it or its account is not enabled');
      return refused(STATUS.ESME_RBINDFAIL);
    }
    if (!esmes.put(row, payer).expect()) return refused(STATUS.ESME_RALYBND);
    return { kind: 'accepted', system_id };
  }
}

function refused(command_status: number): BindAnswer {
  return { kind: 'refused', command_status };
}
