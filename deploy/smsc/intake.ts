import type { UnsuccessSme } from '../../sms-gateway/smpp/pdu.ts';
import { STATUS } from '../../sms-gateway/smpp/status.ts';
import type { Account } from './account.ts';
import type { Agenda } from './agenda.ts';
import type { Behaviour } from './behaviour.ts';
import type { Dice } from './dice.ts';
import type { FactLog } from './fact_log.ts';
import { idInReceipt } from './message_ids.ts';
import type { MessageId, MessageIds } from './message_ids.ts';
import type { Message, Outcome, RememberedMessages, Submission } from './message.ts';
import type { ReceiptDelivery } from './delivery.ts';
import { beginningOf, isWanted } from './receipt.ts';

/** The connection that a submit came by. */
export interface Submitter {
  readonly conn: number;
  readonly account: Account;
  /** Submits that have no answer yet. */
  unanswered: number;
  answer(to: Submission, id: string | null, status: number, failures: readonly UnsuccessSme[]): void;
  drop(): void;
}

export interface IntakeParts {
  log: FactLog;
  agenda: Agenda;
  dice: Dice;
  ids: MessageIds;
  messages: RememberedMessages;
}

/** What the carrier does with a submit: refuses or accepts it, answers or not, and how the text ends. */
export class Intake {
  readonly #parts: IntakeParts;
  readonly #unfinished = new Set<Message>();
  /** A text keeps the behaviour that it met on arrival. */
  behaviour: Behaviour;

  constructor(parts: IntakeParts, behaviour: Behaviour) {
    this.#parts = parts;
    this.behaviour = behaviour;
  }

  /** Texts that were accepted and have not come to their end. */
  get unfinished(): number {
    return this.#unfinished.size;
  }

  /** The texts of one PDU: one, or those of a submit_multi, which share an id and an answer. At least one. */
  take(submitter: Submitter, texts: readonly Submission[]): void {
    const [first] = texts;
    if (first === undefined) throw new Error('A submit has no recipient.');
    const { behaviour } = this;
    const { log, dice } = this.#parts;
    const refused_all = this.#refusalOfAll(submitter, texts.length);
    const failures: UnsuccessSme[] = [];
    const accepted: Message[] = [];
    let id: MessageId | null = null;
    for (const text of texts) {
      const status = refused_all === 0 ? this.#refusalOf(text) : refused_all;
      if (status === 0) accepted.push(this.#accept(submitter.account, text, (id ??= this.#nextId())));
      else failures.push(failureOf(text, status));
      log.submit(submitter.account.system_id, submitter.conn, text, status === 0 ? (id?.id ?? null) : null, status);
    }
    submitter.unanswered += 1;
    const delay_ms = dice.within(behaviour.answer_delay_ms);
    if (id === null) {
      const status = failures[0]?.error_status_code ?? 0;
      this.#parts.agenda.after(delay_ms, () => submitter.answer(first, null, status, []));
    } else {
      this.#answer(submitter, first, id.id, accepted, failures, delay_ms);
    }
  }

  /** A text ends, now: its receipts go their way. */
  #finish(account: Account, message: Message, behaviour: Behaviour, is_early = false): void {
    this.#unfinished.delete(message);
    if (message.done) return;
    message.done = true;
    const { kind, lost_per_mille, twice_per_mille, twice_after_ms } = behaviour.receipts;
    const { dice, log, agenda } = this.#parts;
    const { outcome } = message;
    if (kind === 'none' || !isWanted(message.registered_delivery, outcome.stat)) return;
    if (dice.chance(lost_per_mille)) {
      log.receiptLost(message.id, outcome.stat);
      return;
    }
    const receipt = receiptOf(message, outcome, kind, behaviour);
    receipt.is_early = is_early;
    account.outbox.add(receipt);
    if (dice.chance(twice_per_mille)) {
      const second: ReceiptDelivery = { ...receipt, copy: 2, tries: 0 };
      agenda.after(twice_after_ms, () => account.outbox.add(second));
    }
  }

