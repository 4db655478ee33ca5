import { expect } from 'vitest';
import type { OutgoingCall } from '../../sip/outgoing_call.ts';
import type { Customer } from '../../world/people.ts';
import { booksAreRight, eventually, settledCalls, walletOf } from '../../world/verdict.ts';
import type { CdrVerdict } from '../../world/verdict.ts';
import type { World } from '../../world/world.ts';
import { Witness } from '../switch_stack/witness.ts';

export const NUMBER = '+442071838750';
const RATE_MICROS_PER_SECOND = 1_000n;

export interface Talker {
  customer: Customer;
  call: OutgoingCall;
}

/** Customers who call on a bad day, and the verdict on what became of their calls. */
export class Talkers {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** A customer of its own, whose phone has dialled. */
  async dial(balance_micros: bigint, number = NUMBER): Promise<Talker> {
    const customer = await this.#world.customer({ balance_micros });
    const phone = await this.#world.phone(customer);
    return { customer, call: phone.call(number) };
  }

  /** One whose call was answered. */
  async talker(balance_micros: bigint, number = NUMBER): Promise<Talker> {
    const made = await this.dial(balance_micros, number);
    await made.call.answered();
    return made;
  }

  /** Fails where there are two records, or where anything is still held. */
  async oneRecord(customer: Customer): Promise<CdrVerdict> {
    const { pool } = this.#world;
    const [cdr, ...more] = await settledCalls(pool, customer.account_id, 1, 20_000);
    if (cdr === undefined || more.length > 0) throw new Error(`One record was expected, not ${more.length + 1}.`);
    expect(await walletOf(pool, customer.wallet_id)).toMatchObject({ held_micros: 0n, open_calls: 0 });
    return cdr;
  }

  /** By what was charged and by what the caller measured. */
  async expectTalked({ customer, call }: Talker, source = 'record'): Promise<CdrVerdict> {
    const cdr = await this.oneRecord(customer);
    expect(cdr).toMatchObject({ result: 'answered', duration_source: source, operator_loss_micros: 0n });
    expect(this.#world.beyond(cdr.duration_ms, call)).toBeLessThan(150);
    expect(cdr.net_micros).toBe(BigInt(Math.ceil(cdr.duration_ms / 1000)) * RATE_MICROS_PER_SECOND);
    return cdr;
  }

  async nothingIsLeft(): Promise<void> {
    const {
      ASTERISK_ARI_URL: url,
      ASTERISK_ARI_USER: user,
      ASTERISK_ARI_PASSWORD: password,
    } = this.#world.asterisk.access;
    const witness = await Witness.open({ adapter: { ari: { url, user, password } } });
    await eventually('an empty switch', 10_000, async () => {
      const { channels, bridges } = await witness.calls();
      return channels.length + bridges.length === 0 ? true : null;
    });
    await booksAreRight(this.#world.pool);
  }
}
