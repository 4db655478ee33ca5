import type { Queryable } from '../../domain/db/transaction.ts';

/** Whoever pays for texts, as it was read some seconds ago; what must be exact is checked again when a text is charged. */
export interface TextPayer {
  account_id: string;
  wallet_id: bigint;
  currency: string;
  tax_ppm: number;
  text_deck: string;
  home_country: string;
  /** Digits of E.164 without the plus. */
  blocked_prefixes: readonly string[];
}

type PayerRow = Omit<TextPayer, 'wallet_id'> & { wallet_id: string };

/** An account pays from its first wallet. */
const payerColumns = `
  a.id as account_id, w.id as wallet_id, w.currency, a.tax_ppm, a.text_deck, a.home_country,
  coalesce((select l.blocked_prefixes from call_limit l where l.account_id = a.id), '{}') as blocked_prefixes`;
const payerWallet = `join lateral (select id, currency from wallet where account_id = a.id order by id limit 1) w on true`;

function payerOf(row: PayerRow): TextPayer {
  return { ...row, wallet_id: BigInt(row.wallet_id) };
}

/** By the SHA-256 of the key's secret, in hex; null for a key that is unknown, revoked, or not for texts. */
export async function payerOfApiKey(db: Queryable, secret_sha256: string): Promise<TextPayer | null> {
  const { rows } = await db.query<PayerRow>({
    name: 'payer_of_api_key',
    text: `select ${payerColumns} from api_key k join account a on a.id = k.account_id ${payerWallet}
            where k.secret_sha256 = $1 and k.revoked_at is null and 'texts' = any(k.scopes)`,
    values: [secret_sha256],
  });
  return rows[0] === undefined ? null : payerOf(rows[0]);
}

export async function payerOfAccount(db: Queryable, account_id: string): Promise<TextPayer | null> {
  const { rows } = await db.query<PayerRow>({
    name: 'payer_of_account',
    text: `select ${payerColumns} from account a ${payerWallet} where a.id = $1`,
    values: [account_id],
  });
  return rows[0] === undefined ? null : payerOf(rows[0]);
}
