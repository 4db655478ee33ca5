import type { Queryable } from '../../../domain/db/transaction.ts';

/** A customer's leave to bind, as the database has it now. */
export interface EsmeRow {
  system_id: string;
  account_id: string;
  password_scrypt: string;
  /** Itself and its account. */
  is_enabled: boolean;
  binds_max: number;
  /** Requests of one bind without an answer, in either direction. */
  window_max: number;
  /** Of all binds of the system_id together. */
  texts_per_second_max: number;
  /** Whether a bind in the clear is refused. */
  tls_required: boolean;
  /** Of texts that no priority makes codes. */
  default_class: 'normal' | 'bulk';
  /** What becomes of a text of which nobody knows whether a carrier has it. */
  on_doubt: 'resend' | 'hold';
}

const columns = `
  e.system_id, e.account_id, e.password_scrypt, e.enabled and a.state = 'active' as is_enabled, e.binds_max, e.window_max,
  e.texts_per_second_max, e.tls_required, e.default_class, e.on_doubt`;

/** Null for a system_id that nobody has. @param address that the bind comes from, without its port. */
export async function selectEsme(
  db: Queryable,
  system_id: string,
  address: string,
): Promise<(EsmeRow & { is_address_allowed: boolean }) | null> {
  const { rows } = await db.query<EsmeRow & { is_address_allowed: boolean }>({
    name: 'select_esme',
    text: `select ${columns}, e.allowed_address is null or $2::inet <<= any (e.allowed_address) as is_address_allowed
             from esme e join account a on a.id = e.account_id where e.system_id = $1`,
    // A socket that speaks both versions of IP writes an IPv4 address as one of IPv6 (RFC 4291, 2.5.5.2).
    values: [system_id, address.replace(/^::ffff:/u, '')],
  });
  return rows[0] ?? null;
}

/** Those that are still there. */
export async function selectEsmes(db: Queryable, system_ids: readonly string[]): Promise<EsmeRow[]> {
  const { rows } = await db.query<EsmeRow>({
    name: 'select_esmes',
    text: `select ${columns} from esme e join account a on a.id = e.account_id where e.system_id = any($1)`,
    values: [system_ids],
  });
  return rows;
}
