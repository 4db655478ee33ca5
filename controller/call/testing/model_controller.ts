import type { UnheldRecord } from '../../../domain/calls/hold.ts';
import type { OpenHoldDetail } from '../../../domain/calls/open_holds.ts';
import { heldOf } from '../../../domain/calls/testing/ledger_model.ts';
import type { ModelHold } from '../../../domain/calls/testing/ledger_model.ts';
import { foundByHold, foundForHelp, stateOf } from '../../reconcile/adopt.ts';
import type { FoundCall } from '../../reconcile/adopt.ts';
import { firstGrant } from '../holding.ts';
import type { CallEffect, CallEvent, CallState, TimerName } from '../state.ts';
import type { CallPlan } from '../plan.ts';
import { newCall, transition } from '../transition.ts';
import { settings } from './model_plans.ts';
import type { MediaCall } from './model_switch.ts';
import type { ModelWorld, Question } from './model_world.ts';

interface Session {
  state: CallState;
  timers: Map<TimerName, object>;
  /** The attempt whose way to the switch was lost, there or back. */
  unsure_attempt: number | null;
}

/** How long a difference between switch and database is looked at before it is acted upon. */
const SETTLE_AFTER_MS = 2000;

/** One life of a controller: the real machine of every call, and in place of the session the least that runs its effects. */
export class ModelController {
  alive = true;
  readonly sessions = new Map<string, Session>();
  readonly #world: ModelWorld;
  readonly #epoch: number;

  constructor(world: ModelWorld, epoch: number) {
    this.#world = world;
    this.#epoch = epoch;
  }

  /** Forgets everything; questions that are under way are carried out or not, and their answers reach nobody. */
  die(): void {
    this.alive = false;
    this.sessions.clear();
  }

