import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { CallState } from '../call/state.ts';

/** Of the live calls that one currency pays for. */
export interface LiveMoney {
  held_micros: number;
  burn_micros_per_second: number;
}

export interface LiveFigures {
  by_phase: Readonly<Record<CallState['phase'], number>>;
  /** By currency; one that nobody calls in is not in it. */
  money: ReadonlyMap<string, LiveMoney>;
  oldest_ms: number;
}

const CALL_BUCKETS = [1, 6, 15, 30, 60, 120, 300, 600, 1800, 3600];
const PDD_BUCKETS = [0.02, 0.05, 0.1, 0.15, 0.3, 0.6, 1, 2, 4, 8, 16];
const LATENESS_BUCKETS = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5];

/** What an operator watches. Names follow Prometheus: base units, `_total` for counters. */
export class Metrics {
  readonly registry = new Registry();
  readonly calls_total: Counter<'direction' | 'result' | 'reason'>;
  readonly attempts_total: Counter<'carrier' | 'result' | 'blame'>;
  readonly call_seconds: Histogram<'direction'>;
  readonly pdd_seconds: Histogram<'direction'>;
  readonly hangup_lateness_seconds: Histogram;
  readonly charged_micros_total: Counter<'currency'>;
  readonly operator_loss_micros_total: Counter<'currency'>;
  readonly renewals_total: Counter<'verdict'>;
  readonly reconcile_findings_total: Counter<'finding'>;
  readonly refused_addresses_total: Counter<'why'>;
  readonly clock_steps_total: Counter;
  readonly settlements_refused_total = new Counter({
    name: 'letsdial_settlements_refused_total',
    help: 'Times that the database refused a settlement or a record of a call; money stays held until somebody mends it.',
    registers: [this.registry],
  });
  readonly durations_total = new Counter<'source'>({
    name: 'letsdial_durations_total',
    help: "Answered calls by how their duration is known; where the switch's records do not come, none is by `record`.",
    labelNames: ['source'],
    registers: [this.registry],
  });
  readonly spoken_codes_total = new Counter<'outcome'>({
    name: 'letsdial_spoken_codes_total',
    help: 'Codes that were to be spoken by a call, by what became of them; many that nobody answers are a sign of pumped traffic.',
    labelNames: ['outcome'],
    registers: [this.registry],
  });

  constructor(live: () => LiveFigures) {
    const registers = [this.registry];
    // Event-loop lag, memory and CPU of the process come with the defaults.
    collectDefaultMetrics({ register: this.registry });
    const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> =>
      new Counter({ name: `letsdial_${name}_total`, help, labelNames: [...labelNames], registers });
    const seconds = <L extends string>(
      name: string,
      help: string,
      buckets: number[],
      labelNames: readonly L[],
    ): Histogram<L> =>
      new Histogram({ name: `letsdial_${name}_seconds`, help, buckets, labelNames: [...labelNames], registers });
    this.calls_total = counter(
      'calls',
      'Calls that are over, by how they ended; the reason is that of a refusal, or the Q.850 cause. ASR is answered over all.',
      ['direction', 'result', 'reason'],
    );
    this.attempts_total = counter(
      'attempts',
      'Attempts at a B-leg by carrier; the answer seizure ratio of a carrier counts only failures it is to blame for.',
      ['carrier', 'result', 'blame'],
    );
    this.charged_micros_total = counter('charged_micros', 'Charged to wallets, tax included.', ['currency']);
    this.operator_loss_micros_total = counter('operator_loss_micros', 'What late hang-ups cost beyond what was held.', [
      'currency',
    ]);
    this.renewals_total = counter('renewals', 'Renewals of holds by verdict.', ['verdict']);
    this.reconcile_findings_total = counter(
      'reconcile_findings',
      'Differences found between the switch, the database and this controller.',
      ['finding'],
    );
    this.refused_addresses_total = counter(
      'refused_addresses',
      'SIP requests without valid credentials, by what was wrong, and addresses that were blocked for it.',
      ['why'],
    );
    this.clock_steps_total = counter('clock_steps', "Steps of the switch's wall clock.", []);
    this.call_seconds = seconds(
      'call_duration',
      'Duration of answered calls; sum over count is the ACD.',
      CALL_BUCKETS,
      ['direction'],
    );
    this.pdd_seconds = seconds(
      'post_dial_delay',
      'From the arrival of a call to the first sign of the callee.',
      PDD_BUCKETS,
      ['direction'],
    );
    this.hangup_lateness_seconds = seconds(
      'hangup_lateness',
      'How much later than its granted seconds a call ended that came to their end; what is above 0 is booked to the operator.',
      LATENESS_BUCKETS,
      [],
    );
    this.#gauges(live);
  }

  #gauges(live: () => LiveFigures): void {
    const registers = [this.registry];
    new Gauge({
      name: 'letsdial_live_calls',
      help: 'Calls that are not settled yet, by phase.',
      labelNames: ['phase'],
      registers,
      collect() {
        this.reset();
        for (const [phase, count] of Object.entries(live().by_phase)) this.set({ phase }, count);
      },
    });
    new Gauge({
      name: 'letsdial_oldest_call_seconds',
      help: 'Age of the oldest live call.',
      registers,
      collect() {
        this.set(live().oldest_ms / 1000);
      },
    });
    this.#moneyGauge('letsdial_held_micros', 'Money held for live calls.', 'held_micros', live);
    this.#moneyGauge(
      'letsdial_burn_micros_per_second',
      'What live calls cost their wallets each second.',
      'burn_micros_per_second',
      live,
    );
  }

  /** A currency that was seen stays, at nothing: a line that vanished would be no zero to whoever watches. */
  #moneyGauge(name: string, help: string, figure: keyof LiveMoney, live: () => LiveFigures): void {
    const seen = new Set<string>();
    new Gauge({
      name,
      help,
      labelNames: ['currency'],
      registers: [this.registry],
      collect() {
        const { money } = live();
        for (const currency of money.keys()) seen.add(currency);
        for (const currency of seen) this.set({ currency }, money.get(currency)?.[figure] ?? 0);
      },
    });
  }
}
