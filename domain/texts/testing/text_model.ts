import type { AcceptVerdict, NewMessage } from '../accept_messages.ts';
import type { CancelVerdict, DecisionVerdict } from '../decisions.ts';
import type { FinalState } from '../message.ts';
import { PRIORITIES } from '../message.ts';
import type { Outcome } from '../outcomes.ts';
import type { Receipt, ReceiptVerdict } from '../receipts.ts';

/**
 * What the tables and functions of texts are meant to do, said a second time and in another way: one object for a text, that is
 * changed, and no lock, as there is nobody else. Tests compare the two.
 */
export interface ModelText {
  message: NewMessage;
  accepted_at_ms: number;
  /** Where it stands in the queue; null when it is in it no more. */
  place: 'waiting' | 'claimed' | 'held' | 'in_doubt' | null;
  epoch: number | null;
  attempt: number;
  sending: boolean;
  ended: FinalState | null;
  parts_taken: Set<number>;
  /** What receipts said of the parts, in the order in which they were counted. */
  receipts: { part_no: number; state: Receipt['state'] }[];
  given_back: boolean;
}

interface Submission {
  text: ModelText;
  part_no: number;
}

/** A receipt that came before its text was known to be sent is looked for so long. */
const PARKED_MS = 900_000;

export class TextModel {
  readonly balances = new Map<string, bigint>();
  readonly texts = new Map<string, ModelText>();
  /** By the account and the key. */
  readonly keys = new Map<string, { content: string; id: string }>();
  /** By the carrier's id. */
  readonly submissions = new Map<string, Submission>();
  parked: { receipt: Receipt; received_at_ms: number }[] = [];
  /** Account, recipient and sender. */
  readonly opt_outs = new Set<string>();
  cost_micros = 0n;
  epoch = 0;
  readonly #submitted = new Set<string>();

  /** Ids are unknown to the model, so those of texts that were accepted are given. */
  accept(now_ms: number, messages: readonly NewMessage[], own: (message: NewMessage) => boolean): AcceptVerdict[] {
    return messages.map((message) => {
      const verdict = this.#verdict(message, own(message));
      if (verdict !== 'accepted') return verdict;
      const { id, account_id, idempotency } = message;
      if (idempotency !== null)
        this.keys.set(`${account_id} ${idempotency.key}`, { content: idempotency.content_sha256, id });
      this.#pay(account_id, -(message.net_micros + message.tax_micros));
      const place = message.hold_reason !== null ? 'held' : message.epoch !== null ? 'claimed' : 'waiting';
      this.texts.set(id, {
        ...{ message, accepted_at_ms: now_ms, place, epoch: place === 'claimed' ? message.epoch : null, attempt: 1 },
        ...{ sending: false, ended: null, parts_taken: new Set(), receipts: [], given_back: false },
      });
      return verdict;
    });
  }

  claim(epoch: number, now_ms: number, rows_max: number): string[] {
    if (epoch !== this.epoch) return [];
    const dueOf = ({ message, accepted_at_ms }: ModelText) => message.due_at?.getTime() ?? accepted_at_ms;
    const next = this.#in('waiting')
      .filter((text) => dueOf(text) <= now_ms)
      .sort(
        (a, b) =>
          PRIORITIES[a.message.class] - PRIORITIES[b.message.class] ||
          dueOf(a) - dueOf(b) ||
          (a.message.id < b.message.id ? -1 : 1),
      )
      .slice(0, rows_max);
    for (const text of next) Object.assign(text, { place: 'claimed', epoch, sending: false });
    return next.map(({ message }) => message.id);
  }

  mark(epoch: number, ids: readonly string[]): string[] {
    const marked = this.#mine(epoch, ids);
    for (const text of marked) text.sending = true;
    return marked.map(({ message }) => message.id).sort();
  }

  release(epoch: number, ids: readonly string[]): number {
    const released = this.#mine(epoch, ids);
    for (const text of released) Object.assign(text, { place: 'waiting', epoch: null, sending: false });
    return released.length;
  }

