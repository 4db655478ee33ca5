import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { hashPassword, newPassword } from '../../domain/texts/esmes/bind_password.ts';
import type { EsmeSettings, EsmeTold } from './esme_shapes.ts';

export const ESMES_MAX = 20;

const columns = `
  e.system_id, e.account_id, e.enabled, e.binds_max, e.window_max, e.texts_per_second_max,
  (select jsonb_agg(host(a) || '/' || masklen(a)) from unnest(e.allowed_address) a) as allowed_addresses,
  e.address_range, e.tls_required, e.default_class, e.on_doubt, e.created_at, e.version`;

export async function esmesOf(db: Queryable, account_id: string): Promise<EsmeTold[]> {
  const { rows } = await db.query<EsmeTold>(
    `select ${columns} from esme e where e.account_id = $1 order by e.created_at, e.system_id limit $2`,
    [account_id, ESMES_MAX],
  );
  return rows;
}

export async function selectEsme(db: Queryable, system_id: string): Promise<EsmeTold | null> {
  const { rows } = await db.query<EsmeTold>(`select ${columns} from esme e where e.system_id = $1`, [system_id]);
  return rows[0] ?? null;
}

/** Its row stays as it is until the transaction ends. */
export async function lockEsme(tx: Transaction, system_id: string): Promise<EsmeTold | null> {
  const { rows } = await tx.query<EsmeTold>(
    `select ${columns} from esme e where e.system_id = $1 for no key update of e`,
    [system_id],
  );
  return rows[0] ?? null;
}

export interface NewEsme {
  system_id: string;
  account_id: string;
  settings: EsmeSettings;
  operation_id: string;
  at: Date;
}

export type Made = { kind: 'made'; password: string } | { kind: 'taken' | 'too_many' | 'no_account' };

/** The password is told here, and kept as its hash alone. Asked once more by the same request, whose answer was lost, it is a new one. */
export async function makeEsme(tx: Transaction, wish: NewEsme): Promise<Made> {
  const { system_id, account_id, settings, operation_id, at } = wish;
  const account = await tx.query('select 1 from account where id = $1 for no key update', [account_id]);
  if (account.rows.length === 0) return { kind: 'no_account' };
  const known = await tx.query<{ is_ours: boolean }>(
    'select coalesce(operation_id = $2 and account_id = $3, false) as is_ours from esme where system_id = $1',
    [system_id, operation_id, account_id],
  );
  const [before] = known.rows;
  if (before !== undefined) {
    return before.is_ours ? { kind: 'made', password: await renewPassword(tx, system_id) } : { kind: 'taken' };
  }
  if ((await esmesOf(tx, account_id)).length >= ESMES_MAX) return { kind: 'too_many' };
  const password = newPassword();
  const { rows } = await tx.query(
    `insert into esme (system_id, account_id, password_scrypt, enabled, binds_max, window_max, texts_per_second_max, allowed_address,
                       address_range, tls_required, default_class, on_doubt, operation_id, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) on conflict do nothing returning 1`,
    [system_id, account_id, await hashPassword(password), ...valuesOf(settings), operation_id, at],
  );
  return rows.length === 0 ? { kind: 'taken' } : { kind: 'made', password };
}

/** Of a row that is locked. */
export async function editEsme(tx: Transaction, system_id: string, settings: EsmeSettings): Promise<void> {
  await tx.query(
    `update esme set enabled = $2, binds_max = $3, window_max = $4, texts_per_second_max = $5, allowed_address = $6, address_range = $7,
            tls_required = $8, default_class = $9, on_doubt = $10, version = version + 1
      where system_id = $1`,
    [system_id, ...valuesOf(settings)],
  );
}

/** Whoever is bound by the one before is unbound. */
export async function renewPassword(tx: Transaction, system_id: string): Promise<string> {
  const password = newPassword();
  await tx.query('update esme set password_scrypt = $2, version = version + 1 where system_id = $1', [
    system_id,
    await hashPassword(password),
  ]);
  return password;
}

function valuesOf(settings: EsmeSettings): unknown[] {
  const { enabled, binds_max, window_max, texts_per_second_max, allowed_addresses, address_range } = settings;
  return [
    ...[enabled, binds_max, window_max, texts_per_second_max, allowed_addresses, address_range],
    ...[settings.tls_required, settings.default_class, settings.on_doubt],
  ];
}
