import type pg from 'pg';
import { explainCall } from '../../controller/explain/explain_call.ts';
import type { Story } from '../../controller/explain/story.ts';
import { sumOf } from '../../controller/explain/story.ts';
import { price, secondsFromMs, withTax } from '../../domain/rating/price.ts';
import type { Call } from '../sip/call.ts';
import type { Customer } from '../world/people.ts';
import { settledCalls, walletOf } from '../world/verdict.ts';
import type { CdrVerdict } from '../world/verdict.ts';

export type CallKind = 'outbound' | 'inbound' | 'cut_off' | 'concurrent' | 'refused';

export interface CallVerdict {
  kind: CallKind;
  cdr: CdrVerdict;
  charged_micros: bigint;
  /** Charged or talked beyond what the wallet had. */
  overspend_micros: bigint;
  explained: boolean;
  story: Story | null;
}

export interface SceneVerdict {
  calls: readonly CallVerdict[];
  /** What did not hold, in words; empty when all did. */
  faults: readonly string[];
}

/** One call as its two ends have it. */
export interface Parties {
  /** The number that was called, in E.164, by which its record is found. */
  callee: string;
  ends: readonly Call[];
}

export interface Group {
  kind: CallKind;
  customer: Customer;
  /** What the wallet had before. */
  money_micros: bigint;
  parties: readonly Parties[];
}

/** Waits until the calls of a wallet are settled and judges them by the database and by the parties' own clocks. */
export async function judge(pool: pg.Pool, group: Group): Promise<CallVerdict[]> {
  const cdrs = await settledCalls(pool, group.customer.account_id, group.parties.length);
  const verdicts: CallVerdict[] = [];
  for (const parties of group.parties) {
    const cdr = cdrs.find((one) => one.callee === parties.callee);
    if (cdr === undefined) throw new Error(`There is no record of the call to ${parties.callee}.`);
    verdicts.push(await judgeCall(pool, group.kind, cdr));
  }
  const last = verdicts.at(-1);
  if (last !== undefined) last.overspend_micros += await overspendOf(pool, group, verdicts);
  return verdicts;
}

async function judgeCall(pool: pg.Pool, kind: CallKind, cdr: CdrVerdict): Promise<CallVerdict> {
  const charged_micros = cdr.net_micros + cdr.tax_micros;
  const explanation = await explainCall(pool, cdr.leg_id, Date.now());
  const story = explanation.kind === 'told' ? (explanation.stories[0] ?? null) : null;
  const explained = story !== null && story.contradictions.length === 0 && sumOf(story.bill) === charged_micros;
  return { kind, cdr, charged_micros, overspend_micros: cdr.operator_loss_micros, explained, story };
}

/** What the wallet is short of, and what was talked beyond its money by the parties' clocks and is no operator's loss already. */
async function overspendOf(pool: pg.Pool, group: Group, verdicts: readonly CallVerdict[]): Promise<bigint> {
  const { balance_micros } = await walletOf(pool, group.customer.wallet_id);
  const talked = group.parties.reduce((sum, parties, n) => sum + talkedMicros(parties, verdicts[n]?.story ?? null), 0n);
  const lost = verdicts.reduce((sum, one) => sum + one.cdr.operator_loss_micros, 0n);
  return positive(-balance_micros) + positive(talked - group.money_micros - lost);
}

/** What the seconds that the parties talked cost, by the longer of their two records. */
function talkedMicros(parties: Parties, story: Story | null): bigint {
  const talked_ms = Math.max(0, ...parties.ends.map((end) => end.talkedMs ?? 0));
  const rate = story?.rate ?? null;
  if (rate === null || talked_ms === 0) return 0n;
  return withTax(price(secondsFromMs(Math.ceil(talked_ms)), rate.rate), rate.tax_ppm).gross;
}

function positive(micros: bigint): bigint {
  return micros > 0n ? micros : 0n;
}

/** By how much the switch's duration may differ from that of a party on the same busy machine. */
const AGREE_MS = 150;

/** Collects what does not hold. */
export class Checks {
  readonly faults: string[] = [];

  that(holds: boolean, otherwise: string): void {
    if (!holds) this.faults.push(otherwise);
  }

  /** The parties' own clocks agree with the record, and the record with its bill. */
  call(verdict: CallVerdict, parties: Parties): void {
    const { cdr, kind } = verdict;
    for (const end of parties.ends) {
      const talked_ms = end.talkedMs ?? 0;
      const differs_ms = Math.abs(talked_ms - cdr.duration_ms);
      this.that(
        differs_ms <= AGREE_MS,
        `${kind}: a party talked ${Math.round(talked_ms)} ms, the record says ${cdr.duration_ms} ms.`,
      );
    }
    const why = verdict.story?.contradictions.join(' ') ?? 'There is no story of it.';
    this.that(verdict.explained, `${kind}: the bill of ${cdr.call_id} is not explained. ${why}`);
    this.that(
      verdict.overspend_micros === 0n,
      `${kind}: ${verdict.overspend_micros} micros were spent beyond the wallet.`,
    );
  }
}
