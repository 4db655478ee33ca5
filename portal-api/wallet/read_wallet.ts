import type { Queryable } from '../../domain/db/transaction.ts';
import { owedBeside } from '../payments/debts.ts';

export interface WalletView {
  wallet_id: bigint;
  currency: string;
  balance_micros: bigint;
  held_micros: bigint;
  credit_limit_micros: bigint;
  /** What can be spent now. */
  free_micros: bigint;
  /** Of a payment that a bank took back after it was spent. */
  owed_micros: bigint;
  promo: { amount_micros: bigint; expires_at: Date }[];
  packs: { name: string; prefixes: string[]; seconds_left: number; seconds_held: number; expires_at: Date }[];
}

interface WalletRow {
  id: string;
  currency: string;
  balance_micros: string;
  held_micros: string;
  credit_limit_micros: string;
  expired_micros: string;
  owed_micros: string;
  promo: { amount_micros: string; expires_at: string }[];
  packs: { name: string; prefixes: string[]; seconds_left: number; seconds_held: number; expires_at: string }[];
}

/** The wallet that an account pays from; null where it has none. */
export async function readWallet(db: Queryable, account_id: string, now: Date): Promise<WalletView | null> {
  const { rows } = await db.query<WalletRow>({
    name: 'read_wallet',
    text: `select w.id, w.currency, w.balance_micros, w.held_micros, w.credit_limit_micros, ${owedBeside('w.id')} as owed_micros,
            (select coalesce(sum(p.balance_micros), 0)::bigint from promo_credit p
              where p.wallet_id = w.id and p.balance_micros > 0 and p.expires_at <= $2) as expired_micros,
            (select coalesce(jsonb_agg(jsonb_build_object('amount_micros', p.balance_micros::text, 'expires_at', p.expires_at)
                                       order by p.spend_order, p.expires_at), '[]')
               from promo_credit p where p.wallet_id = w.id and p.balance_micros > 0 and p.expires_at > $2) as promo,
            (select coalesce(jsonb_agg(jsonb_build_object('name', m.name, 'prefixes', m.prefixes, 'seconds_left', m.seconds_left,
                                         'seconds_held', m.seconds_held, 'expires_at', m.expires_at) order by m.spend_order, m.expires_at), '[]')
               from minute_pack m where m.wallet_id = w.id and m.seconds_left > 0 and m.expires_at > $2) as packs
       from wallet w where w.account_id = $1 order by w.id limit 1`,
    values: [account_id, now],
  });
  const [row] = rows;
  if (row === undefined) return null;
  const wallet_id = BigInt(row.id);
  const [balance, held, credit] = [row.balance_micros, row.held_micros, row.credit_limit_micros].map(BigInt) as [
    bigint,
    bigint,
    bigint,
  ];
  const free = balance + credit - held - BigInt(row.expired_micros);
  return {
    ...{ wallet_id, currency: row.currency, balance_micros: balance, held_micros: held, credit_limit_micros: credit },
    free_micros: free > 0n ? free : 0n,
    owed_micros: BigInt(row.owed_micros),
    promo: row.promo.map((one) => ({ amount_micros: BigInt(one.amount_micros), expires_at: new Date(one.expires_at) })),
    packs: row.packs.map((one) => ({ ...one, expires_at: new Date(one.expires_at) })),
  };
}

export interface Entry {
  entry_id: bigint;
  kind: string;
  ref: string;
  at: Date;
  /** What the wallet gained, negative where it paid. */
  amount_micros: bigint;
  /** Of it, on promo credit. */
  promo_micros: bigint;
  /** What it was, in words. */
  what: string;
}

interface EntryRow {
  tx_id: string;
  kind: string;
  ref: string;
  created_at: Date;
  amount: string;
  promo: string;
  content: Record<string, unknown>;
  call: { direction: string; party: string | null; destination: string | null; seconds: number } | null;
  texts: number | null;
}

/**
 * Transactions of the ledger that moved a wallet, the latest first. The newest of each bucket are read by its index and merged, so that a
 * page costs the same however long the history is.
 */
export async function readEntries(
  db: Queryable,
  wallet_id: bigint,
  before_tx: string | null,
  rows_max: number,
): Promise<Entry[]> {
  const { rows } = await db.query<EntryRow>({
    name: 'read_entries',
    text: `with moved as (
             select x.tx_id, sum(x.amount_micros)::bigint as amount,
                    coalesce(sum(x.amount_micros) filter (where x.kind = 'wallet_promo'), 0)::bigint as promo
               from (select l.*, a.kind from ledger_account a cross join lateral (
                       select p.tx_id, p.amount_micros from posting p
                        where p.account_id = a.id and ($2::bigint is null or p.tx_id < $2) order by p.tx_id desc limit $3) l
                      where a.wallet_id = $1 and a.kind in ('wallet_cash', 'wallet_promo')) x
              group by x.tx_id order by x.tx_id desc limit $3)
           select m.tx_id, t.kind, t.ref, t.created_at, m.amount, m.promo, t.content,
                  case when t.kind = 'call' then (select jsonb_build_object('direction', c.direction, 'destination', c.destination,
                    'party', case c.direction when 'inbound' then c.caller else c.dialled end, 'seconds', c.seconds_billed)
                    from cdr c where c.leg_id = t.ref limit 1) end as call,
                  (t.content ->> 'texts')::int as texts
             from moved m join ledger_tx t on t.id = m.tx_id order by m.tx_id desc`,
    values: [wallet_id.toString(), before_tx, rows_max],
  });
  return rows.map(({ tx_id, kind, ref, created_at, amount, promo, ...rest }) => ({
    ...{
      entry_id: BigInt(tx_id),
      kind,
      ref,
      at: created_at,
      amount_micros: BigInt(amount),
      promo_micros: BigInt(promo),
    },
    what: whatItWas(kind, rest),
  }));
}

const WORDS: Readonly<Record<string, string>> = {
  topup: 'Money paid in',
  promo: 'Promo credit',
  promo_expiry: 'Promo credit that expired',
  text_refund: 'A text that was not delivered',
  payout: 'Money paid back',
  chargeback: 'A payment that your bank took back',
  receivable: 'Paid of what was owed',
  reversal: 'Reversed',
  credit_note: 'Credited',
  adjustment: 'Correction',
  renewal: 'Renewal',
  purchase: 'Purchase',
};

function whatItWas(kind: string, { call, texts, content }: Pick<EntryRow, 'call' | 'texts' | 'content'>): string {
  if (call !== null) {
    const way = call.direction === 'inbound' ? 'Call from' : 'Call to';
    const where = call.destination === null ? '' : ` (${call.destination})`;
    return `${way} ${call.party ?? 'an unknown number'}${where}, ${call.seconds} s`;
  }
  if (kind === 'text') return texts === 1 ? '1 text' : `${texts ?? 0} texts`;
  const { what } = content;
  const words = WORDS[kind] ?? kind;
  return typeof what === 'string' ? `${words}: ${what.replaceAll('_', ' ')}` : words;
}
