import type {
  AnswerItem,
  AuthorizeItem,
  HoldAnswer,
  HoldVerdict,
  RenewItem,
  SettleItem,
  SpendWindow,
} from '../hold.ts';

/**
 * What the tables and functions of call charging are meant to do, said a second time and in another way: sums are summed
 * anew at each question instead of being kept, and there is no lock, as there is nobody else. Tests compare the two.
 */
export interface ModelPromo {
  left_micros: bigint;
  spend_order: number;
  expires_at_ms: number;
}

export interface ModelPack {
  wallet_id: bigint;
  seconds_left: number;
  expires_at_ms: number;
}

export interface ModelWallet {
  cash_micros: bigint;
  cash_spend_order: number;
  credit_limit_micros: bigint;
  promos: ModelPromo[];
  charges: { hour_ms: number; day: string; micros: bigint }[];
}

export interface ModelGrant {
  seconds: number;
  micros: bigint;
  pack_seconds: number;
  granted_at_ms: number;
}

export interface ModelHold {
  leg_id: string;
  call_id: string;
  channel_id: string;
  wallet_id: bigint;
  open: boolean;
  grants: ModelGrant[];
  pack_id: bigint | null;
  authorized_at_ms: number;
  answered_at_ms: number | null;
  answered_attempt: number | null;
  deadline_at_ms: number;
  snapshot: unknown;
}

export class LedgerModel {
  readonly wallets = new Map<bigint, ModelWallet>();
  readonly packs = new Map<bigint, ModelPack>();
  readonly holds = new Map<string, ModelHold>();
  /** Every settlement that was carried out, by leg: there is at most one. */
  readonly settled = new Map<string, SettleItem>();
  /** Legs whose only record is that nothing was held for them. */
  readonly unheld = new Set<string>();
  /** What each payment was for; the same payment never counts twice. */
  readonly payments = new Map<string, string>();
  /** Every grant of promo credit, in the order in which it was given. */
  readonly promos_given: { wallet_id: bigint; promo: ModelPromo }[] = [];
  epoch = 0;

  takeLease(): number {
    this.epoch += 1;
    return this.epoch;
  }

  topUp(payment_id: string, wallet_id: bigint, amount_micros: bigint): 'posted' | 'replay' | 'conflict' {
    const content = `${wallet_id} ${amount_micros}`;
    const known = this.payments.get(payment_id);
    if (known !== undefined) return known === content ? 'replay' : 'conflict';
    this.payments.set(payment_id, content);
    this.#wallet(wallet_id).cash_micros += amount_micros;
    return 'posted';
  }

  addPromo(wallet_id: bigint, promo: ModelPromo): void {
    const given = { ...promo };
    this.promos_given.push({ wallet_id, promo: given });
    this.#wallet(wallet_id).promos.push(given);
  }

  authorize(epoch: number, items: readonly AuthorizeItem[]): HoldAnswer[] {
    return this.#batch(epoch, items, (item) => this.#authorizeOne(item));
  }

  renew(epoch: number, items: readonly RenewItem[]): HoldAnswer[] {
    return this.#batch(epoch, items, (item) => this.#renewOne(item));
  }

  settle(epoch: number, items: readonly SettleItem[]): HoldAnswer[] {
    return this.#batch(epoch, items, (item) => this.#settleOne(item));
  }

  noteAnswer(epoch: number, items: readonly AnswerItem[]): HoldAnswer[] {
    return items.map((item) => {
      if (epoch !== this.epoch) return answer('fenced');
      const hold = this.holds.get(item.leg_id);
      if (hold?.open !== true) return answer('closed');
      hold.answered_at_ms = item.answered_at.getTime();
      hold.answered_attempt = item.attempt;
      // A renewal that overtook the news of the answer knows the later deadline.
      if (hold.grants.length === 1) hold.deadline_at_ms = item.deadline_at.getTime();
      return answer('granted');
    });
  }

  recordUnheld(leg_id: string): HoldAnswer {
    if (this.holds.has(leg_id)) return answer('held');
    if (this.unheld.has(leg_id)) return answer('replay');
    this.unheld.add(leg_id);
    return answer('settled');
  }

  openHolds(): ModelHold[] {
    return [...this.holds.values()].filter((hold) => hold.open);
  }

  /** The sum of the open holds of a wallet. */
  heldMicros(wallet_id: bigint): bigint {
    let sum = 0n;
    for (const hold of this.holds.values()) if (hold.open && hold.wallet_id === wallet_id) sum += heldOf(hold).micros;
    return sum;
  }

  openCalls(wallet_id: bigint): number {
    let calls = 0;
    for (const hold of this.holds.values()) if (hold.open && hold.wallet_id === wallet_id) calls += 1;
    return calls;
  }

