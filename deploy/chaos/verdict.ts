import type pg from 'pg';
import { brokenInvariants } from '../../domain/ledger/invariants.ts';
import type { CallRecord } from '../sip/call_record.ts';
import type { WitnessedCall } from './callers.ts';
import type { Kill } from './killer.ts';

/** The last line of the run. */
export interface ChaosVerdict {
  kills: number;
  /** That the callers themselves saw answered. */
  calls: number;
  settled_exactly_once: number;
  unsettled: number;
  settled_twice: number;
  /** Charged to wallets beyond what was ever paid into them. */
  overspend_micros: number;
  orphan_channels: number;
  /** Of calls that the switch ended for want of money: how long after the last granted second, by the caller's clock. */
  hangup_lateness_ms_p99: number;
}

/** What a person wants to know beside it, and what fails the run as well. */
export interface ChaosFindings {
  /** Between the record and what the caller measured, worst of all answered calls. */
  duration_difference_ms_max: number;
  cut_off: number;
  /** Those of them whose money ended while no controller was there: the switch ended them alone. */
  cut_off_alone: number;
  hangup_lateness_ms_max: number;
  /** Calls that either party ended while no controller was there. */
  hung_up_unheard: number;
  /** Numbers that were called and answered, without a record of it. */
  unsettled: readonly string[];
  /** Ids of calls that were answered by the switch's own records, and have no record of ours. */
  unsettled_by_switch: readonly string[];
  /** Between the record and the switch's own, worst of all. */
  switch_difference_ms_max: number;
  /** The worse of both, of those calls alone that were settled from the switch's own record: these are never off. */
  recorded_difference_ms_max: number;
  operator_loss_micros: bigint;
  by_duration_source: Readonly<Record<string, number>>;
  broken_invariants: readonly { name: string; broken: number }[];
}

/** All that was seen, by whom. */
export interface Seen {
  kills: readonly Kill[];
  witnessed: readonly WitnessedCall[];
  carrier: readonly CallRecord[];
  /** By the ids of the answered calls, what the switch recorded. */
  switch_ms: ReadonlyMap<string, number>;
  left_in_switch: number;
}

interface Settled {
  call_id: string;
  callee: string;
  duration_ms: string;
  duration_source: string;
  seconds_granted: number;
}

/** Judges by the callers' own records, the carrier's, the switch's, and the database. */
export async function judge(pool: pg.Pool, seen: Seen): Promise<{ verdict: ChaosVerdict; findings: ChaosFindings }> {
  const settled = await settledCalls(pool);
  const by_callee = byCallee(settled);
  const answered = seen.witnessed.filter(({ caller }) => caller.answered_at_ms !== undefined);
  const times = answered.map(({ number }) => by_callee.get(number)?.length ?? 0);
  const ended = cutOffs(answered, seen.carrier, by_callee);
  const unsettled = answered.filter(({ number }) => !by_callee.has(number)).map(({ number }) => number);
  const switch_view = besideSwitch(settled, seen.switch_ms);
  const recorded = settled.filter(({ duration_source }) => duration_source === 'record');
  const verdict: ChaosVerdict = {
    kills: seen.kills.length,
    calls: answered.length,
    settled_exactly_once: times.filter((count) => count === 1).length,
    // One call may be missed by both witnesses.
    unsettled: Math.max(unsettled.length, switch_view.unsettled_by_switch.length) + (await openHolds(pool)),
    settled_twice: [...by_callee.values()].filter((records) => records.length > 1).length,
    overspend_micros: Number(await overspend(pool)),
    orphan_channels: seen.left_in_switch,
    hangup_lateness_ms_p99: percentile(
      ended.map(({ late_ms }) => late_ms),
      0.99,
    ),
  };
  const findings = {
    ...switch_view,
    duration_difference_ms_max: worst(differences(answered, by_callee)),
    recorded_difference_ms_max: Math.max(
      worst(differences(answered, byCallee(recorded))),
      besideSwitch(recorded, seen.switch_ms).switch_difference_ms_max,
    ),
    cut_off: ended.length,
    cut_off_alone: ended.filter(({ at_ms }) => nobodyThere(seen.kills, at_ms)).length,
    hangup_lateness_ms_max: worst(ended.map(({ late_ms }) => late_ms)),
    hung_up_unheard: hungUpAt(answered, seen.carrier).filter((at_ms) => nobodyThere(seen.kills, at_ms)).length,
    unsettled,
    operator_loss_micros: await operatorLoss(pool),
    by_duration_source: await bySource(pool),
    broken_invariants: await brokenInvariants(pool),
  };
  return { verdict, findings };
}

const LATENESS_MS_MAX = 1000;
/** A caller's process hears of his answer and of his end some time after the switch, and more so while a controller starts beside it. */
const DIFFERENCE_MS_MAX = 500;

export function passed({ verdict, findings }: { verdict: ChaosVerdict; findings: ChaosFindings }): boolean {
  const { unsettled, settled_twice, overspend_micros, orphan_channels, hangup_lateness_ms_p99 } = verdict;
  const wrong = unsettled + settled_twice + overspend_micros + orphan_channels + findings.broken_invariants.length;
  const is_in_time = hangup_lateness_ms_p99 <= LATENESS_MS_MAX;
  const is_exact = findings.recorded_difference_ms_max <= DIFFERENCE_MS_MAX;
  return wrong === 0 && verdict.calls > 0 && findings.cut_off > 0 && is_in_time && is_exact;
}

