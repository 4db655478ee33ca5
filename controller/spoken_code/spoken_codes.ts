import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { hasRung } from '../call/dialling.ts';
import type { CallWorld } from '../call/session.ts';
import type { CallEvent, CallState } from '../call/state.ts';
import { newCall } from '../call/transition.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import { parseDialled } from '../../domain/numbers/dialled.ts';
import { makeLetterKey, openLetter } from '../../domain/privacy/sealed_letter.ts';
import { spokenWordsContext, wordsFromBytes } from '../../domain/privacy/spoken_words.ts';
import type { SpokenWords } from '../../domain/privacy/spoken_words.ts';
import type { BridgePlan, Reach, Switch } from '../switch/switch.ts';
import { interruptCalling, noteCall, noteFailed, noteSpoken, showSpeaker, takeCodes } from './code_rows.ts';
import type { TakenCode } from './code_rows.ts';
import { operatorPayer } from './operator_payer.ts';
import { routesForCode } from './plan_call.ts';
import type { SpokenCallFacts, SpokenCallRoutes, SpokenCallSettings } from './plan_call.ts';
import { beginCalling, codeAfterStep } from './spoken_code.ts';
import type { SpokenCodeState, SpokenFailure } from './spoken_code.ts';

export interface SpokenCodesOptions {
  db: Queryable;
  switch_id: string;
  media: Pick<Switch, 'speak'>;
  /** Begins a call that nobody but us knows of yet. */
  begin: (state: CallState) => { dispatch: (event: CallEvent) => void };
  facts: () => Omit<SpokenCallFacts, 'payer' | 'settings'>;
  settings: SpokenCallSettings;
  /** Whether this controller drives the switch. */
  sure: () => boolean;
  /** The switch's clock. */
  switchNow: () => number;
  now: () => Date;
  onOutcome: (outcome: SpokenOutcome) => void;
  log: Logger;
}

/** A code is worth nothing much longer, and whoever waits for it has asked for another one. */
const ASKED_MS_MAX = 120_000;
/** Twice the sentence and the digits take half a minute; the switch ends what takes longer. */
const CALL_MS_MAX = 60_000;
const SHOW_EVERY_MS = 30_000;

type SpokenOutcome = 'spoken' | SpokenFailure;

interface SpokenNow {
  id: string;
  words: SpokenWords;
  routes: SpokenCallRoutes;
  state: SpokenCodeState;
}

/**
 * Has codes spoken that the portal asked for. The digits are here from the moment their row was taken, and emptied, until the switch has
 * the call; they stand in no log, no hold and no record.
 */
export class SpokenCodes {
  readonly #options: SpokenCodesOptions;
  readonly #key = makeLetterKey();
  /** By the call that is being made for it. */
  readonly #by_call = new Map<string, SpokenNow>();
  /** Our calls that are not settled yet, those that speak too: each takes up a line. */
  readonly #open = new Set<string>();
  /** What became of codes, where it could not be written down yet. */
  readonly #unwritten = new Map<string, SpokenOutcome>();
  #looking: Promise<void> = Promise.resolve();
  #has_more = true;
  #has_begun = false;
  #is_stopped = false;
  #shown_at_ms = 0;

  constructor(options: SpokenCodesOptions) {
    this.#options = options;
  }

  /** One look at a time. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#lookOrLog());
    return this.#looking;
  }

  /** Each second: says that we are there, and looks where the last look left something. */
  async lookAgain(): Promise<void> {
    await this.#show();
    for (const [id, outcome] of this.#unwritten) await this.#write(id, outcome);
    if (this.#has_more) await this.look();
  }

  /** Nothing more is taken; what is under way goes on. */
  stop(): void {
    this.#is_stopped = true;
  }

  /** Has the switch call where that call is one of ours; null where it is to be bridged like any other. */
  speak(channel_id: string, plan: BridgePlan): Promise<Reach> | null {
    const spoken = this.#by_call.get(plan.call_id);
    return spoken === undefined ? null : this.#speak(channel_id, plan, spoken.words);
  }

  onStep(call: CallState, event: CallEvent): void {
    if (call.phase === 'over') this.#open.delete(call.call_id);
    const spoken = this.#by_call.get(call.call_id);
    if (spoken === undefined) return;
    const before = spoken.state;
    spoken.state = codeAfterStep(before, event, { phase: call.phase, rang: hasRung(call) });
    if (spoken.state === before) return;
    this.#by_call.delete(call.call_id);
    void this.#orInterrupt(spoken.id, this.#goOn(spoken));
  }

  /** Never rejects: a code that cannot be gone on with is over, and whoever waits for it is told so. */
  async #orInterrupt(id: string, work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#options.log.warn({ err: error, code_id: id }, 'a code is not spoken');
      await this.#conclude(id, 'interrupted');
    }
  }

