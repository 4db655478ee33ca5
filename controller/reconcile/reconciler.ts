import type { Logger } from 'pino';
import { openHoldDetails, openHolds } from '../../domain/calls/open_holds.ts';
import type { OpenHoldDetail } from '../../domain/calls/open_holds.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { Calls } from '../call/calls.ts';
import { causes } from '../call/refusal.ts';
import type { CallSession } from '../call/session.ts';
import type { HelpCall, LiveCall, Switch, SwitchRecord } from '../switch/switch.ts';
import { foundByHold, stateOf } from './adopt.ts';
import type { Progress } from './adopt.ts';
import type { UnheldHelp } from './unheld_help.ts';

/** What was found to differ between the switch, the database and this controller. */
export type Finding =
  | 'adopted'
  | 'settled_from_record'
  | 'settled_from_proof_of_life'
  | 'channel_without_hold'
  | 'help_without_hold'
  | 'end_missed'
  | 'answer_missed'
  | 'failure_missed'
  | 'attempt_missed'
  | 'channel_left';

export interface ReconcilerOptions {
  calls: Calls;
  media: Switch;
  db: Queryable;
  switch_id: string;
  now: () => number;
  /** When the connection to the switch was lost for the last time; null when it never was. Until then ends were told. */
  lostAt: () => number | null;
  /** A difference has to be seen this long before it is acted upon: events and lists overtake each other. */
  settle_after_ms: number;
  help: UnheldHelp;
  onFinding: (finding: Finding) => void;
  log: Logger;
}

