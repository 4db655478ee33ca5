import type { Transaction } from '../db/transaction.ts';
import { deviceDigests } from './credentials.ts';

export interface NewDevice {
  device_id: string;
  account_id: string;
  /** Lower-case letters, digits and hyphens; unique over all accounts. */
  username: string;
  /** Shown to the customer once; only its digests are stored. */
  password: string;
  caller_number: string | null;
}

/** A device works the moment this transaction commits. */
export async function createDevice(tx: Transaction, device: NewDevice): Promise<void> {
  const { ha1_md5, ha1_sha256 } = deviceDigests(device.username, device.password);
  await tx.query(
    `insert into sip_device (id, account_id, username, ha1_md5, ha1_sha256, caller_number) values ($1, $2, $3, $4, $5, $6)`,
    [device.device_id, device.account_id, device.username, ha1_md5, ha1_sha256, device.caller_number],
  );
}
