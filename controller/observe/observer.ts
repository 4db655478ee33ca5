import type { CallSession } from '../call/session.ts';
import type { CallEffect, CallEvent, CallState } from '../call/state.ts';
import type { SettleItem } from '../../domain/calls/hold.ts';
import type { Metrics } from './metrics.ts';

/** Turns the steps of calls into metrics and log lines. Numbers of people stay out of the log; the call id leads to them. */
export class Observer {
  readonly #metrics: Metrics;
  readonly #deadline_guard_ms: number;

  /** @param deadline_guard_ms how long before the last granted second is over the switch is to end a call. */
  constructor(metrics: Metrics, deadline_guard_ms: number) {
    this.#metrics = metrics;
    this.#deadline_guard_ms = deadline_guard_ms;
  }

  onStep(session: CallSession, before: CallState, event: CallEvent, effects: readonly CallEffect[]): void {
    for (const effect of effects) this.#onEffect(session, effect);
    if (event.type === 'renew_answered') this.#metrics.renewals_total.inc({ verdict: event.answer.verdict });
    if (event.type === 'attempt_failed') this.#onFailure(session, event);
    if (before.phase !== session.state.phase) {
      session.log.debug({ from: before.phase, to: session.state.phase, event: event.type }, 'call');
    }
  }

  #onEffect(session: CallSession, effect: CallEffect): void {
    // A call for help that nothing was held for was counted when it ended, as every settled call.
    if (effect.type === 'record_unheld' && effect.record.result === 'refused') {
      const { direction, refusal } = effect.record;
      this.#metrics.calls_total.inc({ direction, result: 'refused', reason: refusal ?? '' });
      session.log.info({ direction, refusal }, 'refused');
    }
    if (effect.type === 'settle') this.#onSettle(session, effect.item);
    if (effect.type === 'warn') session.log.info('warned: the money ends');
  }

  #onFailure(session: CallSession, event: Extract<CallEvent, { type: 'attempt_failed' }>): void {
    const { state } = session;
    const attempt = 'attempts' in state ? state.attempts.find((one) => one.attempt === event.attempt) : undefined;
    const carrier = attempt?.carrier_id ?? 'none';
    this.#metrics.attempts_total.inc({ carrier, result: 'failed', blame: attempt?.blame ?? 'us' });
    session.log.info({ attempt: event.attempt, ...event.failure, blame: attempt?.blame }, 'attempt failed');
  }

  #onSettle(session: CallSession, item: SettleItem): void {
    const { cdr } = item;
    const { state } = session;
    const currency = 'plan' in state ? state.plan.currency : 'XXX';
    this.#metrics.calls_total.inc({
      direction: cdr.direction,
      result: cdr.result,
      reason: cdr.refusal ?? String(cdr.cause),
    });
    if (cdr.pdd_ms !== null) this.#metrics.pdd_seconds.observe({ direction: cdr.direction }, cdr.pdd_ms / 1000);
    if (cdr.result === 'answered') {
      this.#metrics.attempts_total.inc({ carrier: cdr.carrier_id ?? 'none', result: 'answered', blame: 'nobody' });
      this.#metrics.durations_total.inc({ source: cdr.duration_source });
      this.#metrics.call_seconds.observe({ direction: cdr.direction }, cdr.duration_ms / 1000);
      this.#metrics.charged_micros_total.inc({ currency }, Number(item.net_micros + item.tax_micros));
      this.#metrics.operator_loss_micros_total.inc({ currency }, Number(item.loss_micros));
      if ('held' in state) this.#onEndOfMoney(cdr.duration_ms - state.held.seconds * 1000);
    }
    session.log.info(
      {
        direction: cdr.direction,
        result: cdr.result,
        cause: cdr.cause,
        blame: cdr.blame,
        duration_ms: cdr.duration_ms,
        duration_source: cdr.duration_source,
        seconds_billed: cdr.seconds_billed,
        net_micros: item.net_micros.toString(),
        loss_micros: item.loss_micros.toString(),
        pdd_ms: cdr.pdd_ms,
      },
      'settled',
    );
  }

  /** A call that was ended by its parties, before it was to be, says nothing of how late such ends are. @param late_ms negative before. */
  #onEndOfMoney(late_ms: number): void {
    if (late_ms < -2 * this.#deadline_guard_ms) return;
    this.#metrics.hangup_lateness_seconds.observe(Math.max(0, late_ms / 1000));
  }
}
