import { heldOf } from './ledger_model.ts';
import type { LedgerModel } from './ledger_model.ts';

/** The rules of money that the model itself breaks right now, in words; empty when all of them hold. */
export function brokenRules(model: LedgerModel): string[] {
  const broken: string[] = [];
  for (const [id, wallet] of model.wallets) {
    const floor = model.balanceMicros(id) + wallet.credit_limit_micros - model.heldMicros(id);
    if (floor < 0n) broken.push(`wallet ${id} is ${floor} below its floor`);
    for (const promo of wallet.promos)
      if (promo.left_micros < 0n) broken.push(`wallet ${id} has overspent promo credit`);
  }
  for (const [id, pack] of model.packs) {
    const over = model.packSecondsHeld(id) - pack.seconds_left;
    if (over > 0 || pack.seconds_left < 0) broken.push(`pack ${id} is oversold by ${over} s`);
  }
  for (const hold of model.holds.values()) {
    const item = model.settled.get(hold.leg_id);
    if (hold.open !== (item === undefined)) broken.push(`leg ${hold.leg_id} is neither open nor settled`);
    const { micros, pack_seconds } = heldOf(hold);
    if (item !== undefined && (item.net_micros + item.tax_micros > micros || item.pack_seconds > pack_seconds))
      broken.push(`leg ${hold.leg_id} is charged more than it held`);
  }
  return broken;
}