  packSecondsHeld(pack_id: bigint): number {
    let sum = 0;
    for (const hold of this.holds.values()) if (hold.open && hold.pack_id === pack_id) sum += heldOf(hold).pack_seconds;
    return sum;
  }

  balanceMicros(wallet_id: bigint): bigint {
    const wallet = this.#wallet(wallet_id);
    return wallet.promos.reduce((sum, promo) => sum + promo.left_micros, wallet.cash_micros);
  }

  /** What was charged in an hour and a day, whenever it was settled. */
  spent(wallet_id: bigint, hour_ms: number, day: string): { hour: bigint; day: bigint } {
    let [in_hour, in_day] = [0n, 0n];
    for (const charge of this.#wallet(wallet_id).charges) {
      if (charge.hour_ms === hour_ms) in_hour += charge.micros;
      if (charge.day === day) in_day += charge.micros;
    }
    return { hour: in_hour, day: in_day };
  }

  #wallet(wallet_id: bigint): ModelWallet {
    const wallet = this.wallets.get(wallet_id);
    if (wallet === undefined) throw new Error(`The model has no wallet ${wallet_id}.`);
    return wallet;
  }

  /** Items of lower wallets first, as the database locks them; within a wallet in the order given. */
  #batch<I extends { wallet_id: bigint }>(
    epoch: number,
    items: readonly I[],
    one: (item: I) => HoldAnswer,
  ): HoldAnswer[] {
    if (epoch !== this.epoch) return items.map(() => answer('fenced'));
    const answers: HoldAnswer[] = [];
    const order = items
      .map((_, n) => n)
      .sort((a, b) => compare(items[a]?.wallet_id ?? 0n, items[b]?.wallet_id ?? 0n) || a - b);
    for (const n of order) answers[n] = one(items[n] as I);
    return answers;
  }

  /** What can still be held: money that has not expired, and what the limits of the hour and the day leave. */
  #room(wallet_id: bigint, valid_at_ms: number, window: SpendWindow): { money: bigint; hour: bigint; day: bigint } {
    const wallet = this.#wallet(wallet_id);
    const held = this.heldMicros(wallet_id);
    const valid = wallet.promos.filter((promo) => promo.expires_at_ms > valid_at_ms);
    const spent = this.spent(wallet_id, window.spend_hour.getTime(), window.spend_day);
    return {
      money:
        valid.reduce((sum, promo) => sum + promo.left_micros, wallet.cash_micros + wallet.credit_limit_micros) - held,
      hour: window.spend_hour_max - spent.hour - held,
      day: window.spend_day_max - spent.day - held,
    };
  }

  /** What an answer says of the wallet once the decision is made. */
  #left(wallet_id: bigint): { free_micros: bigint; open_calls: number } {
    const { credit_limit_micros } = this.#wallet(wallet_id);
    const free_micros = this.balanceMicros(wallet_id) + credit_limit_micros - this.heldMicros(wallet_id);
    return { free_micros, open_calls: this.openCalls(wallet_id) };
  }

  #refusal(wallet_id: bigint, micros: bigint, valid_at_ms: number, window: SpendWindow): HoldAnswer | null {
    const room = this.#room(wallet_id, valid_at_ms, window);
    const free_micros = [room.money, room.hour, room.day].reduce((least, one) => (one < least ? one : least));
    const open_calls = this.openCalls(wallet_id);
    // What costs nothing needs no money, even where expired credit is more than what is left.
    const short = micros > 0n && room.money < micros;
    const verdict = short ? 'short' : room.hour < micros ? 'spend_hour' : room.day < micros ? 'spend_day' : null;
    return verdict === null ? null : { ...answer(verdict), free_micros, open_calls };
  }

  #packGives(pack_id: bigint | null, wallet_id: bigint, seconds: number, now_ms: number): boolean {
    if (seconds === 0) return true;
    const pack = pack_id === null ? undefined : this.packs.get(pack_id);
    if (pack_id === null || pack === undefined || pack.wallet_id !== wallet_id || pack.expires_at_ms <= now_ms)
      return false;
    return pack.seconds_left - this.packSecondsHeld(pack_id) >= seconds;
  }

  #authorizeOne(item: AuthorizeItem): HoldAnswer {
    const known = this.holds.get(item.leg_id);
    if (known !== undefined) return held('replay', known);
    if (!this.wallets.has(item.wallet_id)) return answer('no_wallet');
    const now_ms = item.now_at.getTime();
    const open_calls = this.openCalls(item.wallet_id);
    if (open_calls >= item.concurrent_calls_max) return { ...answer('too_many_calls'), open_calls };
    const refusal = this.#refusal(item.wallet_id, item.hold_micros, now_ms, item);
    if (refusal !== null) return refusal;
    if (!this.#packGives(item.pack_id, item.wallet_id, item.pack_seconds, now_ms)) return answer('pack_short');
    const hold: ModelHold = {
      leg_id: item.leg_id,
      call_id: item.call_id,
      channel_id: item.channel_id,
      wallet_id: item.wallet_id,
      open: true,
      grants: [],
      pack_id: item.pack_id,
      authorized_at_ms: now_ms,
      answered_at_ms: null,
      answered_attempt: null,
      deadline_at_ms: item.deadline_at.getTime(),
      snapshot: item.snapshot,
    };
    hold.grants.push({
      seconds: item.seconds,
      micros: item.hold_micros,
      pack_seconds: item.pack_seconds,
      granted_at_ms: now_ms,
    });
    this.holds.set(item.leg_id, hold);
    return { ...held('granted', hold), ...this.#left(item.wallet_id) };
  }

  #renewOne(item: RenewItem): HoldAnswer {
    const hold = this.holds.get(item.leg_id);
    if (hold?.open !== true || hold.wallet_id !== item.wallet_id) return answer('closed');
    if (hold.grants.length >= item.grant_no) return held('replay', hold);
    if (hold.grants.length !== item.grant_no - 1) throw new Error(`Leg ${item.leg_id} skips a grant.`);
    const now_ms = item.now_at.getTime();
    const refusal = this.#refusal(item.wallet_id, item.micros, hold.authorized_at_ms, item);
    if (refusal !== null) return refusal;
    if (!this.#packGives(hold.pack_id, item.wallet_id, item.pack_seconds, now_ms)) return answer('pack_short');
    const { seconds, micros, pack_seconds } = item;
    hold.grants.push({ seconds, micros, pack_seconds, granted_at_ms: now_ms });
    hold.deadline_at_ms = item.deadline_at.getTime();
    return { ...held('granted', hold), ...this.#left(item.wallet_id) };
  }

  #settleOne(item: SettleItem): HoldAnswer {
    const hold = this.holds.get(item.leg_id);
    if (hold?.wallet_id !== item.wallet_id) return answer('unknown');
    if (!hold.open) return held('replay', hold);
    const gross = item.net_micros + item.tax_micros;
    const { micros, pack_seconds } = heldOf(hold);
    if (gross > micros || item.pack_seconds > pack_seconds) return held('over_held', hold);
    hold.open = false;
    this.settled.set(item.leg_id, item);
    // Where it was said before that nothing was held, because the answer to the hold was lost, the hold is the truth.
    this.unheld.delete(item.leg_id);
    const pack = hold.pack_id === null ? undefined : this.packs.get(hold.pack_id);
    if (pack !== undefined) pack.seconds_left -= item.pack_seconds;
    const wallet = this.#wallet(item.wallet_id);
    wallet.charges.push({ hour_ms: item.spend_hour.getTime(), day: item.spend_day, micros: gross });
    pay(wallet, gross, hold.authorized_at_ms);
    return { ...answer('settled'), ...this.#left(item.wallet_id) };
  }
}

/** Buckets pay in their order; cash pays as much as is there in its turn, and in the end whatever is left over. */
function pay(wallet: ModelWallet, amount_micros: bigint, valid_at_ms: number): void {
  let left = amount_micros;
  const promos = wallet.promos
    .filter((promo) => promo.expires_at_ms > valid_at_ms)
    .sort((a, b) => a.spend_order - b.spend_order || a.expires_at_ms - b.expires_at_ms);
  const take = (available: bigint): bigint => {
    const part = available < 0n ? 0n : available < left ? available : left;
    left -= part;
    return part;
  };
  const before = promos.filter((promo) => promo.spend_order <= wallet.cash_spend_order);
  for (const promo of before) promo.left_micros -= take(promo.left_micros);
  wallet.cash_micros -= take(wallet.cash_micros);
  for (const promo of promos) if (!before.includes(promo)) promo.left_micros -= take(promo.left_micros);
  wallet.cash_micros -= left;
}

export function heldOf(hold: ModelHold): { seconds: number; micros: bigint; pack_seconds: number } {
  const sum = { seconds: 0, micros: 0n, pack_seconds: 0 };
  for (const grant of hold.grants) {
    sum.seconds += grant.seconds;
    sum.micros += grant.micros;
    sum.pack_seconds += grant.pack_seconds;
  }
  return sum;
}

function answer(verdict: HoldVerdict): HoldAnswer {
  return { verdict, free_micros: 0n, open_calls: 0, held_micros: 0n, seconds_granted: 0 };
}

function held(verdict: HoldVerdict, hold: ModelHold): HoldAnswer {
  const { micros, seconds } = heldOf(hold);
  return { ...answer(verdict), held_micros: micros, seconds_granted: seconds };
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
