import pino from 'pino';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Queryable } from '../../../domain/db/transaction.ts';
import { Guesses } from '../../http/guesses.ts';
import { STATUS } from '../../smpp/status.ts';
import { Binder } from './binder.ts';
import { Esmes } from './esmes.ts';
import { hashPassword } from '../../../domain/texts/esmes/bind_password.ts';

const log = pino({ level: 'silent' });
const PAYER = { account_id: 'a', wallet_id: '1', currency: 'EUR', tax_ppm: 0, text_deck: 'd', home_country: 'DE' };
let stored = '';

beforeAll(async () => {
  stored = await hashPassword('secret');
});

/** A database that knows the customer `acme`. */
function database(answer: (name: string) => unknown[] | Error): { db: Queryable; asked: string[] } {
  const asked: string[] = [];
  const query = (config: { name: string; values: string[] }): Promise<{ rows: unknown[] }> => {
    asked.push(config.name);
    const answered = answer(config.name);
    if (answered instanceof Error) return Promise.reject(answered);
    return Promise.resolve({ rows: config.name === 'select_esme' && config.values[0] !== 'acme' ? [] : answered });
  };
  return { db: { query } as unknown as Queryable, asked };
}

function row(more: object = {}) {
  return {
    ...{ system_id: 'acme', account_id: 'a', password_scrypt: stored, is_enabled: true, binds_max: 1, window_max: 10 },
    ...{ texts_per_second_max: 10, tls_required: false, is_address_allowed: true },
    ...more,
  };
}

function stage(answer: (name: string) => unknown[] | Error = (name) => (name === 'select_esme' ? [row()] : [PAYER])) {
  const { db, asked } = database(answer);
  const clock = { now_ms: 0 };
  const esmes = new Esmes({ db, now_ms: () => clock.now_ms, log });
  const binder = new Binder({ db, esmes, guesses: new Guesses(() => clock.now_ms), system_id: 'us', log });
  const bind = async (
    system_id: string,
    password: string,
    { address = '192.0.2.1', is_secure = false } = {},
  ): Promise<number> => {
    const pdu = {
      ...{ command: 'bind_transceiver' as const, system_id, password, system_type: '', interface_version: 0x34 },
      ...{ addr_ton: 0, addr_npi: 0, address_range: '', tlvs: [], command_status: 0, sequence_number: 1 },
    };
    const decided = await binder.decide({ pdu, address, is_secure });
    return decided.kind === 'accepted' ? STATUS.ESME_ROK : decided.command_status;
  };
  return { bind, asked, clock };
}

describe('who may bind', () => {
  it('is whoever knows the password, as often as is allowed at a time', async () => {
    const { bind } = stage();
    expect(await bind('acme', 'secret')).toBe(STATUS.ESME_ROK);
    // It was not bound after all, so there is room again.
    await new Promise(setImmediate);
    // The password is remembered by now, so both are decided in one turn of the event loop, before either is bound.
    expect(await Promise.all([bind('acme', 'secret'), bind('acme', 'secret')])).toEqual([
      STATUS.ESME_ROK,
      STATUS.ESME_RALYBND,
    ]);
  });

  it('is not asked any more of an address that guessed too often, whatever the name, for a minute', async () => {
    const { bind, asked, clock } = stage();
    for (let n = 0; n < 20; n += 1) expect(await bind(`name-${n % 2}`, 'x')).toBe(STATUS.ESME_RINVPASWD);
    const before = asked.length;
    expect(await bind('acme', 'secret')).toBe(STATUS.ESME_RTHROTTLED);
    expect(asked).toHaveLength(before);
    expect(await bind('acme', 'secret', { address: '192.0.2.2' })).toBe(STATUS.ESME_ROK);
    clock.now_ms += 60_000;
    await new Promise(setImmediate);
    expect(await bind('acme', 'secret')).toBe(STATUS.ESME_ROK);
  });

  it('cannot be said while the database is away', async () => {
    const { bind } = stage(() => new Error('connect ECONNREFUSED'));
    expect(await bind('acme', 'secret')).toBe(STATUS.ESME_RSYSERR);
  });

  it('hears that it is not enabled only with the right password', async () => {
    const { bind } = stage(() => [row({ is_enabled: false })]);
    expect(await bind('acme', 'secret')).toBe(STATUS.ESME_RBINDFAIL);
    expect(await bind('acme', 'wrong')).toBe(STATUS.ESME_RINVPASWD);
  });

  it('comes over TLS where its row asks for that, and hears so only with the right password', async () => {
    const { bind } = stage((name) => (name === 'select_esme' ? [row({ tls_required: true })] : [PAYER]));
    expect(await bind('acme', 'secret')).toBe(STATUS.ESME_RBINDFAIL);
    expect(await bind('acme', 'wrong')).toBe(STATUS.ESME_RINVPASWD);
    expect(await bind('acme', 'secret', { is_secure: true })).toBe(STATUS.ESME_ROK);
  });
});
