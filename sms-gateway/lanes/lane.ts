import type { CarrierBind } from '../carriers/carrier_bind.ts';
import type { PartResult } from '../carriers/part_result.ts';
import type { AdmittedText } from '../carriers/admission.ts';
import { encodeParts, submitBody } from '../carriers/submit_body.ts';
import { nextPart, partLeft } from './sending.ts';
import type { InHand } from './sending.ts';
import { UrgencyQueue } from './urgency_queue.ts';

export interface LaneOwner {
  /** A part was answered, or was not. */
  onPart(lane: Lane, text: InHand, part: { no: number; attempt: number; bind_id: string }, result: PartResult): void;
  /** A doubt was settled by an answer that came late. */
  onLate(lane: Lane, text: InHand, part: { no: number; attempt: number; bind_id: string }, result: PartResult): void;
  /** Its validity is over before it could be sent. */
  onExpired(lane: Lane, text: InHand): void;
  /** None of the carrier's binds takes a text like this any more. */
  onUntaken(lane: Lane, text: InHand): void;
  /** None of the carrier's binds can send any more: what waits here has to go elsewhere. */
  onStranded(lane: Lane): void;
}

export interface LaneOptions {
  carrier_id: number;
  owner: LaneOwner;
  /** Wall clock, for validity. */
  now: () => number;
}

export const MOST_URGENT = 0;

/** So many in line are looked at for one that may pass the first. */
const PASSING_LOOK_MAX = 200;

/** What one carrier is to be sent next, in memory, the most urgent first, over whichever of its binds has room. */
export class Lane {
  readonly carrier_id: number;
  readonly #owner: LaneOwner;
  readonly #now: () => number;
  readonly #queue = new UrgencyQueue<InHand>();
  #binds: readonly CarrierBind[] = [];
  #turn = 0;
  #is_scheduled = false;
  #timer: NodeJS.Timeout | null = null;
  /** Texts that are to come when their acceptance is stored. */
  reserved = 0;
  /** Whether one for which somebody waits is among those in the database: it is not to wait for the lane to run half empty. */
  has_urgent_backlog = false;
  /** Whether texts for this lane wait in the database, so that a new one must not overtake them. */
  has_backlog = true;

  constructor({ carrier_id, owner, now }: LaneOptions) {
    this.carrier_id = carrier_id;
    this.#owner = owner;
    this.#now = now;
  }

  get binds(): readonly CarrierBind[] {
    return this.#binds;
  }

  set binds(binds: readonly CarrierBind[]) {
    this.#binds = binds;
    this.schedule();
  }

  /** How many texts it has or is about to have. */
  get depth(): number {
    return this.#queue.length + this.reserved;
  }

  /** Whether one of its binds is there and may take a text like this. */
  takes(text: AdmittedText): boolean {
    const now_ms = this.#now();
    return this.#binds.some((bind) => mayTake(bind, text, now_ms));
  }

  /** Whether one of its binds may take a text like this once it is there. */
  wouldTake(text: AdmittedText): boolean {
    const now_ms = this.#now();
    return this.#binds.some((bind) => bind.sends && bind.admission.admits(text, now_ms));
  }

  get is_bound(): boolean {
    return this.#binds.some((bind) => bind.is_bound && bind.sends);
  }

  push(text: InHand): void {
    text.line = this;
    this.#queue.push(text, text.sending.message.priority);
    this.schedule();
  }

  /** In front of its equals: it had its turn already. */
  unshift(text: InHand): void {
    text.line = this;
    this.#queue.unshift(text, text.sending.message.priority);
    this.schedule();
  }

  /** A text for this lane is in the database, where it can be claimed. */
  waitsInDatabase(priority: number): void {
    this.has_backlog = true;
    if (priority === MOST_URGENT) this.has_urgent_backlog = true;
  }

  /** It stands in line here no longer. */
  withdraw(text: InHand): void {
    text.line = null;
    this.#queue.remove(text, text.sending.message.priority);
  }

  /** Everything that waits here, which no longer does. */
  empty(): InHand[] {
    const texts = this.#queue.takeAll();
    for (const text of texts) text.line = null;
    return texts;
  }

