import type { Logger } from 'pino';
import type { E164 } from '../../domain/numbers/e164.ts';
import { parseE164 } from '../../domain/numbers/e164.ts';
import type { ClaimedMessage } from '../../domain/texts/queue.ts';
import type { Outcome } from '../../domain/texts/outcomes.ts';
import type { AdmittedText } from '../carriers/admission.ts';
import type { CarrierBind } from '../carriers/carrier_bind.ts';
import type { PartResult } from '../carriers/part_result.ts';
import type { RouteBook } from '../routing/route_book.ts';
import type { Route, Routing } from '../routing/text_routes.ts';
import type { ClaimQueue } from './claim_queue.ts';
import { Lane } from './lane.ts';
import type { LaneOwner } from './lane.ts';
import type { OutcomeWriter } from './outcome_writer.ts';
import { countLate, countPart } from './part_counts.ts';
import type { PartCounts } from './part_counts.ts';
import { beginSending, isOut, isUntouched, partAnswered, partTakenLate, retryInMs, segmentsLeft } from './sending.ts';
import type { InHand, Sending, Way } from './sending.ts';

export interface DispatcherOptions {
  book: RouteBook;
  outcomes: OutcomeWriter;
  queue: ClaimQueue;
  /** Where routing is to look for a number: its own, or its network's after a porting. */
  routedAs: (number: E164) => E164;
  /** Of the country that it is to. */
  countsOf: (number: E164) => PartCounts;
  now: () => number;
  /** Texts that a lane has in memory at most; what is beyond waits in the database. */
  lane_texts_max: number;
  /** How long a text waits for which no carrier has a price any more, or that none of them carries for now. */
  unrouted_retry_ms: number;
  /** One of that account's waits for no carrier any more. */
  onLeft: (account_id: string) => void;
  log: Logger;
}

/** Where a new text will wait: at once in a lane of ours, or in the database. */
export interface Place {
  carrier_id: number | null;
  at_once: boolean;
  way: Way | null;
}

const UNWANTED = 'its recipient has said since that he wants no more texts from its sender';
/** Long enough for whoever asked to have it cancelled or replaced before it is claimed again. */
const GIVEN_BACK_MS = 1_000;

interface Part {
  no: number;
  attempt: number;
  bind_id: string;
}

/** Takes texts to the lanes of carriers that want them, and on to the next where one does not. */
export class Dispatcher implements LaneOwner {
  readonly #options: DispatcherOptions;
  readonly #lanes = new Map<number, Lane>();
  /** Texts that this process is to send, until it is known what became of them. */
  readonly #in_hand = new Map<string, InHand>();
  #is_draining = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  get lanes(): readonly Lane[] {
    return [...this.#lanes.values()];
  }

  holds(message_id: string): boolean {
    return this.#in_hand.has(message_id);
  }

