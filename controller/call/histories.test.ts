import fc from 'fast-check';
import { expect, test } from 'vitest';
import { naivePrice } from '../../domain/rating/testing/naive_price.ts';
import { heldOf } from '../../domain/calls/testing/ledger_model.ts';
import type { SettleItem } from '../../domain/calls/hold.ts';
import type { CallPlan } from './plan.ts';
import { LATENESS_MS_MAX, NEWS_MS_MAX } from './testing/model_switch.ts';
import type { MediaCall } from './testing/model_switch.ts';
import { settings } from './testing/model_plans.ts';
import { ModelWorld } from './testing/model_world.ts';
import { Tape } from './testing/tape.ts';

const HISTORIES = 100_000;

/** The seconds of a call as the switch saw them, whatever anybody recorded of it. */
function trueMs(call: MediaCall): number {
  return call.answered_at_ms === null || call.ended_at_ms === null ? 0 : call.ended_at_ms - call.answered_at_ms;
}

/** Whether the call went on to the outside, as the switch saw it. */
function wentOn(plan: CallPlan, call: MediaCall): boolean {
  return plan.tariff.forwarded !== null && (plan.target.kind === 'routes' || call.attempt > 1);
}

/** A forwarded call costs the number's own price and that of the way on; one that a phone answered the first alone, which no pack pays. */
function netPrice(plan: CallPlan, call: MediaCall, seconds: number, pack_seconds: number): bigint {
  const { rate, forwarded } = plan.tariff;
  if (forwarded === null) return naivePrice(seconds, rate, pack_seconds);
  const own = naivePrice(seconds, rate, 0);
  return wentOn(plan, call) ? own + naivePrice(seconds, forwarded.rate, pack_seconds) : own;
}

/** What is wrong with a charge, given how long the call really was; null when rate, seconds and grants explain it. */
function wrongCharge(item: SettleItem, plan: CallPlan, call: MediaCall, granted_seconds: number): string | null {
  const { tax_ppm } = plan.tariff;
  const { seconds_charged, duration_source } = item.cdr;
  const net = netPrice(plan, call, seconds_charged, item.pack_seconds);
  if (item.net_micros !== net) return `net ${item.net_micros} for ${seconds_charged} s, which cost ${net}`;
  if (item.tax_micros !== (net * BigInt(tax_ppm) + 999_999n) / 1_000_000n) return `tax ${item.tax_micros} on ${net}`;
  const true_seconds = Math.ceil(trueMs(call) / 1000);
  if (seconds_charged > granted_seconds) return `${seconds_charged} s charged, ${granted_seconds} granted`;
  // A renewal that was asked for while the news of the end was under way proves life a little too long. It counts only where
  // the controller died before it heard of the end, and the switch left no record.
  const doubt_ms = duration_source === 'proof_of_life' ? NEWS_MS_MAX : 0;
  if (seconds_charged > Math.ceil((trueMs(call) + doubt_ms) / 1000))
    return `${seconds_charged} s charged of a call of ${true_seconds} s`;
  const exact = duration_source === 'record' || duration_source === 'events';
  if (exact && true_seconds - seconds_charged > 1)
    return `${seconds_charged} s charged of ${true_seconds} s (${duration_source})`;
  return null;
}

function checkCharges(world: ModelWorld): void {
  for (const [leg_id, item] of world.ledger.settled) {
    const hold = world.ledger.holds.get(leg_id);
    const call = hold && world.media.calls.get(hold.channel_id);
    if (hold === undefined || call === undefined) throw new Error(`${leg_id} was settled and never held`);
    if (world.refused.has(leg_id) && item.net_micros + item.tax_micros + item.loss_micros > 0n)
      throw new Error(`${leg_id} was refused and charged`);
    const granted = heldOf(hold).seconds;
    const wrong = wrongCharge(item, hold.snapshot as CallPlan, call, granted);
    if (wrong !== null) throw new Error(`${leg_id}: ${wrong}`);
    const beyond_ms = trueMs(call) - (granted * 1000 - settings.deadline_guard_ms);
    if (beyond_ms > LATENESS_MS_MAX) throw new Error(`${leg_id} went on for ${beyond_ms} ms unpaid`);
  }
}

/** What the histories really contained, so that none of them is empty for want of luck. */
const seen = {
  histories: 0,
  calls: 0,
  answered: 0,
  renewed: 0,
  loss: 0,
  pack: 0,
  promo: 0,
  unheld: 0,
  /** Refused because nobody knew that the money was held. */
  refused_though_held: 0,
  cut_off_alone: 0,
  taken_over: 0,
  proof_of_life: 0,
  went_on: 0,
  went_on_unanswered: 0,
  went_on_by_pack: 0,
  answered_by_phone: 0,
  /** Rang phones alone, as the money did not pay for the way on as well. */
  phones_only: 0,
};

function countForwarded(item: SettleItem, plan: CallPlan, call: MediaCall): void {
  if (plan.routing.length > 0) seen.phones_only += 1;
  if (item.cdr.seconds_charged === 0 || plan.tariff.forwarded === null) return;
  if (!wentOn(plan, call)) seen.answered_by_phone += 1;
  else seen.went_on += 1;
  if (wentOn(plan, call) && plan.target.kind === 'devices') seen.went_on_unanswered += 1;
  if (item.pack_seconds > 0) seen.went_on_by_pack += 1;
}

function count(world: ModelWorld): void {
  seen.histories += 1;
  seen.calls += world.arrived.length;
  seen.unheld += world.ledger.unheld.size;
  seen.cut_off_alone += world.cut_off_alone;
  seen.taken_over += world.ledger.epoch > 1 ? 1 : 0;
  for (const wallet of world.ledger.wallets.values())
    seen.promo += wallet.promos.some((promo) => promo.left_micros < 120_000n) ? 1 : 0;
  for (const hold of world.ledger.holds.values()) {
    seen.renewed += hold.grants.length > 1 ? 1 : 0;
    seen.refused_though_held += world.refused.has(hold.leg_id) ? 1 : 0;
  }
  for (const [leg_id, item] of world.ledger.settled) {
    const hold = world.ledger.holds.get(leg_id);
    const call = hold && world.media.calls.get(hold.channel_id);
    if (hold !== undefined && call !== undefined) countForwarded(item, hold.snapshot as CallPlan, call);
    seen.answered += item.cdr.result === 'answered' ? 1 : 0;
    seen.loss += item.loss_micros > 0n ? 1 : 0;
    seen.pack += item.pack_seconds > 0 ? 1 : 0;
    seen.proof_of_life += item.cdr.duration_source === 'proof_of_life' ? 1 : 0;
  }
}

// A minute of a processor, of which it may get a third while other tests run.
test(`no call is granted or charged what was not held, in ${HISTORIES} histories`, { timeout: 300_000 }, () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 60, maxLength: 140, size: 'max' }), (tape) => {
      const world = new ModelWorld(new Tape(tape));
      world.run();
      checkCharges(world);
      count(world);
    }),
    { numRuns: HISTORIES, seed: 20_260_115 },
  );
  expect(seen.histories).toBe(HISTORIES);
  for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(HISTORIES / 1000);
});
