import { setTimeout as wait } from 'node:timers/promises';
import type { CallRecord } from '../sip/call_record.ts';
import type { Script } from '../sip/carrier_script.ts';
import type { OutgoingCall } from '../sip/outgoing_call.ts';
import type { Phone } from '../sip/phone.ts';
import { talk } from '../world/talk.ts';
import { topUpNow } from '../world/people.ts';
import type { Customer } from '../world/people.ts';
import type { World } from '../world/world.ts';
import type { Dice } from './dice.ts';

/** Few wallets and many calls: several draw from each at any moment, and each runs dry again and again. */
const WALLETS = 8;
const OPENING_MICROS = [12_000, 60_000] as const;
const TOP_UP_MICROS = [3_000, 25_000] as const;
const TOP_UP_EVERY_MS = 400;
const TALK_MS = [200, 12_000] as const;
/** Who waits for the money to end gives up after this. */
const PATIENCE_MS = 30_000;
const PAUSE_MS = [20, 250] as const;
/** After a refusal people wait longer; two dozen lines that dial on at once would be a flood, which is another test. */
const REFUSED_PAUSE_MS = [300, 1_500] as const;

/** What the caller saw, and what the carrier saw of the same call; joined by a number that no two calls share. */
export interface WitnessedCall {
  number: string;
  caller: CallRecord;
}

interface Party {
  customer: Customer;
  phone: Phone;
}

/** Keeps a number of calls in flight, between parties that know nothing of the controller and what becomes of it. */
export class Callers {
  readonly witnessed: WitnessedCall[] = [];
  readonly #world: World;
  readonly #dice: Dice;
  readonly #parties: readonly Party[];
  readonly #stop = stopSign();
  #stopping = false;
  #lines: Promise<unknown> = Promise.resolve();
  #numbers = 0;

  private constructor(world: World, dice: Dice, parties: readonly Party[]) {
    this.#world = world;
    this.#dice = dice;
    this.#parties = parties;
  }

  static async begin(world: World, dice: Dice): Promise<Callers> {
    const parties: Party[] = [];
    for (let n = 0; n < WALLETS; n += 1) {
      const customer = await world.customer({ balance_micros: BigInt(dice.between(...OPENING_MICROS)) });
      parties.push({ customer, phone: await world.phone(customer, { media: false }) });
    }
    world.carrier('alpha').play(manners(dice));
    return new Callers(world, dice, parties);
  }

  get inFlight(): number {
    return this.#parties.reduce((sum, { phone }) => sum + phone.liveCalls.length, 0);
  }

  get answered(): number {
    return this.witnessed.filter(({ caller }) => caller.answered_at_ms !== undefined).length;
  }

  /** Keeps `count` calls in flight until `stop`. */
  keep(count: number): void {
    const lines = Array.from({ length: count }, () => this.#line());
    this.#lines = Promise.all([...lines, this.#payments()]);
    // Told by `stop`, which awaits it; until then it is nobody's unhandled rejection.
    this.#lines.catch(() => undefined);
  }

  /** No more calls; whoever still talks hangs up. Rejects when a line or a payment failed. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#stop.give();
    await Promise.all(this.#parties.map(({ phone }) => phone.hangUpAll()));
    await this.#lines;
  }

  async #line(): Promise<void> {
    while (!this.#stopping) {
      const { phone } = this.#dice.pick(this.#parties);
      this.#numbers += 1;
      const number = `+44207${String(this.#numbers).padStart(7, '0')}`;
      const call = phone.call(number);
      await this.#live(call);
      this.witnessed.push({ number, caller: call.record });
      const refused = call.record.answered_at_ms === undefined;
      await this.#pause(refused ? this.#dice.between(...REFUSED_PAUSE_MS) : this.#dice.between(...PAUSE_MS));
    }
  }

  /** One call from the caller's side: some hang up, some while it rings, some are left to the callee, some to the money. */
  async #live(call: OutgoingCall): Promise<void> {
    const kind = this.#dice.between(1, 100);
    if (kind <= 4) await Promise.race([call.ended(PATIENCE_MS), wait(this.#dice.between(0, 400))]);
    else await Promise.race([call.answered(PATIENCE_MS).catch(() => undefined), call.ended(PATIENCE_MS)]);
    if (call.isLive && kind > 4) {
      if (kind <= 50) await talk(call, this.#dice.between(...TALK_MS));
      else await Promise.race([call.ended(PATIENCE_MS).catch(() => undefined), this.#stopped()]);
    }
    if (call.isLive) await call.hangUp();
    // A CANCEL that crossed the 200 leaves an answered call behind, which is ended as such.
    if (call.isLive) await call.ended(PATIENCE_MS);
  }

  async #payments(): Promise<void> {
    while (!this.#stopping) {
      const { customer } = this.#dice.pick(this.#parties);
      await topUpNow(this.#world.pool, customer.wallet_id, BigInt(this.#dice.between(...TOP_UP_MICROS)));
      await this.#pause(TOP_UP_EVERY_MS);
    }
  }

  async #pause(ms: number): Promise<void> {
    await Promise.race([wait(ms), this.#stopped()]);
  }

  #stopped(): Promise<void> {
    return this.#stop.given;
  }
}

/** The carrier rings for a moment and answers; a third of its people hang up by themselves. */
function manners(dice: Dice): Script {
  return async (call, pause) => {
    call.trying();
    if (!(await pause(dice.between(0, 150)))) return;
    call.ring();
    if (!(await pause(dice.between(20, 700)))) return;
    if (dice.between(1, 100) <= 5) return call.reject(486);
    if (!(await call.answer())) return;
    if (dice.between(1, 100) <= 33 && (await pause(dice.between(...TALK_MS)))) await call.bye();
  };
}

function stopSign(): { given: Promise<void>; give: () => void } {
  let give: () => void = () => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give: () => give() };
}