  lane(carrier_id: number): Lane {
    const known = this.#lanes.get(carrier_id);
    if (known !== undefined) return known;
    const made = new Lane({ carrier_id, owner: this, now: this.#options.now });
    this.#lanes.set(carrier_id, made);
    return made;
  }

  setBinds(carrier_id: number, binds: readonly CarrierBind[]): void {
    this.lane(carrier_id).binds = binds;
  }

  /** Null where no carrier has a price for the number. A place in a lane is kept until `take` or `letGo`. */
  reserve(text: AdmittedText & { recipient: E164 }, sale: ClaimedMessage['sale']): Place | null {
    const { routes, reason } = this.#routing(text.recipient, sale);
    const usable = this.#usable(routes, text);
    const route = usable ?? this.#awaited(routes, text) ?? routes[0];
    if (route === undefined) return null;
    const lane = this.lane(route.carrier_id);
    const has_room = !lane.has_backlog && lane.depth < this.#options.lane_texts_max;
    if (usable === undefined || this.#is_draining || !has_room) {
      // From now on, so that none that comes next overtakes it.
      lane.has_backlog = true;
      return { carrier_id: lane.carrier_id, at_once: false, way: null };
    }
    lane.reserved += 1;
    return { carrier_id: lane.carrier_id, at_once: true, way: { ...usable, reason } };
  }

  /** The text was stored. */
  take(message: ClaimedMessage, place: Place): void {
    if (place.carrier_id === null) return;
    const lane = this.lane(place.carrier_id);
    // Only now is it there to be claimed.
    if (!place.at_once) return lane.waitsInDatabase(message.priority);
    this.letGo(place);
    const text = this.#inHand(message);
    text.way = place.way;
    this.#hand(lane, text);
  }

  /** The text was not stored, or is not to be sent. */
  letGo(place: Place): void {
    if (place.at_once && place.carrier_id !== null) this.lane(place.carrier_id).reserved -= 1;
  }

  /** Texts that were claimed from the database for whichever carrier takes them now. */
  takeClaimed(messages: readonly ClaimedMessage[]): void {
    for (const message of messages) {
      const text = this.#inHand(message);
      // A late answer, or a gateway before this one, may have settled all that was left of it.
      if (segmentsLeft(text.sending) === 0) this.#settle(text);
      else if (message.is_unwanted) this.#end(text, 'rejected', UNWANTED);
      else this.#send(text);
    }
  }

  /**
   * Back to the database for a moment, if nothing of it was sent: there it can be cancelled or replaced. Resolves once it is there, or
   * where it is not here at all, or too late for that.
   */
  giveBack(message_id: string): Promise<void> {
    const text = this.#in_hand.get(message_id);
    if (text === undefined) return this.#options.queue.settled(message_id);
    return text.line === null || !isUntouched(text.sending) ? Promise.resolve() : this.#giveBackNow(text);
  }

  /** Its recipient wants no more of them: however often it may have been sent, the next claim ends it. What is out goes on. */
  giveBackUnwanted(message_id: string): Promise<void> {
    const text = this.#in_hand.get(message_id);
    return text === undefined || isOut(text.sending) ? Promise.resolve() : this.#giveBackNow(text);
  }

  /** Somebody wants no more texts: those that wait here for him go back to the database, which knows which of them he meant. */
  giveBackTo(account_id: string, recipient: string): Promise<unknown> {
    const theirs = [...this.#in_hand.values()].filter(
      ({ sending: { message } }) => message.account_id === account_id && message.recipient === recipient,
    );
    return Promise.all(theirs.map(({ sending: { message } }) => this.giveBackUnwanted(message.message_id)));
  }

  #giveBackNow(text: InHand): Promise<void> {
    const { carrier_id = null } = text.line ?? text.way ?? {};
    text.line?.withdraw(text);
    return new Promise((resolve) => this.#release(text, carrier_id, GIVEN_BACK_MS, () => resolve()));
  }

  /** No text begins its way any more; what is in memory goes back to the database. */
  drain(): void {
    this.#is_draining = true;
    for (const lane of this.#lanes.values()) {
      // Of what is out in part it is known once that is answered.
      for (const text of lane.empty()) if (!isOut(text.sending)) this.#release(text, lane.carrier_id, null);
    }
  }

  stop(): void {
    for (const lane of this.#lanes.values()) lane.stop();
  }

  onPart(lane: Lane, text: InHand, part: Part, result: PartResult): void {
    const { sending, verdict } = partAnswered(text.sending, part.no, lane.carrier_id, result);
    text.sending = sending;
    countPart(text.counts, result);
    // What this carrier takes goes on to be sent part by part; what it does not, goes on where the rest of it is known.
    if (result.kind !== 'taken') text.line?.withdraw(text);
    const then_state = verdict === 'done' ? 'done' : verdict === 'doubt' ? 'doubt' : null;
    const is_ours = this.#has(text);
    if (then_state !== null && is_ours) this.#forget(text);
    const outcome = this.#outcomeOf(lane, text, part, result, is_ours ? then_state : null);
    if (outcome !== null) this.#options.outcomes.write(outcome);
    if (!is_ours || text.line !== null) return;
    if (verdict === 'hopeless') this.#fail(text);
    else if (verdict === 'again') this.#send(text);
  }

  /** What was sent again meanwhile stays sent; that there is one more is now known and not only feared. */
  onLate(lane: Lane, text: InHand, part: Part, result: PartResult): void {
    countLate(text.counts, result);
    const settles = result.kind === 'taken' && this.#settlesLate(text, part.no);
    const outcome = this.#outcomeOf(lane, text, part, result, settles ? 'done' : null);
    if (outcome !== null) this.#options.outcomes.write(outcome);
  }

  /** Whether nothing more is to be done for a text, as the answer that came late was the last that was missing. */
  #settlesLate(sent: InHand, part_no: number): boolean {
    // It may have been given back and claimed again since.
    const text = this.#in_hand.get(sent.sending.message.message_id) ?? sent;
    const was_in_doubt = text.sending.places.includes('doubted');
    const { sending, verdict } = partTakenLate(text.sending, part_no);
    text.sending = sending;
    const is_ours = this.#has(text);
    // One that was given back is told so by the event alone, when it is claimed again.
    if (verdict !== 'done' || !(is_ours || was_in_doubt)) return false;
    if (is_ours) this.#forget(text);
    return true;
  }

  onExpired(_lane: Lane, text: InHand): void {
    if (isOut(text.sending)) return;
    this.#end(text, 'expired', 'its validity was over before a carrier took it');
  }

  onUntaken(_lane: Lane, text: InHand): void {
    if (!isOut(text.sending)) this.#send(text);
  }

  onStranded(lane: Lane): void {
    for (const text of lane.empty()) if (!isOut(text.sending)) this.#send(text);
  }

  #has(text: InHand): boolean {
    return this.#in_hand.get(text.sending.message.message_id) === text;
  }

  /** It is known what became of it. */
  #forget(text: InHand): void {
    text.line?.withdraw(text);
    this.#in_hand.delete(text.sending.message.message_id);
    this.#options.onLeft(text.sending.message.account_id);
  }

