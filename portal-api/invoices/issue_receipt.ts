import { randomUUID } from 'node:crypto';
import type { Transaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import type { Attempt } from '../payments/attempts.ts';
import { ensureBillingProfile, sealBuyer } from './billing_profile.ts';
import { nextNumber } from './next_number.ts';

/** The receipt of a payment, in the transaction that books it. It is money that was paid ahead: no tax is due before it is spent. */
export async function issueReceipt(
  context: PortalContext,
  tx: Transaction,
  { id: attempt_id, account_id, wallet_id, currency, amount_micros }: Attempt,
  now: Date,
): Promise<void> {
  const invoice_id = randomUUID();
  const buyer = await ensureBillingProfile(context, tx, account_id, now);
  const number = await nextNumber(tx, 'RCT', now);
  await tx.query(
    `insert into invoice (id, account_id, wallet_id, currency, number, kind, attempt_id, issued_at, line_count,
                          net_micros, tax_micros, rounding_micros, total_micros, buyer_sealed)
     values ($1, $2, $3, $4, $5, 'receipt', $6, $7, 1, $8, 0, 0, $8, $9)`,
    [
      ...[invoice_id, account_id, wallet_id.toString(), currency, number, attempt_id, now],
      ...[amount_micros.toString(), sealBuyer(buyer, invoice_id)],
    ],
  );
  await tx.query(
    `insert into invoice_line (invoice_id, n, tx_id, kind, at, item, what, quantity, unit, explained, net_micros, tax_micros)
     select $1, 1, t.id, t.kind, $3, t.ref, 'Money paid in advance', 1, 'piece', '{}', $4, 0
       from ledger_tx t where t.kind = 'topup' and t.ref = $2`,
    [invoice_id, attempt_id, now, amount_micros.toString()],
  );
}
