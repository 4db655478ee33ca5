import { randomUUID } from 'node:crypto';
import type { Customer } from '../../../deploy/world/people.ts';
import { takeLease } from '../../lease/lease.ts';
import { acceptMessages } from '../accept_messages.ts';
import type { NewMessage } from '../accept_messages.ts';
import { receiveMessages } from '../arrivals.ts';
import type { Arrival } from '../arrivals.ts';
import { cancelMessage, decideHeldMessage } from '../decisions.ts';
import { MessageIds } from '../message_id.ts';
import { recordOutcomes } from '../outcomes.ts';
import type { Outcome } from '../outcomes.ts';
import type { GatewayLease } from '../queue.ts';
import { claimMessages, expireMessages, markSending, recoverMessages, releaseMessages } from '../queue.ts';
import { receiveReceipts } from '../receipts.ts';
import type { Receipt } from '../receipts.ts';
import { RECIPIENTS } from './history.ts';
import type { AcceptChoice, Choice, History, OutcomeChoice, ReceiptChoice } from './history.ts';
import { standingInModel, standingInTables } from './standing.ts';
import type { Standing } from './standing.ts';
import { TextModel } from './text_model.ts';
import type { ModelText } from './text_model.ts';
import { receiptOf, submitted } from './texts.ts';
import type { TextBooks } from './texts.ts';

const MINUTE_MS = 60_000;

/** What was answered to one step, or stood afterwards: by the tables and by the model. */
export interface Compared<T> {
  tables: T;
  model: T;
}

const same = <T>(tables: T, model: T): Compared<T> => ({ tables, model });

/** Plays one history to the tables and to the model at once. Books serve one history after the other, never two together. */
export class Player {
  readonly model = new TextModel();
  readonly #books: TextBooks;
  readonly #customers: readonly [Customer, Customer];
  readonly #carrier_id: number;
  readonly #ids: MessageIds;
  readonly #batches: NewMessage[][] = [];
  #now_ms = Date.UTC(2026, 0, 15, 12);

  private constructor(books: TextBooks, customers: readonly [Customer, Customer], carrier_id: number) {
    this.#books = books;
    this.#customers = customers;
    this.#carrier_id = carrier_id;
    this.#ids = new MessageIds(() => this.#now_ms);
  }

  static async begin(books: TextBooks, { balances }: History): Promise<Player> {
    const customers = [await books.customer(balances[0]), await books.customer(balances[1])] as const;
    const { rows } = await books.pool.query<{ id: number }>(
      `insert into carrier (code, name, currency) values ($1, 'history', 'EUR') returning id`,
      [`c${randomUUID()}`],
    );
    const player = new Player(books, customers, rows[0]?.id ?? 0);
    customers.forEach(({ account_id }, n) => player.model.balances.set(account_id, balances[n] ?? 0n));
    await player.play({ kind: 'takeover' });
    return player;
  }