  #inHand(message: ClaimedMessage): InHand {
    const recipient = parseE164(message.recipient);
    if (recipient === null) throw new Error(`Text ${message.message_id} was accepted for ${message.recipient}.`);
    const counts = this.#options.countsOf(recipient);
    const text: InHand = { sending: beginSending(message), encoded: null, recipient, counts, line: null, way: null };
    this.#in_hand.set(message.message_id, text);
    return text;
  }

  #routing(recipient: E164, sale: ClaimedMessage['sale']): Routing {
    return this.#options.book.route(this.#options.routedAs(recipient), sale);
  }

  #usable(routes: readonly Route[], text: AdmittedText, except: readonly number[] = []): Route | undefined {
    return routes.find(
      ({ carrier_id }) => !except.includes(carrier_id) && this.#lanes.get(carrier_id)?.takes(text) === true,
    );
  }

  /** The first carrier that would take it, were it there. */
  #awaited(routes: readonly Route[], text: AdmittedText): Route | undefined {
    return routes.find(({ carrier_id }) => this.#lanes.get(carrier_id)?.wouldTake(text) === true);
  }

  /** Waits for a carrier that is away; where none would take it, as all are closed or do not carry its like, for another time. */
  #await(text: InHand, left: readonly Route[]): void {
    const awaited = this.#awaited(left, text.sending.message);
    if (awaited !== undefined) return this.#release(text, awaited.carrier_id, null);
    this.#release(text, left[0]?.carrier_id ?? null, this.#options.unrouted_retry_ms);
  }

  /** To the next carrier that takes it; else to where it waits for one, or to its end. */
  #send(text: InHand): void {
    const { message, refused_by, throttled_by } = text.sending;
    const { routes, reason } = this.#routing(text.recipient, message.sale);
    const left = routes.filter(({ carrier_id }) => !refused_by.includes(carrier_id));
    if (left.length === 0) {
      // Where nobody has refused it, the routes themselves are gone, and may come back.
      if (refused_by.length === 0) return this.#release(text, null, this.#options.unrouted_retry_ms);
      if (!text.sending.may_be_wanted_later) return this.#fail(text);
      return this.#release(text, routes[0]?.carrier_id ?? null, retryInMs(text.sending, this.#options.now()));
    }
    if (this.#is_draining) return this.#release(text, left[0]?.carrier_id ?? null, null);
    const patient = this.#usable(left, message, throttled_by);
    const route = patient ?? this.#usable(left, message);
    if (route === undefined) return this.#await(text, left);
    if (patient === undefined) text.sending = { ...text.sending, throttled_by: [] };
    const lane = this.lane(route.carrier_id);
    text.way = { ...route, reason };
    // It took over from others what it cannot send at once: what is beyond waits for it in the database, not in memory.
    if (lane.depth >= 2 * this.#options.lane_texts_max) return this.#release(text, lane.carrier_id, null);
    const had_its_turn = text.sending.throttled_by.length > 0 || patient === undefined;
    if (had_its_turn && text.sending.feared.length === 0) lane.unshift(text);
    else this.#hand(lane, text);
  }

  /**
   * What must not go twice is marked in the database before it goes to the wire. So is what may go twice, where it does: its receipt may
   * have come since, or somebody may have ended it.
   */
  #hand(lane: Lane, text: InHand): void {
    const { message, feared } = text.sending;
    if (message.on_doubt === 'resend' && feared.length === 0) return lane.push(text);
    lane.reserved += 1;
    this.#options.queue.markSending(message.message_id, (mark) => {
      lane.reserved -= 1;
      if (!this.#has(text)) return;
      if (mark === 'may_go') lane.push(text);
      else if (mark === 'ended') this.#in_hand.delete(message.message_id);
      // With the number of its attempt, or it would be taken for one that was never sent.
      else this.#release(text, lane.carrier_id, null);
    });
  }

  /** Back to the database, to be claimed again. */
  #release(
    { sending }: InHand,
    carrier_id: number | null,
    in_ms: number | null,
    done: () => void = () => undefined,
  ): void {
    const { message, attempt } = sending;
    const lane = carrier_id === null ? null : this.lane(carrier_id);
    if (lane !== null) lane.has_backlog = true;
    this.#in_hand.delete(message.message_id);
    const due_at = in_ms === null ? null : new Date(this.#options.now() + in_ms);
    this.#options.queue.release({ message_id: message.message_id, carrier_id, due_at, attempt }, (is_there) => {
      if (is_there) lane?.waitsInDatabase(message.priority);
      done();
    });
  }

  #fail(text: InHand): void {
    this.#end(text, 'rejected', text.sending.last_status === null ? 'no carrier takes it' : null);
  }

  /** All of it was taken, and nobody has written that down yet. */
  #settle(text: InHand): void {
    this.#forget(text);
    const said = nothingSaid(text.sending, new Date(this.#options.now()));
    this.#options.outcomes.write({ ...said, detail: null, then_state: 'done', refund_segments: 0 });
  }

  #end(text: InHand, then_state: 'rejected' | 'expired', detail: string | null): void {
    const { sending } = text;
    this.#forget(text);
    this.#options.outcomes.write({
      ...nothingSaid(sending, new Date(this.#options.now())),
      detail,
      then_state,
      status: sending.last_status,
      refund_segments: segmentsLeft(sending),
    });
  }

  /** A late answer may be of a carrier before the one by which it goes now: that is told as its route is by now, if it still is one. */
  #wayBy({ carrier_id }: Lane, { way, sending, recipient }: InHand): Way | null {
    if (way?.carrier_id === carrier_id) return way;
    const { routes, reason } = this.#routing(recipient, sending.message.sale);
    const route = routes.find((one) => one.carrier_id === carrier_id);
    return route === undefined ? null : { ...route, reason };
  }

  #outcomeOf(
    lane: Lane,
    text: InHand,
    part: Part,
    result: PartResult,
    then_state: 'done' | 'doubt' | null,
  ): Outcome | null {
    if (result.kind === 'unsent') return null;
    const { message } = text.sending;
    const way = this.#wayBy(lane, text);
    const cost = way?.cost ?? null;
    return {
      message_id: message.message_id,
      part_no: part.no,
      attempt: part.attempt,
      kind: KIND[result.kind],
      carrier_id: lane.carrier_id,
      bind_id: part.bind_id,
      carrier_message_id: result.kind === 'taken' ? result.carrier_message_id : null,
      status: result.kind === 'unanswered' ? null : result.kind === 'taken' ? 0 : result.status,
      at: new Date(this.#options.now()),
      cost:
        result.kind === 'taken' && cost !== null ? { micros: cost.micros_per_segment, currency: cost.currency } : null,
      detail: result.kind === 'unanswered' ? `no answer: ${result.why}` : part.no === 1 ? (way?.reason ?? null) : null,
      then_state,
      refund_segments: 0,
    };
  }
}

const KIND = { taken: 'submitted', refused: 'refused', throttled: 'throttled', unanswered: 'in_doubt' } as const;

function nothingSaid(
  { message, attempt }: Sending,
  at: Date,
): Omit<Outcome, 'then_state' | 'refund_segments' | 'detail'> {
  return {
    ...{ message_id: message.message_id, part_no: 0, attempt, kind: null, carrier_id: null, bind_id: null },
    ...{ carrier_message_id: null, status: null, at, cost: null },
  };
}