/**
 * Holds the channels of the switch against the open holds, at the start and all the time:
 * both there: adopted and armed anew. Hold only: settled from the switch's record, else up to the last proof of life.
 * Channel only: hung up, save for a call for help, which may go out with nothing held for it, and is adopted like the others.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #stray_records = new Map<string, { record: SwitchRecord; heard_at_ms: number }>();
  readonly #first_seen = new Map<string, number>();
  /** When the channel of a call stood in the switch's list for the last time. */
  readonly #listed_at = new Map<string, number>();
  #running: Promise<void> | null = null;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** A record of a call without a session; kept for the next pass. The answered one of a call's records decides. */
  keepRecord(record: SwitchRecord): void {
    const known = this.#stray_records.get(record.call_id)?.record;
    if (known !== undefined && known.answered_at_us !== null) return;
    this.#stray_records.set(record.call_id, { record, heard_at_ms: this.#options.now() });
  }

  /** One pass; passes never overlap. */
  pass(): Promise<void> {
    this.#running ??= this.#pass().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #pass(): Promise<void> {
    const { media, db, switch_id, calls } = this.#options;
    // The holds first: a call that arrives between the two questions is then seen as a channel with a session, not as an orphan.
    const holds = await openHolds(db, switch_id);
    const live = await media.list();
    const live_by_channel = new Map(live.map((call) => [call.channel_id, call]));
    const orphans = holds.filter((hold) => calls.byCall(hold.call_id) === undefined);
    await this.#takeOver(
      orphans.map((hold) => hold.leg_id),
      live_by_channel,
    );
    for (const session of calls.live) this.#checkSession(session, live_by_channel);
    for (const session of calls.lingering) this.#checkLingering(session, live_by_channel.get(session.channel_id));
    const held = new Set(holds.map((hold) => hold.call_id));
    for (const call of live) await this.#checkChannel(call, held);
    await this.#settleEndedHelp(held);
    this.#forget(live_by_channel);
  }

  async #takeOver(leg_ids: readonly string[], live: ReadonlyMap<string, LiveCall>): Promise<void> {
    if (leg_ids.length === 0) return;
    for (const hold of await openHoldDetails(this.#options.db, leg_ids)) {
      if (this.#options.calls.byCall(hold.call_id) !== undefined) continue;
      const call = live.get(hold.channel_id);
      // A record is written when the call is over: one that came since the list was asked for is right, and the list is old.
      if (call !== undefined && !this.#stray_records.has(hold.call_id)) this.#adoptLive(hold, call);
      else this.#settleOrphan(hold);
    }
  }

  #adoptLive(hold: OpenHoldDetail, call: LiveCall): void {
    const { calls, log } = this.#options;
    const progress = progressOf(call, hold.answered_attempt ?? 1);
    const session = calls.adopt(stateOf(foundByHold(hold), progress));
    log.info(
      { call_id: hold.call_id, answered: call.answered_at_ms !== null, waiting: call.waiting },
      'adopted a live call',
    );
    this.#options.onFinding('adopted');
    this.#goOn(session, call, progress.attempt);
  }

  #goOn(session: CallSession, { waiting }: LiveCall, attempt: number): void {
    if (waiting) this.#failWaiting(session, attempt);
    // A step of nothing: the deadline is armed anew and the timers are set.
    else session.dispatch({ type: 'clock_stepped', step_ms: 0 });
  }

  #settleOrphan(hold: OpenHoldDetail): void {
    const { calls, onFinding, log } = this.#options;
    const record = this.#stray_records.get(hold.call_id)?.record;
    // A record may still be on its way through the file.
    if (record === undefined && !this.#seenLongEnough(`hold ${hold.leg_id}`)) return;
    this.#stray_records.delete(hold.call_id);
    const answered_at_ms = record === undefined ? hold.answered_at_ms : null;
    const attempt = record?.attempt ?? hold.answered_attempt ?? 1;
    const session = calls.adopt(stateOf(foundByHold(hold), { attempt, b_channel_id: null, answered_at_ms }));
    const proof_ms = Math.max(hold.answered_at_ms ?? 0, hold.last_granted_at_ms);
    const ended_at_ms = Math.min(hold.deadline_at_ms, proof_ms);
    session.dispatch({ type: 'ended', cause: causes.network_out_of_order, at_ms: ended_at_ms, inferred: true });
    if (record !== undefined) session.dispatch({ type: 'recorded', record });
    session.dispatch({ type: 'timer', name: 'record' });
    const finding = record === undefined ? 'settled_from_proof_of_life' : 'settled_from_record';
    log.info({ call_id: hold.call_id, finding }, 'settled a call that ended while nobody listened');
    onFinding(finding);
  }

  #checkSession(session: CallSession, live: ReadonlyMap<string, LiveCall>): void {
    const { state } = session;
    if (state.phase === 'settling' || state.phase === 'over') return;
    const call = live.get(session.channel_id);
    if (call === undefined) return this.#endMissed(session);
    this.#listed_at.set(state.call_id, this.#options.now());
    if (state.phase !== 'dialling') return;
    if (call.answered_at_ms !== null && call.b_channel_id !== null && this.#seenLongEnough(`answer ${state.call_id}`)) {
      this.#options.onFinding('answer_missed');
      session.dispatch({ type: 'answered', b_channel_id: call.b_channel_id, at_ms: call.answered_at_ms });
    } else if (
      call.waiting &&
      call.attempt === state.attempts.length &&
      this.#seenLongEnough(`failure ${state.call_id} ${call.attempt}`)
    ) {
      this.#options.onFinding('failure_missed');
      this.#failWaiting(session, call.attempt);
    } else if (
      call.waiting &&
      (call.attempt ?? 0) < state.attempts.length &&
      this.#seenLongEnough(`attempt ${state.call_id} ${state.attempts.length}`)
    ) {
      // The switch heard nothing of the attempt, and the connection over which it was told of it is another one by now.
      this.#options.onFinding('attempt_missed');
      session.dispatch({ type: 'bridged', reach: 'failed' });
    }
  }

  /**
   * A call that is over here. The end of a refused one whose caller wrote line breaks into his number is not believed, and comes never
   * otherwise. One that still waits, or talks, did not hear that it was refused or was to end, and nobody pays for it.
   */
  #checkLingering(session: CallSession, call: LiveCall | undefined): void {
    if (call === undefined) return this.#endMissed(session);
    const goes_on = call.waiting || call.b_channel_id !== null;
    if (!goes_on || call.help !== null || !this.#seenLongEnough(`left ${session.state.call_id}`)) return;
    this.#options.onFinding('channel_left');
    this.#options.log.warn({ call_id: session.state.call_id }, 'hanging up a call that is over and goes on');
    this.#hangUp(call.channel_id);
  }

  #endMissed(session: CallSession): void {
    const { call_id } = session.state;
    if (!this.#seenLongEnough(`end ${call_id}`)) return;
    this.#options.onFinding('end_missed');
    session.dispatch({
      type: 'ended',
      cause: causes.network_out_of_order,
      at_ms: this.#lastProof(session),
      inferred: true,
    });
  }

  /** The last moment at which the call is known to have lived: in the list, or while the switch would have told of its end. */
  #lastProof({ state }: CallSession): number {
    const { now, lostAt } = this.#options;
    const proof_ms = Math.max(this.#listed_at.get(state.call_id) ?? 0, lostAt() ?? 0);
    return proof_ms > state.arrival.arrived_at_ms ? proof_ms : now();
  }

  /** What the B-leg said is lost, so it is judged like one that said nothing final: nobody else is called in its place. */
  #failWaiting(session: CallSession, attempt: number): void {
    const failure = {
      cause: causes.interworking,
      sip_status: null,
      responded: true,
      unreachable: false,
      timed_out: false,
    };
    session.dispatch({ type: 'attempt_failed', attempt, failure, at_ms: this.#options.now() });
  }

  async #checkChannel(call: LiveCall, held: ReadonlySet<string>): Promise<void> {
    const { calls, onFinding, log } = this.#options;
    if (calls.byChannel(call.channel_id) !== undefined || (call.call_id !== null && held.has(call.call_id))) return;
    if (!this.#seenLongEnough(`channel ${call.channel_id}`)) return;
    if (call.help !== null) {
      await this.#adoptHelp(call, call.help);
      return;
    }
    onFinding('channel_without_hold');
    log.warn({ channel_id: call.channel_id, call_id: call.call_id }, 'hanging up a channel that nobody pays for');
    this.#hangUp(call.channel_id);
  }

  /** With a cause that becomes a 503: the caller's carrier may try another way, where a 603 would keep it from that. */
  #hangUp(channel_id: string): void {
    const { media, log } = this.#options;
    media
      .hangUp(channel_id, causes.congestion)
      .catch((error: unknown) =>
        log.warn({ err: error }, 'the channel was not hung up; trying again in the next pass'),
      );
  }

  async #adoptHelp(call: LiveCall, call_for_help: HelpCall): Promise<void> {
    const { calls, help } = this.#options;
    const { channel_id, call_id } = call;
    const found = call_id === null ? null : await help.find({ channel_id, call_id, help: call_for_help });
    // It may have ended while its caller was looked up: its record tells then.
    if (found === null || this.#stray_records.has(found.call_id)) return;
    const progress = progressOf(call, 1);
    this.#goOn(calls.adopt(stateOf(found, progress)), call, progress.attempt);
  }

  /** Of a call for help that nothing was held for, and that ended while nobody listened, the switch's record is all there is. */
  async #settleEndedHelp(held: ReadonlySet<string>): Promise<void> {
    const { calls, help } = this.#options;
    const ended = [...this.#stray_records.values()]
      .map(({ record }) => record)
      .filter((record) => record.help !== null && !held.has(record.call_id))
      .filter(({ call_id }) => this.#seenLongEnough(`help ${call_id}`));
    for (const record of await help.unrecorded(ended)) {
      const { channel_id, call_id } = record;
      const found = record.help === null ? null : await help.find({ channel_id, call_id, help: record.help });
      if (found === null) continue;
      this.#stray_records.delete(call_id);
      const session = calls.adopt(
        stateOf(found, { attempt: record.attempt, b_channel_id: null, answered_at_ms: null }),
      );
      session.dispatch({ type: 'ended', cause: record.cause, at_ms: Number(record.ended_at_us / 1000n) });
      session.dispatch({ type: 'recorded', record });
    }
  }

  #seenLongEnough(what: string): boolean {
    const now_ms = this.#options.now();
    const first_ms = this.#first_seen.get(what);
    if (first_ms === undefined) this.#first_seen.set(what, now_ms);
    return first_ms !== undefined && now_ms - first_ms >= this.#options.settle_after_ms;
  }

  #forget(live: ReadonlyMap<string, LiveCall>): void {
    const stale_ms = this.#options.now() - 20 * this.#options.settle_after_ms - 60_000;
    for (const [what, first_ms] of this.#first_seen) {
      if (first_ms < stale_ms || (what.startsWith('channel ') && !live.has(what.slice('channel '.length))))
        this.#first_seen.delete(what);
    }
    for (const call_id of this.#listed_at.keys()) {
      if (this.#options.calls.byCall(call_id) === undefined) this.#listed_at.delete(call_id);
    }
    for (const [call_id, { heard_at_ms }] of this.#stray_records)
      if (heard_at_ms < stale_ms) this.#stray_records.delete(call_id);
  }
}

function progressOf({ attempt, b_channel_id, answered_at_ms }: LiveCall, otherwise: number): Progress {
  return { attempt: attempt ?? otherwise, b_channel_id, answered_at_ms };
}
