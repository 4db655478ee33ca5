import { randomBytes } from 'node:crypto';
import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { createDevice } from '../../domain/devices/create_device.ts';
import { deviceDigests } from '../../domain/devices/credentials.ts';

export interface Device {
  id: string;
  label: string | null;
  username: string;
  enabled: boolean;
  caller_number: string | null;
  created_at: Date;
  version: number;
}

export interface DeviceCredentials {
  username: string;
  password: string;
}

export const DEVICES_MAX = 20;

const columns = 'id, label, username, enabled, caller_number, created_at, version';

export async function listDevices(db: Queryable, account_id: string): Promise<Device[]> {
  const { rows } = await db.query<Device>(
    `select ${columns} from sip_device where account_id = $1 order by created_at, id`,
    [account_id],
  );
  return rows;
}

export async function selectDevice(db: Queryable, id: string, account_id: string): Promise<Device | null> {
  const { rows } = await db.query<Device>(`select ${columns} from sip_device where id = $1 and account_id = $2`, [
    id,
    account_id,
  ]);
  return rows[0] ?? null;
}

export interface DeviceWish {
  device_id: string;
  account_id: string;
  label: string;
  caller_number: string | null;
}

export type Added =
  { kind: 'added'; device: Device; credentials: DeviceCredentials } | { kind: 'too_many' | 'not_your_number' };

/** A phone can register by these credentials from the commit on; the password is told here, and kept as its digests alone. */
export async function addDevice(tx: Transaction, wish: DeviceWish): Promise<Added> {
  const { device_id, account_id, label, caller_number } = wish;
  // Two at once would each not see the other.
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 22))', [account_id]);
  if (caller_number !== null && !(await mayShow(tx, account_id, caller_number))) return { kind: 'not_your_number' };
  const before = await selectDevice(tx, device_id, account_id);
  if (before !== null) return remake(tx, before, account_id);
  if ((await listDevices(tx, account_id)).length >= DEVICES_MAX) return { kind: 'too_many' };
  const credentials = { username: `ld-${randomBytes(5).toString('hex')}`, password: newPassword() };
  await createDevice(tx, { device_id, account_id, caller_number, ...credentials });
  await tx.query('update sip_device set label = $2 where id = $1', [device_id, label]);
  const device = await selectDevice(tx, device_id, account_id);
  if (device === null) throw new Error(`Device ${device_id} was not made.`);
  return { kind: 'added', device, credentials };
}

/** It was made by a request whose answer was lost, and nobody knows its password. */
async function remake(tx: Transaction, before: Device, account_id: string): Promise<Added> {
  const made = await newCredentials(tx, before.id, account_id);
  return made === null ? { kind: 'too_many' } : { kind: 'added', ...made };
}

/** A new password; who registers by the old one is out. */
export async function newCredentials(
  tx: Transaction,
  device_id: string,
  account_id: string,
): Promise<{ device: Device; credentials: DeviceCredentials } | null> {
  const before = await selectDevice(tx, device_id, account_id);
  if (before === null) return null;
  const credentials = { username: before.username, password: newPassword() };
  const { ha1_md5, ha1_sha256 } = deviceDigests(credentials.username, credentials.password);
  await tx.query('update sip_device set ha1_md5 = $2, ha1_sha256 = $3, version = version + 1 where id = $1', [
    ...[device_id, ha1_md5, ha1_sha256],
  ]);
  return { device: { ...before, version: before.version + 1 }, credentials };
}

export interface DeviceChange {
  label?: string | undefined;
  enabled?: boolean | undefined;
  /** Null: none is shown. */
  caller_number?: string | null | undefined;
}

export type Changed =
  { kind: 'changed'; device: Device } | { kind: 'not_found' | 'changed_meanwhile' | 'not_your_number' };

export async function changeDevice(
  tx: Transaction,
  { id, account_id, version }: { id: string; account_id: string; version: number },
  change: DeviceChange,
): Promise<Changed> {
  const device = await selectDevice(tx, id, account_id);
  if (device === null) return { kind: 'not_found' };
  const next = {
    label: change.label ?? device.label,
    enabled: change.enabled ?? device.enabled,
    caller_number: change.caller_number === undefined ? device.caller_number : change.caller_number,
  };
  const is_new = next.caller_number !== device.caller_number;
  if (is_new && next.caller_number !== null && !(await mayShow(tx, account_id, next.caller_number))) {
    return { kind: 'not_your_number' };
  }
  const { rows } = await tx.query<Device>(
    `update sip_device set label = $3, enabled = $4, caller_number = $5, version = version + 1
      where id = $1 and version = $2 returning ${columns}`,
    [id, version, next.label, next.enabled, next.caller_number],
  );
  return rows[0] === undefined ? { kind: 'changed_meanwhile' } : { kind: 'changed', device: rows[0] };
}

export async function removeDevice(db: Queryable, id: string, account_id: string): Promise<boolean> {
  const { rowCount } = await db.query('delete from sip_device where id = $1 and account_id = $2', [id, account_id]);
  return (rowCount ?? 0) > 0;
}

/** A number that the account holds, or has proven to be its own; its row stays so until the commit. */
async function mayShow(tx: Transaction, account_id: string, number: string): Promise<boolean> {
  const held = await tx.query(
    `select from did where number = $2 and account_id = $1 and state = 'active' for no key update`,
    [account_id, number],
  );
  if (held.rows.length > 0) return true;
  const verified = await tx.query('select from verified_caller where account_id = $1 and number = $2', [
    account_id,
    number,
  ]);
  return verified.rows.length > 0;
}

const newPassword = (): string => randomBytes(18).toString('base64url');