  outcomes(epoch: number, now_ms: number, outcomes: readonly Outcome[]): boolean {
    if (epoch !== this.epoch) return false;
    const fresh = new Set<string>();
    for (const outcome of outcomes) {
      const text = this.#text(outcome.message_id);
      const key = `${outcome.message_id} ${outcome.part_no} ${outcome.attempt}`;
      if (outcome.kind !== 'submitted' || this.#submitted.has(key)) continue;
      this.#submitted.add(key);
      text.parts_taken.add(outcome.part_no);
      this.cost_micros += outcome.cost?.micros ?? 0n;
      const id = outcome.carrier_message_id ?? '';
      this.submissions.set(id, { text, part_no: outcome.part_no });
      fresh.add(id);
    }
    for (const { message_id, then_state, attempt } of outcomes) {
      const text = this.#text(message_id);
      if (then_state === 'done') this.#leaveQueue(text);
      else if (then_state === 'doubt') {
        if (text.place === 'claimed' && text.attempt <= attempt)
          Object.assign(text, { place: 'in_doubt', epoch: null });
      } else if (then_state !== null) this.#end(text, then_state);
    }
    for (const { message_id, refund_segments, then_state } of outcomes) {
      const text = this.#text(message_id);
      if (refund_segments > 0 && text.ended === then_state) this.#giveBack(text, refund_segments);
    }
    const found = this.parked.filter(
      ({ receipt, received_at_ms }) =>
        received_at_ms > now_ms - PARKED_MS && receipt.carrier_message_ids.some((id) => fresh.has(id)),
    );
    this.parked = this.parked.filter((one) => !found.includes(one));
    this.#count(found.map(({ receipt }) => receipt));
    return true;
  }

  receive(epoch: number, now_ms: number, receipts: readonly Receipt[]): ReceiptVerdict[] {
    if (epoch !== this.epoch) return receipts.map(() => 'fenced');
    const known = receipts.filter((one) => this.#submissionOf(one) !== undefined);
    const unknown = receipts.filter((one) => !known.includes(one));
    this.parked.push(...unknown.map((receipt) => ({ receipt, received_at_ms: now_ms })));
    // Two that say the same and come together are both told that it was counted.
    const before = new Set(known.filter((one) => this.#wasCounted(one)));
    this.#count(known);
    return receipts.map((one) => (!known.includes(one) ? 'parked' : before.has(one) ? 'repeated' : 'matched'));
  }

  cancel(account_id: string, id: string): CancelVerdict {
    const text = this.#text(id);
    if (text.message.account_id !== account_id) return 'not_found';
    if (text.place !== 'waiting' && text.place !== 'held') return 'too_late';
    this.#end(text, 'cancelled');
    this.#giveBackRest(text);
    return 'cancelled';
  }

  decide(id: string, release: boolean): DecisionVerdict {
    const text = this.#text(id);
    if (text.place !== 'held' && text.place !== 'in_doubt') return 'not_held';
    if (release) {
      if (text.place === 'in_doubt') text.attempt += 1;
      text.place = 'waiting';
      return 'released';
    }
    this.#end(text, 'rejected');
    this.#giveBackRest(text);
    return 'refused';
  }

  expire(epoch: number, now_ms: number): number {
    if (epoch !== this.epoch) return 0;
    const past = [...this.#in('waiting'), ...this.#in('held')].filter(
      ({ message }) => message.valid_until.getTime() <= now_ms,
    );
    for (const text of past) {
      this.#end(text, 'expired');
      this.#giveBackRest(text);
    }
    return past.length;
  }

  /** Another gateway takes over, and finds what the older ones had in their hands. */
  takeOver(epoch: number): { waiting: number; resent: number; held: number } {
    this.epoch = epoch;
    const found = { waiting: 0, resent: 0, held: 0 };
    for (const text of this.#in('claimed')) {
      const resend = text.message.on_doubt === 'resend';
      const held = !resend && text.sending;
      found[resend ? 'resent' : held ? 'held' : 'waiting'] += 1;
      Object.assign(text, { place: held ? 'in_doubt' : 'waiting', epoch: null, attempt: text.attempt + 1 });
    }
    return found;
  }

  /** What was said last counts. */
  hear(opt_out: string, words: readonly ('stop' | 'start')[]): void {
    if (words.at(-1) === 'stop') this.opt_outs.add(opt_out);
    else this.opt_outs.delete(opt_out);
  }

  #verdict(message: NewMessage, own_sender: boolean): AcceptVerdict {
    const { account_id, idempotency, sender, recipient } = message;
    const known = idempotency === null ? undefined : this.keys.get(`${account_id} ${idempotency.key}`);
    if (known !== undefined) return known.content === idempotency?.content_sha256 ? 'replay' : 'key_conflict';
    if (this.texts.has(message.id)) return 'replay';
    if (!own_sender) return 'sender_not_yours';
    if (this.opt_outs.has(`${account_id} ${recipient} ${sender}`)) return 'opted_out';
    const gross = message.net_micros + message.tax_micros;
    return gross > (this.balances.get(account_id) ?? 0n) ? 'no_money' : 'accepted';
  }

  #text(id: string): ModelText {
    const text = this.texts.get(id);
    if (text === undefined) throw new Error(`The model has no text ${id}.`);
    return text;
  }

  #in(place: ModelText['place']): ModelText[] {
    return [...this.texts.values()].filter((text) => text.place === place);
  }

  #mine(epoch: number, ids: readonly string[]): ModelText[] {
    if (epoch !== this.epoch) return [];
    return this.#in('claimed').filter((text) => text.epoch === epoch && ids.includes(text.message.id));
  }