  async play(choice: Choice): Promise<Compared<unknown>> {
    // No two steps are at one moment, so that two that are alike are not taken for one that comes again.
    this.#now_ms += 1;
    const { pool } = this.#books;
    const now = new Date(this.#now_ms);
    switch (choice.kind) {
      case 'accept':
        return this.#accept(choice.items.map((item) => this.#newMessage(item)));
      case 'accept_again': {
        const batch = this.#batches[choice.batch % this.#batches.length];
        return batch === undefined ? same(null, null) : this.#accept(batch);
      }
      case 'outcomes': {
        const outcomes = this.#outcomes(choice.items);
        const id = randomUUID();
        const record = () => recordOutcomes(pool, this.#lease(choice.stale), id, now, outcomes);
        const tables = [await record(), choice.again ? await record() : null];
        const model = () => this.model.outcomes(this.#lease(choice.stale).epoch, this.#now_ms, outcomes);
        return same(tables, [model(), choice.again ? model() : null]);
      }
      case 'receipts': {
        const receipts = choice.items.flatMap((item) => this.#receipt(item));
        const tables = await receiveReceipts(pool, this.#lease(choice.stale), now, receipts);
        return same(tables, this.model.receive(this.#lease(choice.stale).epoch, this.#now_ms, receipts));
      }
      case 'wait':
        this.#now_ms += choice.minutes * MINUTE_MS;
        return same(null, null);
      default:
        return this.#playOfQueue(choice, now);
    }
  }

  async standing(): Promise<Compared<Standing>> {
    const accounts = this.#customers.map(({ account_id }) => account_id);
    const tables = await standingInTables(this.#books.pool, accounts, this.#carrier_id);
    return { tables, model: standingInModel(this.model, accounts) };
  }

  /** Ends every text that is still in the queue, so that the next history finds an empty one. */
  async end(): Promise<void> {
    const left = [...this.model.texts.values()].filter(({ place }) => place !== null);
    const outcomes = left.map((text) => this.#outcome(text, 'late'));
    await recordOutcomes(this.#books.pool, this.#lease(false), randomUUID(), new Date(this.#now_ms), outcomes.flat());
    this.model.outcomes(this.model.epoch, this.#now_ms, outcomes.flat());
    await this.#books.pool.query('delete from parked_receipt');
  }

  async #playOfQueue(
    choice: Exclude<Choice, { kind: 'accept' | 'accept_again' | 'outcomes' | 'receipts' | 'wait' }>,
    now: Date,
  ): Promise<Compared<unknown>> {
    const { pool } = this.#books;
    const lease = this.#lease('stale' in choice && choice.stale);
    switch (choice.kind) {
      case 'claim': {
        const claimed = await claimMessages(pool, lease, this.#carrier_id, now, choice.rows_max);
        const model = this.model.claim(lease.epoch, this.#now_ms, choice.rows_max);
        return same(
          claimed.map(({ message_id }) => message_id),
          model,
        );
      }
      case 'mark': {
        const ids = this.#pick(choice.texts, 'claimed');
        const marked = await markSending(pool, lease, ids);
        return same([...marked].sort(), this.model.mark(lease.epoch, ids));
      }
      case 'release': {
        const ids = this.#pick(choice.texts, 'claimed');
        const back = ids.map((message_id) => {
          const attempt = this.model.texts.get(message_id)?.attempt ?? 1;
          return { message_id, carrier_id: this.#carrier_id, due_at: null, attempt };
        });
        return same(await releaseMessages(pool, lease, back), this.model.release(lease.epoch, ids));
      }
      case 'cancel': {
        const [id = randomUUID()] = this.#pick([choice.text], 'all');
        const owner = this.model.texts.get(id)?.message.account_id ?? '';
        const account_id = choice.stranger || owner === '' ? randomUUID() : owner;
        const model = owner === '' ? 'not_found' : this.model.cancel(account_id, id);
        return same(await cancelMessage(pool, account_id, id, now), model);
      }
      case 'decide': {
        const [id = randomUUID()] = this.#pick([choice.text], 'undecided');
        const decision = { message_id: id, release: choice.release, by: 'Ann', reason: 'she knows' };
        const model = this.model.texts.has(id) ? this.model.decide(id, choice.release) : 'not_found';
        return same(await decideHeldMessage(pool, decision, now), model);
      }
      case 'expire':
        return same(await expireMessages(pool, lease, now, 1_000), this.model.expire(lease.epoch, this.#now_ms));
      case 'takeover': {
        const { epoch } = await takeLease(pool, this.#books.lease.gateway_id, randomUUID(), now);
        this.#books.lease = { ...this.#books.lease, epoch };
        return same(await recoverMessages(pool, this.#books.lease, now), this.model.takeOver(epoch));
      }
      case 'words':
        return this.#hear(choice.customer, choice.recipient, choice.words, now);
    }
  }

  async #hear(
    customer: 0 | 1,
    recipient: number,
    words: readonly ('stop' | 'start')[],
    now: Date,
  ): Promise<Compared<unknown>> {
    const { account_id, number } = this.#customers[customer];
    const sender = RECIPIENTS[recipient] ?? RECIPIENTS[0];
    const arrivals = words.map((keyword): Arrival => ({
      ...{ id: this.#ids.next(), carrier_id: this.#carrier_id, sender, recipient: number, body: keyword },
      ...{ encoding: 'gsm7', segments: 1, keyword, concatenation: null },
    }));
    const tables = await receiveMessages(this.#books.pool, this.#lease(false), now, arrivals);
    this.model.hear(`${account_id} ${sender} ${number}`, words);
    return same(
      tables,
      words.map(() => ({ account_id })),
    );
  }

  async #accept(messages: NewMessage[]): Promise<Compared<unknown>> {
    this.#batches.push(messages);
    const answers = await acceptMessages(this.#books.pool, new Date(this.#now_ms), messages);
    const numbers = new Set(this.#customers.map(({ account_id, number }) => `${account_id} ${number}`));
    const own = ({ account_id, sender }: NewMessage) => numbers.has(`${account_id} ${sender}`);
    const model = this.model.accept(this.#now_ms, messages, own);
    return same(
      answers.map(({ verdict }) => verdict),
      model,
    );
  }

  #lease(stale: boolean): GatewayLease {
    const { gateway_id, epoch } = this.#books.lease;
    return { gateway_id, epoch: stale ? epoch - 1 : epoch };
  }

  #newMessage(choice: AcceptChoice): NewMessage {
    const customer = this.#customers[choice.customer];
    const minutes = (n: number) => new Date(this.#now_ms + n * MINUTE_MS);
    const { segments, due_minutes } = choice;
    return this.#books.text(customer, {
      id: this.#ids.next(),
      segments,
      tax_micros: choice.taxed ? BigInt(segments) * 190n + 1n : 0n,
      class: choice.class,
      on_doubt: choice.on_doubt,
      recipient: RECIPIENTS[choice.recipient] ?? RECIPIENTS[0],
      sender: choice.foreign_sender ? this.#customers[choice.customer === 0 ? 1 : 0].number : customer.number,
      idempotency: choice.key === null ? null : { key: `key-${choice.key}`, content_sha256: `${choice.content}` },
      epoch: choice.at_once ? this.#books.lease.epoch : null,
      hold_reason: choice.held ? 'a look at it first' : null,
      due_at: due_minutes === null ? null : minutes(due_minutes),
      valid_until: minutes(choice.valid_minutes),
      carrier_id: this.#carrier_id,
    });
  }

  /** Texts by their numbers, each once. */
  #pick(numbers: readonly number[], among: 'claimed' | 'undecided' | 'all'): string[] {
    const places = among === 'claimed' ? ['claimed'] : ['held', 'in_doubt'];
    const all = [...this.model.texts.values()];
    const some = among === 'all' ? all : all.filter(({ place }) => place !== null && places.includes(place));
    const texts = some.length === 0 ? all : some;
    if (texts.length === 0) return [];
    return [...new Set(numbers.map((n) => texts[n % texts.length]?.message.id ?? ''))];
  }

  #outcomes(choices: readonly OutcomeChoice[]): Outcome[] {
    const chosen = new Map<string, OutcomeChoice>();
    for (const choice of choices) for (const id of this.#pick([choice.text], choice.among)) chosen.set(id, choice);
    return [...chosen].flatMap(([id, { what }]) => {
      const text = this.model.texts.get(id);
      return text === undefined ? [] : this.#outcome(text, what);
    });
  }

  #outcome(text: ModelText, what: OutcomeChoice['what']): Outcome[] {
    const { id, segments } = text.message;
    const rest = Array.from({ length: segments }, (_, n) => n + 1).filter((part_no) => !text.parts_taken.has(part_no));
    const { attempt } = text;
    const one = (part_no: number, more: Partial<Outcome>) =>
      submitted(this.#books, id, carrierMessageId(id, part_no, attempt), {
        ...{ part_no, attempt, at: new Date(this.#now_ms), carrier_id: this.#carrier_id, then_state: null },
        ...more,
      });
    const nothing = { carrier_message_id: null, cost: null } as const;
    const part_no = rest[0] ?? 1;
    switch (what) {
      case 'all':
        return (rest.length === 0 ? [1] : rest).map((part, n, all) =>
          one(part, { then_state: n === all.length - 1 ? 'done' : null }),
        );
      case 'part':
        return [one(part_no, {})];
      case 'refused':
        return [one(part_no, { ...nothing, kind: 'refused', then_state: 'rejected', refund_segments: rest.length })];
      case 'doubt':
        return [one(part_no, { ...nothing, kind: 'in_doubt', then_state: 'doubt' })];
      case 'late':
        return [one(0, { ...nothing, kind: null, then_state: 'expired', refund_segments: rest.length })];
    }
  }

  #receipt(choice: ReceiptChoice): Receipt[] {
    const [id] = this.#pick([choice.text], 'all');
    const text = this.model.texts.get(id ?? '');
    if (text === undefined) return [];
    const part_no = 1 + (choice.part % text.message.segments);
    const attempt = text.attempt - choice.attempts_ago;
    const name = choice.unknown ? randomUUID() : carrierMessageId(text.message.id, part_no, attempt);
    const { state } = choice;
    return [
      receiptOf(this.#books, name, {
        ...{ carrier_id: this.#carrier_id, carrier_message_ids: [`0x${name}`, name], state },
        done_at: new Date(this.#now_ms),
      }),
    ];
  }
}

function carrierMessageId(id: string, part_no: number, attempt: number): string {
  return `${id}-${part_no}-${attempt}`;
}