  #answer(
    submitter: Submitter,
    first: Submission,
    id: string,
    accepted: readonly Message[],
    failures: readonly UnsuccessSme[],
    delay_ms: number,
  ): void {
    const { behaviour } = this;
    const { dice, agenda } = this.#parts;
    const { account } = submitter;
    const is_early = dice.chance(behaviour.receipts.early_per_mille);
    const answer_after_ms = is_early ? Math.max(delay_ms, behaviour.receipts.early_lead_ms) : delay_ms;
    if (is_early) for (const message of accepted) this.#finish(account, message, behaviour, true);
    let answer = (): void => submitter.answer(first, id, 0, failures);
    if (dice.chance(behaviour.disconnect_per_mille)) {
      answer = () => submitter.drop();
    } else if (dice.chance(behaviour.unanswered_per_mille)) {
      const answerLate = answer;
      // It believes to have answered, so its window has room again.
      answer = () => {
        submitter.unanswered -= 1;
        const { late_answer_ms } = behaviour;
        if (late_answer_ms === null) return;
        agenda.after(late_answer_ms, () => {
          submitter.unanswered += 1;
          answerLate();
        });
      };
    }
    agenda.after(answer_after_ms, () => {
      answer();
      for (const message of accepted) this.#finishLater(account, message, behaviour);
    });
  }

  #finishLater(account: Account, message: Message, behaviour: Behaviour): void {
    if (message.done) return;
    const { intermediate_per_mille, intermediate_stat, intermediate_esm_class, delay_ms, kind } = behaviour.receipts;
    const { dice, agenda } = this.#parts;
    const is_wanted = kind !== 'none' && (message.registered_delivery & 0x03) !== 0;
    if (is_wanted && dice.chance(intermediate_per_mille)) {
      const receipt = receiptOf(message, { stat: intermediate_stat, err: '000' }, kind, behaviour);
      account.outbox.add({ ...receipt, is_notification: intermediate_esm_class === 32 });
    }
    agenda.after(dice.within(delay_ms), () => this.#finish(account, message, behaviour));
  }

  #accept(account: Account, text: Submission, id: MessageId): Message {
    const message: Message = {
      id: id.id,
      number: id.number,
      system_id: account.system_id,
      from: text.from,
      from_ton: text.from_ton,
      from_npi: text.from_npi,
      to: text.to,
      to_ton: text.to_ton,
      to_npi: text.to_npi,
      registered_delivery: text.registered_delivery,
      user_message_reference: text.user_message_reference,
      submitted_at_ms: Date.now(),
      beginning: beginningOf(text),
      outcome: this.#outcomeOf(text),
      done: false,
    };
    this.#parts.messages.add(message);
    this.#unfinished.add(message);
    return message;
  }

  #nextId(): MessageId {
    this.#parts.log.counts.distinct_ids += 1;
    return this.#parts.ids.next(this.behaviour.ids.form);
  }

  /** What refuses a PDU whatever is in it, as a status; 0: nothing. */
  #refusalOfAll(submitter: Submitter, count: number): number {
    const { window, window_status, texts_per_second_max, throttled_per_mille } = this.behaviour;
    if (window !== null && submitter.unanswered >= window) return window_status;
    const is_within_rate = submitter.account.throttle.admits(count, texts_per_second_max, performance.now());
    if (!is_within_rate || this.#parts.dice.chance(throttled_per_mille)) return STATUS.ESME_RTHROTTLED;
    return 0;
  }

  #refusalOf(text: Submission): number {
    for (const { status, per_mille, to_prefix, from } of this.behaviour.refuse) {
      if (to_prefix !== undefined && !text.to.startsWith(to_prefix)) continue;
      if (from !== undefined && text.from !== from) continue;
      if (this.#parts.dice.chance(per_mille)) return status;
    }
    return 0;
  }

  #outcomeOf(text: Submission): Outcome {
    for (const { stat, err, per_mille, to_prefix } of this.behaviour.receipts.outcomes) {
      if (to_prefix !== undefined && !text.to.startsWith(to_prefix)) continue;
      if (this.#parts.dice.chance(per_mille)) return { stat, err };
    }
    return DELIVERED;
  }
}

const DELIVERED: Outcome = Object.freeze({ stat: 'DELIVRD', err: '000' });

function receiptOf(
  message: Message,
  outcome: ReceiptDelivery['outcome'],
  form: ReceiptDelivery['form'],
  behaviour: Behaviour,
): ReceiptDelivery {
  return {
    kind: 'receipt',
    message,
    outcome,
    as: idInReceipt(message, behaviour.ids),
    copy: 1,
    is_early: false,
    is_notification: false,
    form,
    made_at_ms: Date.now(),
    tries: 0,
  };
}

function failureOf(text: Submission, status: number): UnsuccessSme {
  return {
    dest_addr_ton: text.to_ton,
    dest_addr_npi: text.to_npi,
    destination_addr: text.to,
    error_status_code: status,
  };
}