  /** Sends what can be sent, once in this turn of the event loop, after all that came in it. */
  schedule(): void {
    if (this.#is_scheduled) return;
    this.#is_scheduled = true;
    setImmediate(() => {
      this.#is_scheduled = false;
      this.#pump();
    });
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#binds = [];
  }

  #pump(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#queue.length > 0 && !this.is_bound) return this.#owner.onStranded(this);
    for (;;) {
      const text = this.#queue.first;
      if (text === undefined) return;
      if (text.sending.message.valid_until_ms <= this.#now()) {
        this.withdraw(text);
        this.#owner.onExpired(this, text);
        continue;
      }
      const { bind, wait_ms, is_taken } = this.#freeBind(text);
      if (bind !== null) {
        this.#sendNext(text, bind);
        continue;
      }
      const passing = is_taken ? this.#passing() : null;
      if (passing !== null) {
        this.#sendNext(passing.text, passing.bind);
        continue;
      }
      if (is_taken) return this.#waitFor(this.#soonest(wait_ms));
      // Its binds closed for the night, or lost the one that took such texts.
      this.withdraw(text);
      this.#owner.onUntaken(this, text);
    }
  }

  /** Until any bind has room: of those that wait behind the first in line, some may go by it. */
  #soonest(first_wait_ms: number | null): number | null {
    const waits = this.#binds.filter((bind) => bind.is_bound && bind.sends).map((bind) => bind.waitMs());
    const known = [first_wait_ms, ...waits].filter((wait_ms) => wait_ms !== null && wait_ms > 0);
    return known.length === 0 ? null : Math.min(...known.map(Number));
  }

  /** Where the binds that may take the first in line are full, others may go by binds that it cannot use. */
  #passing(): { text: InHand; bind: CarrierBind } | null {
    if (!this.#binds.some((bind) => bind.is_bound && bind.sends && bind.waitMs() === 0)) return null;
    for (const text of this.#queue.foremost(PASSING_LOOK_MAX)) {
      if (text.sending.message.valid_until_ms <= this.#now()) continue;
      const { bind } = this.#freeBind(text);
      if (bind !== null) return { text, bind };
    }
    return null;
  }

  #sendNext(text: InHand, bind: CarrierBind): void {
    const no = nextPart(text.sending);
    if (no === null) return this.withdraw(text);
    const { message, attempt } = text.sending;
    text.encoded ??= encodeParts(message);
    const body = submitBody(message, text.encoded, no, bind.row, this.#now());
    text.sending = partLeft(text.sending, no);
    // Its last part is on its way: the place is free.
    if (nextPart(text.sending) === null) this.withdraw(text);
    const part = { no, attempt, bind_id: bind.row.id };
    bind.submit(
      body,
      (result) => {
        this.#owner.onPart(this, text, part, result);
        this.schedule();
      },
      (result) => this.#owner.onLate(this, text, part, result),
    );
  }

  /** The next bind in turn that has room; else how long until one has, null where a peer must make room first. */
  #freeBind({ sending }: InHand): { bind: CarrierBind | null; wait_ms: number | null; is_taken: boolean } {
    const now_ms = this.#now();
    let wait_ms: number | null = null;
    let is_taken = false;
    for (let n = 0; n < this.#binds.length; n += 1) {
      this.#turn = (this.#turn + 1) % this.#binds.length;
      const bind = this.#binds[this.#turn];
      if (bind === undefined || !mayTake(bind, sending.message, now_ms)) continue;
      is_taken = true;
      const wait = bind.waitMs();
      if (wait === 0) return { bind, wait_ms: 0, is_taken };
      if (wait !== null) wait_ms = wait_ms === null ? wait : Math.min(wait_ms, wait);
    }
    return { bind: null, wait_ms, is_taken };
  }

  #waitFor(wait_ms: number | null): void {
    if (wait_ms === null) return;
    this.#timer = setTimeout(() => this.#pump(), Math.max(1, wait_ms));
  }
}

function mayTake(bind: CarrierBind, text: AdmittedText, now_ms: number): boolean {
  return bind.is_bound && bind.sends && bind.admission.admits(text, now_ms);
}
