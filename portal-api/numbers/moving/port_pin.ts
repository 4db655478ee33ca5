import { createHmac, randomInt } from 'node:crypto';
import type { Transaction } from '../../../domain/db/transaction.ts';
import type { KeyRing } from '../../../domain/privacy/sealing.ts';
import { isSameSecret } from '../../identity/sessions.ts';
import { ownHolding } from '../holdings/holding_rows.ts';
import { lockNumber } from '../lock_number.ts';
import { PORT_PIN_TRIES } from '../terms.ts';

const PIN_DIGITS = 10;

/** A new PIN for a number, in the place of the one before; null where the account does not hold it. It is kept as its HMAC alone. */
export async function makePortPin(
  tx: Transaction,
  ring: KeyRing,
  { number, account_id }: { number: string; account_id: string },
): Promise<{ holding_id: string; pin: string } | null> {
  await lockNumber(tx, number);
  const holding = await ownHolding(tx, number, account_id);
  if (holding === null) return null;
  const pin = Array.from({ length: PIN_DIGITS }, () => randomInt(10)).join('');
  await tx.query('update number_holding set port_pin_hmac = $2, port_pin_tries_left = $3 where id = $1', [
    ...[holding.id, hmacOf(ring, holding.id, pin), PORT_PIN_TRIES],
  ]);
  return { holding_id: holding.id, pin };
}

/**
 * Whether that is the PIN of a holding. A wrong one costs one of the tries, after which there is no PIN until a new one is made. Its
 * number's row is locked.
 */
export async function tryPortPin(tx: Transaction, ring: KeyRing, holding_id: string, pin: string): Promise<boolean> {
  const { rows } = await tx.query<{ port_pin_hmac: Buffer | null; port_pin_tries_left: number }>(
    'select port_pin_hmac, port_pin_tries_left from number_holding where id = $1',
    [holding_id],
  );
  const kept = rows[0];
  if (kept === undefined || kept.port_pin_hmac === null || kept.port_pin_tries_left <= 0) return false;
  if (isSameSecret(kept.port_pin_hmac.toString('hex'), hmacOf(ring, holding_id, pin).toString('hex'))) return true;
  await tx.query('update number_holding set port_pin_tries_left = port_pin_tries_left - 1 where id = $1', [holding_id]);
  return false;
}

/** Ten digits are soon tried through, so what is kept cannot be checked without a key that is not in the database. */
function hmacOf({ index_key }: KeyRing, holding_id: string, pin: string): Buffer {
  return createHmac('sha256', index_key).update(`port_pin\0${holding_id}\0${pin}`).digest();
}