  #pay(account_id: string, micros: bigint): void {
    this.balances.set(account_id, (this.balances.get(account_id) ?? 0n) + micros);
  }

  #leaveQueue(text: ModelText): void {
    Object.assign(text, { place: null, epoch: null });
  }

  #end(text: ModelText, state: FinalState): void {
    if (text.ended !== null) return;
    text.ended = state;
    this.#leaveQueue(text);
  }

  #giveBackRest(text: ModelText): void {
    this.#giveBack(text, text.message.segments - text.parts_taken.size);
  }

  /** A share is rounded up: for the customer. */
  #giveBack(text: ModelText, segments: number): void {
    const { net_micros, tax_micros, segments: all, account_id } = text.message;
    if (text.given_back || segments === 0) return;
    text.given_back = true;
    const share = (micros: bigint) => (micros * BigInt(segments) + BigInt(all - 1)) / BigInt(all);
    this.#pay(account_id, share(net_micros) + share(tax_micros));
  }

  #submissionOf({ carrier_message_ids }: Receipt): Submission | undefined {
    return carrier_message_ids.map((id) => this.submissions.get(id)).find((one) => one !== undefined);
  }

  #wasCounted(receipt: Receipt): boolean {
    const { text, part_no } = this.#submissionOf(receipt) ?? {};
    return text?.receipts.some((one) => one.part_no === part_no && one.state === receipt.state) ?? false;
  }

  /** Of a part the first last word counts; the text ends with the last word on its last part. */
  #count(receipts: readonly Receipt[]): void {
    const touched = new Set<ModelText>();
    for (const receipt of receipts) {
      const { text, part_no = 0 } = this.#submissionOf(receipt) ?? {};
      if (text === undefined || this.#wasCounted(receipt)) continue;
      text.receipts.push({ part_no, state: receipt.state });
      touched.add(text);
    }
    for (const text of touched) {
      const words = Array.from({ length: text.message.segments }, (_, n) =>
        text.receipts.find(({ part_no, state }) => part_no === n + 1 && state !== 'enroute'),
      );
      if (words.includes(undefined)) continue;
      const torn = words.find((word) => word?.state !== 'delivered');
      this.#end(text, (torn?.state ?? 'delivered') as FinalState);
    }
  }
}
