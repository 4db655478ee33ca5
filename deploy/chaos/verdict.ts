import type pg from 'pg';
import { brokenInvariants } from '../../domain/ledger/invariants.ts';
import type { CallRecord } from '../sip/call_record.ts';
import type { WitnessedCall } from './callers.ts';

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
  /** Numbers that were called and answered, without a record of it. */
  unsettled: readonly string[];
  operator_loss_micros: bigint;
  by_duration_source: Readonly<Record<string, number>>;
  broken_invariants: readonly { name: string; broken: number }[];
}

interface Settled {
  callee: string;
  duration_ms: string;
  duration_source: string;
  seconds_granted: number;
}

/** Judges by the callers' own records, the carrier's, and the database. */
export async function judge(
  pool: pg.Pool,
  seen: { kills: number; witnessed: readonly WitnessedCall[]; carrier: readonly CallRecord[]; left_in_switch: number },
): Promise<{ verdict: ChaosVerdict; findings: ChaosFindings }> {
  const settled = await settledByCallee(pool);
  const answered = seen.witnessed.filter(({ caller }) => caller.answered_at_ms !== undefined);
  const times = answered.map(({ number }) => settled.get(number)?.length ?? 0);
  const cut_off = latenesses(answered, seen.carrier, settled);
  const verdict: ChaosVerdict = {
    kills: seen.kills,
    calls: answered.length,
    settled_exactly_once: times.filter((count) => count === 1).length,
    unsettled: times.filter((count) => count === 0).length + (await openHolds(pool)),
    settled_twice: [...settled.values()].filter((records) => records.length > 1).length,
    overspend_micros: Number(await overspend(pool)),
    orphan_channels: seen.left_in_switch,
    hangup_lateness_ms_p99: percentile(cut_off, 0.99),
  };
  const findings = {
    duration_difference_ms_max: differences(answered, settled).reduce((worst, one) => Math.max(worst, one), 0),
    cut_off: cut_off.length,
    unsettled: answered.filter(({ number }) => !settled.has(number)).map(({ number }) => number),
    operator_loss_micros: await operatorLoss(pool),
    by_duration_source: await bySource(pool),
    broken_invariants: await brokenInvariants(pool),
  };
  return { verdict, findings };
}

const LATENESS_MS_MAX = 1000;

export function passed({ verdict, findings }: { verdict: ChaosVerdict; findings: ChaosFindings }): boolean {
  const { unsettled, settled_twice, overspend_micros, orphan_channels, hangup_lateness_ms_p99 } = verdict;
  const wrong = unsettled + settled_twice + overspend_micros + orphan_channels + findings.broken_invariants.length;
  return wrong === 0 && verdict.calls > 0 && hangup_lateness_ms_p99 <= LATENESS_MS_MAX;
}

async function settledByCallee(pool: pg.Pool): Promise<ReadonlyMap<string, readonly Settled[]>> {
  const { rows } = await pool.query<Settled>(
    `select callee, duration_ms, duration_source,
            (select coalesce(sum((g ->> 'seconds')::int), 0)::int from jsonb_array_elements(grants) g) as seconds_granted
       from cdr where result = 'answered'`,
  );
  const by_callee = new Map<string, Settled[]>();
  for (const row of rows) by_callee.set(row.callee, [...(by_callee.get(row.callee) ?? []), row]);
  return by_callee;
}

/** Neither party hung up, so the switch did; how much longer than granted the caller was connected. */
function latenesses(
  answered: readonly WitnessedCall[],
  carrier: readonly CallRecord[],
  settled: ReadonlyMap<string, readonly Settled[]>,
): number[] {
  const ended_by_switch = new Set(carrier.filter(({ ended }) => ended?.by === 'remote').map(({ number }) => number));
  return answered.flatMap(({ number, caller }) => {
    const granted = settled.get(number)?.[0]?.seconds_granted;
    if (caller.ended?.by !== 'remote' || granted === undefined || caller.talked_ms === undefined) return [];
    const reached = ended_by_switch.has(number) || ended_by_switch.has(number.slice(1));
    return reached ? [Math.max(0, Math.round(caller.talked_ms - granted * 1000))] : [];
  });
}

function differences(answered: readonly WitnessedCall[], settled: ReadonlyMap<string, readonly Settled[]>): number[] {
  return answered.flatMap(({ number, caller }) => {
    const record = settled.get(number)?.[0];
    if (record === undefined || caller.talked_ms === undefined) return [];
    return [Math.round(Math.abs(Number(record.duration_ms) - caller.talked_ms))];
  });
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
