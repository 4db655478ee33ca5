import type { Queryable } from '../db/transaction.ts';
import { ownNumber, payerWallet } from './caller_profile.ts';
import type { CallerProfile } from './caller_profile.ts';

/** What a call for help needs to know of whoever makes it. */
export type EmergencyCaller = Pick<
  CallerProfile,
  'device' | 'account_id' | 'home_country' | 'time_zone' | 'wallet_id' | 'currency' | 'caller_number'
>;

type EmergencyCallerRow = Omit<EmergencyCaller, 'wallet_id'> & { wallet_id: string | null };

/** The devices whose names come after that one, in the order of their names; fewer than `rows_max` are the last ones. */
export async function emergencyCallers(
  db: Queryable,
  after: string,
  rows_max: number,
): Promise<readonly EmergencyCaller[]> {
  const { rows } = await db.query<EmergencyCallerRow>({
    name: 'emergency_callers',
    text: `select d.username as device, a.id as account_id, a.home_country, a.time_zone, w.id as wallet_id, w.currency,
                  ${ownNumber} as caller_number
             from (select username, account_id, caller_number from sip_device
                    where enabled and username > $1 order by username limit $2) d
             join account a on a.id = d.account_id
             ${payerWallet}
            order by d.username`,
    values: [after, rows_max],
  });
  return rows.map((row) => ({ ...row, wallet_id: row.wallet_id === null ? null : BigInt(row.wallet_id) }));
}