async function settledCalls(pool: pg.Pool): Promise<readonly Settled[]> {
  const { rows } = await pool.query<Settled>(
    `select call_id, callee, duration_ms, duration_source,
            (select coalesce(sum((g ->> 'seconds')::int), 0)::int from jsonb_array_elements(grants) g) as seconds_granted
       from cdr where result = 'answered'`,
  );
  return rows;
}

function byCallee(settled: readonly Settled[]): ReadonlyMap<string, readonly Settled[]> {
  const by_callee = new Map<string, Settled[]>();
  for (const one of settled) by_callee.set(one.callee, [...(by_callee.get(one.callee) ?? []), one]);
  return by_callee;
}

/** The calls that neither party hung up, so the switch did: when, and how long after the last granted second. */
function cutOffs(
  answered: readonly WitnessedCall[],
  carrier: readonly CallRecord[],
  by_callee: ReadonlyMap<string, readonly Settled[]>,
): { at_ms: number; late_ms: number }[] {
  const ended_by_switch = new Set(carrier.filter(({ ended }) => ended?.by === 'remote').map(({ number }) => number));
  return answered.flatMap(({ number, caller }) => {
    const granted = by_callee.get(number)?.[0]?.seconds_granted;
    if (caller.ended?.by !== 'remote' || granted === undefined || caller.talked_ms === undefined) return [];
    const reached = ended_by_switch.has(number) || ended_by_switch.has(number.slice(1));
    const late_ms = Math.max(0, Math.round(caller.talked_ms - granted * 1000));
    return reached ? [{ at_ms: caller.ended.at_ms, late_ms }] : [];
  });
}

/** When callers and callees ended answered calls themselves. */
function hungUpAt(answered: readonly WitnessedCall[], carrier: readonly CallRecord[]): number[] {
  const parties = [...answered.map(({ caller }) => caller), ...carrier];
  return parties.flatMap(({ ended, answered_at_ms }) =>
    ended?.by === 'local' && answered_at_ms !== undefined ? [ended.at_ms] : [],
  );
}

function nobodyThere(kills: readonly Kill[], at_ms: number): boolean {
  return kills.some(({ died_at_ms, back_at_ms }) => at_ms >= died_at_ms && at_ms < back_at_ms);
}

function besideSwitch(
  settled: readonly Settled[],
  switch_ms: ReadonlyMap<string, number>,
): { unsettled_by_switch: string[]; switch_difference_ms_max: number } {
  const by_call = new Map(settled.map((one) => [one.call_id, Number(one.duration_ms)]));
  const differences_ms = [...switch_ms].map(([call_id, ms]) => Math.abs((by_call.get(call_id) ?? ms) - ms));
  return {
    unsettled_by_switch: [...switch_ms.keys()].filter((call_id) => !by_call.has(call_id)),
    switch_difference_ms_max: Math.round(worst(differences_ms)),
  };
}

function differences(answered: readonly WitnessedCall[], by_callee: ReadonlyMap<string, readonly Settled[]>): number[] {
  return answered.flatMap(({ number, caller }) => {
    const record = by_callee.get(number)?.[0];
    if (record === undefined || caller.talked_ms === undefined) return [];
    return [Math.round(Math.abs(Number(record.duration_ms) - caller.talked_ms))];
  });
}

function worst(values: readonly number[]): number {
  return values.reduce((most, one) => Math.max(most, one), 0);
}

function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? 0;
}

async function openHolds(pool: pg.Pool): Promise<number> {
  return count(pool, `select count(*) as n from call_hold where state = 'o'`);
}

/** Over all wallets what the calls cost beyond the payments, by the records of both and not by the balance. */
async function overspend(pool: pg.Pool): Promise<bigint> {
  const { rows } = await pool.query<{ micros: string }>(
    `select coalesce(sum(greatest(0, charged - paid_in)), 0)::text as micros
       from (select w.id,
                    (select coalesce(sum(c.net_micros + c.tax_micros), 0) from cdr c where c.wallet_id = w.id) as charged,
                    (select coalesce(sum((t.content ->> 'amount_micros')::bigint), 0) from ledger_tx t
                      where t.kind = 'topup' and t.content ->> 'wallet_id' = w.id::text) as paid_in
               from wallet w) sums`,
  );
  return BigInt(rows[0]?.micros ?? '0');
}

async function operatorLoss(pool: pg.Pool): Promise<bigint> {
  const { rows } = await pool.query<{ micros: string }>(
    'select coalesce(sum(operator_loss_micros), 0)::text as micros from cdr',
  );
  return BigInt(rows[0]?.micros ?? '0');
}

async function bySource(pool: pg.Pool): Promise<Readonly<Record<string, number>>> {
  const { rows } = await pool.query<{ duration_source: string; n: string }>(
    `select duration_source, count(*) as n from cdr where result = 'answered' group by 1`,
  );
  return Object.fromEntries(rows.map(({ duration_source, n }) => [duration_source, Number(n)]));
}

async function count(pool: pg.Pool, text: string): Promise<number> {
  const { rows } = await pool.query<{ n: string }>(text);
  return Number(rows[0]?.n ?? 0);
}
