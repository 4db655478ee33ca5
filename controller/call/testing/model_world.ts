import type {
  AnswerItem,
  AuthorizeItem,
  HoldAnswer,
  RenewItem,
  SettleItem,
  UnheldRecord,
} from '../../../domain/calls/hold.ts';
import { brokenRules } from '../../../domain/calls/testing/broken_rules.ts';
import { heldOf, LedgerModel } from '../../../domain/calls/testing/ledger_model.ts';
import type { CallEffect, CallState, Decision } from '../state.ts';
import { Agenda } from './agenda.ts';
import { ModelController } from './model_controller.ts';
import { PACK, planFrom, settings, WALLET } from './model_plans.ts';
import { ModelSwitch } from './model_switch.ts';
import type { Tape } from './tape.ts';

export type Question =
  | { kind: 'authorize'; item: AuthorizeItem }
  | { kind: 'renew'; item: RenewItem }
  | { kind: 'answer'; item: AnswerItem }
  | { kind: 'settle'; item: SettleItem }
  | { kind: 'unheld'; item: UnheldRecord };

const STEPS_MAX = 4000;
/** From then on the database stays, and the controller too, so that everything can come to its end. */
const CALM_AFTER_MS = 90_000;

/** One wallet, its calls, the switch, the database with its outages, and controllers that die and are taken over from. */
export class ModelWorld {
  readonly agenda: Agenda;
  readonly tape: Tape;
  readonly ledger = new LedgerModel();
  readonly media: ModelSwitch;
  readonly arrived: string[] = [];
  /** Legs whose callers were told that no money could be held; it may be held all the same, when the answer was lost. */
  readonly refused = new Set<string>();
  money_in = 0n;
  /** Calls that the switch ended at their deadline while no controller lived. */
  cut_off_alone = 0;
  #database_away = false;
  #controllers: ModelController[] = [];
  readonly #started_at_ms: number;
  readonly #limits;

  constructor(tape: Tape) {
    this.tape = tape;
    // Some seconds before the end of an hour, and of a day.
    this.#started_at_ms = Date.UTC(2026, 0, 15, tape.pick([9, 23]), 59, tape.pick([0, 30, 55]));
    this.agenda = new Agenda(this.#started_at_ms);
    this.media = new ModelSwitch(this.agenda, tape, (channel_id, event) => {
      const alone = !this.#controllers.some((controller) => controller.alive);
      if (event.type === 'ended' && alone && this.media.calls.get(channel_id)?.cut_off === true)
        this.cut_off_alone += 1;
      for (const controller of this.#controllers) controller.dispatch(channel_id, event);
    });
    this.#limits = {
      concurrent_calls_max: tape.pick([9, 1, 2]),
      spend_hour_max: tape.pick([9_000_000n, 150_000n]),
      spend_day_max: 9_000_000n,
    };
    this.ledger.wallets.set(WALLET, {
      cash_micros: 0n,
      cash_spend_order: 100,
      credit_limit_micros: tape.pick([0n, 0n, 90_000n]),
      promos: [],
      charges: [],
    });
    const end_ms = this.#started_at_ms + tape.pick([900_000, 20_000]);
    this.ledger.packs.set(PACK, { wallet_id: WALLET, seconds_left: tape.pick([25, 6, 60]), expires_at_ms: end_ms });
    this.#topUp(tape.pick([1_000_000n, 0n, 55_000n, 200_003n]), 'first');
    if (tape.oneIn(3)) {
      this.ledger.addPromo(WALLET, { left_micros: 120_000n, spend_order: tape.pick([50, 150]), expires_at_ms: end_ms });
      this.money_in += 120_000n;
    }
  }

  /** Lives the history to its end; throws at the first rule that is broken. */
  run(): void {
    this.#start();
    this.#planCalls();
    this.#planDisturbances();
    for (let steps = 0; this.agenda.step(); steps += 1) {
      if (steps > STEPS_MAX) throw new Error('The calls do not come to rest.');
    }
    this.#checkEnd();
  }

  decide(arrived_at_ms: number): Decision {
    if (this.tape.oneIn(15)) return { kind: 'refuse', reason: 'caller_id', account_id: 'account', facts: {} };
    return { kind: 'authorize', plan: planFrom(this.tape, arrived_at_ms, this.#limits) };
  }

  /** A question to the database on its way: carried out or not, answered or not (null). */
  ask(epoch: number, question: Question, answered: (answer: HoldAnswer | null) => void): void {
    const lost = this.tape.oneIn(14) && this.#stormy();
    const sent_ms = this.tape.pick([2, 0, 40, 900]);
    const back_ms = this.tape.pick([1, 0, 30, 400]);
    // The database may carry out what it was asked when whoever asked has long given up.
    if (lost) this.agenda.plan(back_ms, () => answered(null));
    this.agenda.plan(sent_ms, () => {
      const answer = this.#database_away ? null : this.#carryOut(epoch, question);
      if (!lost) this.agenda.plan(back_ms, () => answered(answer));
    });
  }

  /** What a call may ask of the switch and of the ledger, given what is held for it. */
  checkEffect(before: CallState, after: CallState, effect: CallEffect): void {
    const stored = this.ledger.holds.get(before.leg_id);
    const granted_ms = (stored === undefined ? 0 : heldOf(stored).seconds) * 1000 - settings.deadline_guard_ms;
    const unpaid = 'plan' in after && after.plan.direction === 'emergency';
    if (effect.type === 'bridge' && !unpaid && !(effect.plan.limit_ms <= granted_ms))
      throw new Error(`A call is sent out for ${effect.plan.limit_ms} ms with ${granted_ms} ms held.`);
    if (
      effect.type === 'arm' &&
      after.phase === 'talking' &&
      !unpaid &&
      !(effect.deadline_at_ms - after.answered_at_ms <= granted_ms)
    )
      throw new Error('A deadline lies beyond what is held.');
    if (effect.type === 'refuse' && before.phase === 'holding' && before.plan.direction === 'emergency')
      throw new Error(`A call for help is refused: ${effect.reason}.`);
    if (effect.type === 'refuse' && before.phase === 'holding') this.refused.add(before.leg_id);
    if (effect.type === 'renew' && after.phase !== 'talking') throw new Error(`A call in ${after.phase} renews.`);
    if (
      'held' in after &&
      !unpaid &&
      (stored === undefined ||
        after.held.micros > heldOf(stored).micros ||
        after.held.pack_seconds > heldOf(stored).pack_seconds)
    )
      throw new Error('A call thinks that it holds more than it does.');
  }

  #carryOut(epoch: number, question: Question): HoldAnswer | null {
    const answers = this.#answersOf(epoch, question);
    const broken = brokenRules(this.ledger);
    if (broken.length > 0) throw new Error(broken.join('; '));
    if (answers[0]?.verdict === 'over_held') throw new Error('A settlement asks for more than is held.');
    return answers[0] ?? null;
  }

  #answersOf(epoch: number, question: Question): readonly HoldAnswer[] {
    switch (question.kind) {
      case 'authorize':
        return this.ledger.authorize(epoch, [question.item]);
      case 'renew':
        return this.ledger.renew(epoch, [question.item]);
      case 'answer':
        return this.ledger.noteAnswer(epoch, [question.item]);
      case 'settle':
        return this.ledger.settle(epoch, [question.item]);
      case 'unheld':
        return [this.ledger.recordUnheld(question.item.leg_id)];
    }
  }

  #stormy(): boolean {
    return this.agenda.now_ms < this.#started_at_ms + CALM_AFTER_MS;
  }

