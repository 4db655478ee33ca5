import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import type { Transaction } from '../../domain/db/transaction.ts';
import { seal } from '../../domain/privacy/sealing.ts';
import type { KeyRing } from '../../domain/privacy/sealing.ts';
import { pacedAddress } from '../http/pacing.ts';
import { codeHmac, newCode } from './code_secret.ts';

export type CodePurpose =
  'registration_email' | 'registration_phone' | 'email_change' | 'phone_change' | 'password_reset';

export interface WantedCode {
  purpose: CodePurpose;
  /** The flow of a registration, or the user. */
  subject_id: string;
  data_key: { id: string; key: Buffer };
  /** An address for mail, or +E.164. */
  target: string;
  target_index: Buffer;
  /** Whoever asks; null where it is not for somebody at the other end of a connection. */
  address: string | null;
}

export interface CodeLimits {
  /** Of one purpose: otherwise whoever asks for the one would use up the other, and learn of codes that are sent where there is an account. */
  per_target_per_hour_max: number;
  per_address_per_hour_max: number;
  /** Of those to one target, by one address: a stranger alone does not use up what its owner may ask for. */
  per_target_by_address_per_hour_max?: number;
}

export const CODE_LIFE_MS = 10 * 60_000;
/** Nobody reads faster than that whether one has arrived. */
const PAUSE_MS = 30_000;
const HOUR_MS = 3_600_000;

export type Issued = { kind: 'issued'; code_id: string; code: string } | { kind: 'too_many'; wait_ms: number };

/**
 * Makes a code; the one before it for the same purpose is worth nothing from then on. Whether it is known to whom the target belongs
 * makes no difference here, nor does it take another time.
 */
export async function issueCode(
  tx: Transaction,
  ring: KeyRing,
  now: Date,
  wanted: WantedCode,
  limits: CodeLimits,
): Promise<Issued> {
  // Whoever asks for the same target at the same moment waits, and is then counted with this one.
  await tx.query('select pg_advisory_xact_lock(hashtext($1))', [`code:${wanted.target_index.toString('hex')}`]);
  const wait_ms = await pauseBeforeNext(tx, now, wanted, limits);
  if (wait_ms > 0) return { kind: 'too_many', wait_ms };
  await tx.query(
    'update verification_code set ended_at = $3 where purpose = $1 and subject_id = $2 and ended_at is null',
    [wanted.purpose, wanted.subject_id, now],
  );
  const code_id = randomUUID();
  const code = newCode();
  await tx.query(
    `insert into verification_code (id, purpose, subject_id, data_key_id, target_sealed, target_index, code_hmac, address, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      ...[code_id, wanted.purpose, wanted.subject_id, wanted.data_key.id],
      seal(wanted.data_key.key, `verification_code.target:${code_id}`, Buffer.from(wanted.target)),
      ...[wanted.target_index, codeHmac(ring, code_id, code), inetOf(wanted.address), now],
      new Date(now.getTime() + CODE_LIFE_MS),
    ],
  );
  return { kind: 'issued', code_id, code };
}

async function pauseBeforeNext(
  tx: Transaction,
  now: Date,
  { purpose, subject_id, target_index, address }: WantedCode,
  { per_target_per_hour_max, per_address_per_hour_max, per_target_by_address_per_hour_max }: CodeLimits,
): Promise<number> {
  const since = new Date(now.getTime() - HOUR_MS);
  const { rows } = await tx.query<CountedCodes>(
    // Resets are counted apart also by address: there is a code of one only where there is an account, and nobody is to learn that.
    `select (select count(*)::int from verification_code where target_index = $1 and purpose = $4 and created_at > $2) as to_target,
            (select count(*)::int from verification_code
              where address between $3 and ${lastOfNetwork('$3')} and created_at > $2
                and (purpose = 'password_reset') = ($4 = 'password_reset')) as by_address,
            (select count(*)::int from verification_code
              where target_index = $1 and purpose = $4 and created_at > $2
                and address between $3 and ${lastOfNetwork('$3')}) as to_target_by_address,
            (select max(created_at) from verification_code
              where target_index = $1 and purpose = $4 and subject_id = $5 and created_at > $2) as last_at`,
    [target_index, since, networkOf(address), purpose, subject_id],
  );
  const counted = rows[0];
  if (counted === undefined) throw new Error('A count has one row.');
  const is_too_many =
    counted.to_target >= per_target_per_hour_max ||
    counted.by_address >= per_address_per_hour_max ||
    counted.to_target_by_address >= (per_target_by_address_per_hour_max ?? Infinity);
  if (is_too_many) return HOUR_MS;
  return counted.last_at === null ? 0 : Math.max(0, counted.last_at.getTime() + PAUSE_MS - now.getTime());
}

interface CountedCodes {
  to_target: number;
  by_address: number;
  to_target_by_address: number;
  last_at: Date | null;
}

/**
 * The first of the addresses that are counted as one: whoever has one of IPv6 has the 2^64 of its network. In the order of `inet` a network
 * comes before what is in it, so that a range of an index finds them.
 */
export function networkOf(address: string | null): string | null {
  const inet = inetOf(address);
  return inet === null ? null : pacedAddress(inet);
}

/** The last of them, in SQL: `address between $3 and …`. */
export function lastOfNetwork(first: string): string {
  return `set_masklen(broadcast(${first}::inet), case family(${first}::inet) when 4 then 32 else 128 end)`;
}

/** As the database takes it; null for what is no network address. */
export function inetOf(address: string | null): string | null {
  return address !== null && isIP(address) !== 0 ? address : null;
}