  async #speak(channel_id: string, plan: BridgePlan, { digits, language }: SpokenWords): Promise<Reach> {
    const { target, call_id, caller_number, ring_timeout_ms } = plan;
    if (target.kind !== 'trunk') throw new Error(`The code of call ${call_id} is to be spoken to no number.`);
    await this.#options.media.speak({
      ...{ channel_id, call_id, trunk: target.trunk, number: target.number, caller_number, ring_timeout_ms },
      limit_ms: Math.min(plan.limit_ms, CALL_MS_MAX),
      ...{ digits, language },
    });
    return 'done';
  }

  async #show(): Promise<void> {
    const { db, switch_id, sure, now } = this.#options;
    const now_ms = now().getTime();
    if (!sure() || this.#is_stopped || now_ms - this.#shown_at_ms < SHOW_EVERY_MS) return;
    await showSpeaker(db, switch_id, this.#key.public_key, now());
    this.#shown_at_ms = now_ms;
  }

  async #lookOrLog(): Promise<void> {
    try {
      this.#has_more = true;
      if (this.#options.sure() && !this.#is_stopped) this.#has_more = await this.#takeAll();
    } catch (error) {
      this.#options.log.warn({ err: error }, 'it is not known which codes are to be spoken; looking again');
    }
  }

  /** Whether there may be more than could be taken. */
  async #takeAll(): Promise<boolean> {
    const { db, switch_id, settings, now, log } = this.#options;
    if (!this.#has_begun) {
      const interrupted = await interruptCalling(db, switch_id, now());
      if (interrupted > 0) log.warn({ interrupted }, 'codes were being spoken when a controller ended');
      this.#has_begun = true;
    }
    const free = settings.at_once_max - this.#open.size;
    if (free <= 0) return true;
    const taken = await takeCodes(db, switch_id, now(), free);
    for (const code of taken) await this.#orInterrupt(code.id, this.#begin(code));
    return taken.length === free;
  }

  async #begin({ id, box, asked_at }: TakenCode): Promise<void> {
    const { db, now, facts, settings } = this.#options;
    if (now().getTime() - asked_at.getTime() > ASKED_MS_MAX) return this.#conclude(id, 'too_late');
    const words = wordsFromBytes(openLetter(this.#key, spokenWordsContext(id), box));
    const dialled = parseDialled(words.number, '');
    if (dialled.kind !== 'e164') return this.#conclude(id, 'refused');
    const routes = routesForCode(dialled.number, { ...facts(), payer: await operatorPayer(db), settings });
    if (routes === null) return this.#conclude(id, 'refused');
    await this.#goOn({ id, words, routes, state: beginCalling(routes.routes.length) });
  }

  async #goOn(spoken: SpokenNow): Promise<void> {
    const { id, state } = spoken;
    if (state.phase === 'failed') return this.#conclude(id, state.failure);
    if (state.phase === 'calling') return this.#call(spoken, state.route);
    return this.#conclude(id, 'spoken');
  }

  async #call(spoken: SpokenNow, route_no: number): Promise<void> {
    const { db, begin, switchNow } = this.#options;
    const route = spoken.routes.routes[route_no];
    if (route === undefined) throw new Error(`The code ${spoken.id} has no route ${route_no}.`);
    const [call_id, arrived_at_ms] = [randomUUID(), switchNow()];
    await noteCall(db, spoken.id, call_id);
    this.#by_call.set(call_id, spoken);
    this.#open.add(call_id);
    const call = begin(
      newCall({
        ...{ call_id, leg_id: randomUUID() },
        arrival: {
          channel_id: `spoken-${call_id}`,
          // It takes up a line of that trunk from its first moment.
          source: { kind: 'trunk', trunk: route.trunk_id },
          ...{ dialled: spoken.words.number, claimed_caller: null, arrived_at_ms },
        },
      }),
    );
    call.dispatch({
      type: 'decided',
      decision: { kind: 'authorize', plan: spoken.routes.planOver(route, arrived_at_ms) },
    });
  }

  async #conclude(id: string, outcome: SpokenOutcome): Promise<void> {
    const { onOutcome, log } = this.#options;
    onOutcome(outcome);
    if (outcome !== 'spoken') log.info({ code_id: id, failure: outcome }, 'a code was not spoken');
    this.#unwritten.set(id, outcome);
    await this.#write(id, outcome);
  }

  /** What cannot be written is tried again each second. */
  async #write(id: string, outcome: SpokenOutcome): Promise<void> {
    const { db, now, log } = this.#options;
    try {
      if (outcome === 'spoken') await noteSpoken(db, id, now());
      else await noteFailed(db, id, outcome, now());
      this.#unwritten.delete(id);
    } catch (error) {
      log.warn({ err: error, code_id: id }, 'what became of a code is not written down yet');
    }
  }
}

/** The switch as calls see it: one that speaks a code is made by the switch itself, all others are bridged as ever. */
export function alsoSpeaking(media: CallWorld['media'], spoken: () => SpokenCodes): CallWorld['media'] {
  return {
    bridge: (channel_id, plan) => spoken().speak(channel_id, plan) ?? media.bridge(channel_id, plan),
    refuse: (channel_id, refusal) => media.refuse(channel_id, refusal),
    hangUp: (channel_id, cause) => media.hangUp(channel_id, cause),
    warn: (channel_id) => media.warn(channel_id),
    armDeadline: (channel_id, b_channel_id, remaining_ms) => media.armDeadline(channel_id, b_channel_id, remaining_ms),
  };
}