  #topUp(micros: bigint, payment_id: string): void {
    if (this.ledger.topUp(payment_id, WALLET, micros) === 'posted') this.money_in += micros;
    for (const controller of this.#controllers) controller.moneyArrived();
  }

  #start(): void {
    const controller = new ModelController(this, this.ledger.takeLease());
    this.#controllers.push(controller);
    const pass = (): void => {
      if (!controller.alive) return;
      if (!this.#database_away) controller.reconcile();
      if (this.#stormy() || this.#busy()) this.agenda.plan(1000, pass);
    };
    this.agenda.plan(this.tape.pick([100, 1500]), pass);
  }

  #busy(): boolean {
    const live = [...this.media.calls.values()].some((call) => call.phase !== 'gone');
    return live || this.ledger.openHolds().length > 0;
  }

  #planCalls(): void {
    const calls = 1 + this.tape.below(3);
    for (let n = 0; n < calls; n += 1) {
      const leg_id = `leg-${n}`;
      this.agenda.plan(this.tape.pick([100, 0, 2000, 9000]), () => {
        const controller = this.#controllers.at(-1);
        if (controller?.alive !== true) return;
        this.arrived.push(leg_id);
        this.media.arrive(`channel-${leg_id}`);
        controller.arrived(`channel-${leg_id}`, leg_id);
      });
    }
  }

  #planDisturbances(): void {
    const moment = (): number => this.tape.below(256) * 60;
    for (let left = this.tape.below(4); left > 0; left -= 1) {
      const at_ms = moment();
      switch (this.tape.below(4)) {
        case 0:
          this.agenda.plan(at_ms, () =>
            this.#topUp(this.tape.pick([100_000n, 15_000n]), this.tape.pick(['second', 'first', 'third'])),
          );
          break;
        case 1:
          this.agenda.plan(at_ms, () => (this.#database_away = true));
          this.agenda.plan(at_ms + this.tape.pick([500, 3000, 10_000]), () => (this.#database_away = false));
          break;
        case 2:
          this.agenda.plan(at_ms, () => this.#controllers.at(-1)?.die());
          this.agenda.plan(
            at_ms + this.tape.pick([200, 5000, 0]),
            () => this.#controllers.at(-1)?.alive === false && this.#start(),
          );
          break;
        default: {
          // Another controller takes over while this one still thinks that it is the owner.
          const old = this.#controllers;
          this.agenda.plan(at_ms, () => this.#controllers.at(-1)?.alive === true && this.#start());
          this.agenda.plan(at_ms + 700, () => old.slice(0, -1).forEach((controller) => controller.die()));
        }
      }
    }
  }

  #checkEnd(): void {
    const open = this.ledger.openHolds().map((hold) => hold.leg_id);
    if (open.length > 0) throw new Error(`Money is still held for ${open.join(', ')}.`);
    for (const leg_id of this.arrived) {
      const recorded = this.ledger.unheld.has(leg_id) || this.ledger.holds.has(leg_id);
      if (!recorded && this.ledger.epoch === 1) throw new Error(`${leg_id} has no record.`);
      if (this.ledger.unheld.has(leg_id) && this.ledger.settled.has(leg_id))
        throw new Error(`${leg_id} has two records.`);
      const call = this.media.calls.get(`channel-${leg_id}`);
      // An older controller may send out what its successor has given up, which hangs it up again.
      if (
        this.ledger.epoch === 1 &&
        typeof call?.answered_at_ms === 'number' &&
        this.ledger.settled.get(leg_id)?.cdr.result === 'failed'
      )
        throw new Error(`${leg_id} talked, and was settled as one that failed.`);
    }
    let charged = 0n;
    for (const item of this.ledger.settled.values()) charged += item.net_micros + item.tax_micros;
    if (this.ledger.balanceMicros(WALLET) !== this.money_in - charged)
      throw new Error('Money came or went without a charge.');
  }
}