  arrived(channel_id: string, leg_id: string): void {
    const arrived_at_ms = this.#world.agenda.now_ms;
    const arrival = {
      channel_id,
      source: { kind: 'device', device: 'phone' },
      dialled: '+4420',
      claimed_caller: null,
    } as const;
    this.#adopt(newCall({ call_id: `call ${leg_id}`, leg_id, arrival: { ...arrival, arrived_at_ms } }));
    const decision = this.#world.decide(arrived_at_ms);
    this.#world.agenda.plan(this.#world.tape.pick([3, 0, 60]), () =>
      this.dispatch(channel_id, { type: 'decided', decision }),
    );
  }

  dispatch(channel_id: string, event: CallEvent): void {
    const session = this.sessions.get(channel_id);
    if (session === undefined || !this.alive) return;
    const before = session.state;
    const { state, effects } = transition(before, event, this.#world.agenda.now_ms, settings);
    session.state = state;
    if (state.phase !== before.phase) session.timers.clear();
    for (const effect of effects) {
      this.#world.checkEffect(before, state, effect);
      this.#run(channel_id, session, effect);
    }
    if (state.phase === 'over') this.sessions.delete(channel_id);
  }

  moneyArrived(): void {
    for (const [channel_id, session] of this.sessions)
      if (session.state.phase === 'talking') this.dispatch(channel_id, { type: 'money_arrived' });
  }

  /** The switch against the open holds, as the reconciler does it. */
  reconcile(): void {
    const { media, ledger, agenda } = this.#world;
    for (const hold of ledger.openHolds()) {
      if (this.sessions.has(hold.channel_id)) continue;
      const call = media.calls.get(hold.channel_id);
      if (call !== undefined && call.phase !== 'gone') this.#adoptLive(hold, call);
      else if ((call?.record ?? null) !== null || (call?.ended_at_ms ?? 0) + SETTLE_AFTER_MS <= agenda.now_ms)
        this.#settleOrphan(hold, call);
    }
    for (const [channel_id, session] of this.sessions) this.#failUnheard(channel_id, session);
    for (const call of media.calls.values()) {
      const held = call.call_id !== null && ledger.openHolds().some((hold) => hold.call_id === call.call_id);
      if (call.phase === 'gone' || this.sessions.has(call.channel_id) || held) continue;
      if (call.help_plan === null) media.end(call.channel_id, 42);
      else this.#adoptHelp(call, call.help_plan);
    }
  }

  /** The switch still waits for an attempt that it was told of over a connection that was lost. */
  #failUnheard(channel_id: string, { state, unsure_attempt }: Session): void {
    const call = this.#world.media.calls.get(channel_id);
    if (state.phase !== 'dialling' || unsure_attempt !== state.attempts.length) return;
    if (call?.phase === 'waiting' && call.attempt < unsure_attempt)
      this.dispatch(channel_id, { type: 'bridged', reach: 'failed' });
  }

  #adoptHelp(call: MediaCall, plan: CallPlan): void {
    const grant = firstGrant(plan, settings, null);
    if (grant === null || call.call_id === null) throw new Error('A call for help was sent out for no second.');
    this.#adoptFound(foundForHelp({ call_id: call.call_id, channel_id: call.channel_id, plan }, grant), call);
  }

  #adopt(state: CallState): void {
    this.sessions.set(state.arrival.channel_id, { state, timers: new Map(), unsure_attempt: null });
  }

  #adoptLive(hold: ModelHold, call: MediaCall): void {
    this.#adoptFound(foundByHold(detailOf(hold)), call);
  }

  #adoptFound(found: FoundCall, call: MediaCall): void {
    const attempt = Math.max(1, call.attempt);
    const b_channel_id = call.answered_at_ms === null ? null : `${call.channel_id}-b`;
    this.#adopt(stateOf(found, { attempt, b_channel_id, answered_at_ms: call.answered_at_ms }));
    const failure = { cause: 127, sip_status: null, responded: true, unreachable: false, timed_out: false };
    const at_ms = this.#world.agenda.now_ms;
    this.dispatch(
      call.channel_id,
      call.phase === 'waiting'
        ? { type: 'attempt_failed', attempt, failure, at_ms }
        : { type: 'clock_stepped', step_ms: 0 },
    );
  }

  #settleOrphan(hold: ModelHold, call: MediaCall | undefined): void {
    const record = call?.record ?? null;
    const detail = detailOf(hold);
    const answered_at_ms = record === null ? detail.answered_at_ms : null;
    const attempt = record?.attempt ?? detail.answered_attempt ?? 1;
    this.#adopt(stateOf(foundByHold(detail), { attempt, b_channel_id: null, answered_at_ms }));
    const proof_ms = Math.max(detail.answered_at_ms ?? 0, detail.last_granted_at_ms);
    const at_ms = Math.min(detail.deadline_at_ms, proof_ms);
    this.dispatch(hold.channel_id, { type: 'ended', cause: 38, at_ms, inferred: true });
    if (record !== null) this.dispatch(hold.channel_id, { type: 'recorded', record });
    this.dispatch(hold.channel_id, { type: 'timer', name: 'record' });
  }

  #run(channel_id: string, session: Session, effect: CallEffect): void {
    const { media, agenda, tape } = this.#world;
    switch (effect.type) {
      case 'hold':
        return this.#ask(channel_id, { kind: 'authorize', item: effect.item }, 'hold_answered', 'hold_failed');
      case 'renew':
        return this.#ask(channel_id, { kind: 'renew', item: effect.item }, 'renew_answered', 'renew_failed');
      case 'settle':
        return this.#ask(channel_id, { kind: 'settle', item: effect.item }, 'settled', null);
      case 'note_answer': {
        const { leg_id } = session.state;
        const { attempt } = effect;
        const [answered_at, deadline_at] = [new Date(effect.answered_at_ms), new Date(effect.deadline_at_ms)];
        return this.#world.ask(
          this.#epoch,
          { kind: 'answer', item: { leg_id, attempt, answered_at, deadline_at } },
          () => undefined,
        );
      }
      case 'record_unheld':
        return this.#recordUnheld(effect.record);
      case 'bridge':
        return agenda.plan(tape.pick([4, 0, 90]), () => {
          if (tape.oneIn(20)) return this.dispatch(channel_id, { type: 'bridged', reach: 'failed' });
          const [answer_lost, question_lost] = [tape.oneIn(16), tape.oneIn(40)];
          const reached = question_lost ? 'gone' : media.bridge(channel_id, effect.plan, helpPlanOf(session.state));
          const is_unsure = answer_lost || question_lost;
          if (is_unsure) session.unsure_attempt = effect.plan.attempt;
          this.dispatch(channel_id, { type: 'bridged', reach: is_unsure ? 'unknown' : reached });
        });
      case 'refuse':
        return agenda.plan(20, () => media.refuse(channel_id));
      case 'hang_up':
        return agenda.plan(20, () => media.end(channel_id, 21));
      case 'arm':
        // A switch that cannot be reached keeps the deadline that it has.
        return agenda.plan(
          tape.pick([3, 0, 100]),
          () => tape.oneIn(12) || media.arm(channel_id, effect.deadline_at_ms),
        );
      case 'timer':
        return this.#setTimer(channel_id, session, effect.name, effect.at_ms);
      case 'warn':
        return;
    }
  }

  #ask(
    channel_id: string,
    question: Question,
    answered: 'hold_answered' | 'renew_answered' | 'settled',
    failed: 'hold_failed' | 'renew_failed' | null,
  ): void {
    this.#world.ask(this.#epoch, question, (answer) => {
      if (!this.alive) return;
      if (answer !== null) this.dispatch(channel_id, { type: answered, answer });
      else if (failed !== null) this.dispatch(channel_id, { type: failed });
      // A settlement is asked for until the database has said that it is done.
      else this.#world.agenda.plan(300, () => this.alive && this.#ask(channel_id, question, answered, failed));
    });
  }

  #recordUnheld(item: UnheldRecord): void {
    this.#world.ask(this.#epoch, { kind: 'unheld', item }, (answer) => {
      if (answer === null && this.alive) this.#world.agenda.plan(300, () => this.alive && this.#recordUnheld(item));
    });
  }

  #setTimer(channel_id: string, session: Session, name: TimerName, at_ms: number): void {
    const mark = {};
    session.timers.set(name, mark);
    this.#world.agenda.plan(at_ms - this.#world.agenda.now_ms, () => {
      if (this.sessions.get(channel_id) !== session || session.timers.get(name) !== mark) return;
      session.timers.delete(name);
      this.dispatch(channel_id, { type: 'timer', name });
    });
  }
}

/** What would be decided about a call for help again, from its device and the number that was dialled. */
function helpPlanOf(state: CallState): CallPlan | null {
  return 'plan' in state && state.plan.direction === 'emergency' ? state.plan : null;
}

function detailOf(hold: ModelHold): OpenHoldDetail {
  const { micros, seconds, pack_seconds } = heldOf(hold);
  return {
    leg_id: hold.leg_id,
    call_id: hold.call_id,
    channel_id: hold.channel_id,
    held_micros: micros,
    pack_seconds_held: pack_seconds,
    grant_no: hold.grants.length,
    seconds_granted: seconds,
    answered_at_ms: hold.answered_at_ms,
    answered_attempt: hold.answered_attempt,
    deadline_at_ms: hold.deadline_at_ms,
    last_granted_at_ms: hold.grants.at(-1)?.granted_at_ms ?? hold.authorized_at_ms,
    snapshot: hold.snapshot,
  };
}
