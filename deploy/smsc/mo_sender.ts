import type { Account } from './account.ts';
import type { Agenda } from './agenda.ts';
import type { MoDelivery } from './delivery.ts';
import type { Dice } from './dice.ts';
import type { MoOrder, MoResult } from './mo_order.ts';
import { moParts } from './mo_parts.ts';

/** Texts from phones, put into the outbox of whoever holds the number. */
export class MoSender {
  readonly #accounts: ReadonlyMap<string, Account>;
  readonly #agenda: Agenda;
  readonly #dice: Dice;
  #mo = 0;

  constructor(accounts: ReadonlyMap<string, Account>, agenda: Agenda, dice: Dice) {
    this.#accounts = accounts;
    this.#agenda = agenda;
    this.#dice = dice;
  }

  /** Resolves once all parts are acknowledged, or the wait is over. Null where nobody has that system_id. */
  send(order: MoOrder): Promise<MoResult> | null {
    const account = this.#accountOf(order.system_id);
    if (account === undefined) return null;
    this.#mo += 1;
    const mo = this.#mo;
    const bodies = moParts(order, order.reference ?? mo & 0xffff);
    const numbered = bodies.map((body, index) => ({ body, part: index + 1 }));
    const there = numbered.filter(({ part }) => part !== order.missing_part);
    const result: MoResult = { mo, parts: [] };
    return new Promise((resolve) => {
      let left = there.length;
      if (left === 0) resolve(result);
      const deliveries = this.#inOrder(there, order.order).map(({ body, part }): MoDelivery => {
        const outcome: MoResult['parts'][number] = { part, status: null };
        result.parts.push(outcome);
        const onDone = (status: number): void => {
          outcome.status = status;
          left -= 1;
          if (left === 0) resolve(result);
        };
        return { kind: 'mo', body, mo, part, of: bodies.length, tries: 0, onDone };
      });
      for (const delivery of deliveries) account.outbox.add(delivery);
      this.#agenda.after(order.wait_ms, () => resolve(result));
    });
  }

  #accountOf(system_id: string | undefined): Account | undefined {
    if (system_id !== undefined) return this.#accounts.get(system_id);
    const [first] = this.#accounts.values();
    return first;
  }

  #inOrder<T>(items: readonly T[], order: MoOrder['order']): readonly T[] {
    if (order === 'in_order') return items;
    return order === 'reversed' ? items.toReversed() : this.#dice.shuffle(items);
  }
}
