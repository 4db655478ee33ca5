import type { TextPayer } from '../../accept/payer.ts';
import type { Session } from '../../smpp/session.ts';
import type { EsmeRow } from './esme_row.ts';
import { RateLimit } from './rate_limit.ts';

/** A customer of the SMSC with all binds of one system_id, which share its rate. */
export class BoundEsme {
  row: EsmeRow;
  payer: TextPayer;
  readonly sessions = new Set<Session>();
  readonly rate: RateLimit;
  /** Of the sessions those in the clear that nobody has asked to end yet. */
  readonly #in_the_clear = new Set<Session>();
  /** Accepted, and not bound yet. */
  #expected = 0;

  constructor(row: EsmeRow, payer: TextPayer, now_ms: number) {
    this.row = row;
    this.payer = payer;
    this.rate = new RateLimit(row.texts_per_second_max, now_ms);
  }

  /** As it was read anew. */
  set(row: EsmeRow, payer: TextPayer): void {
    this.row = row;
    this.payer = payer;
    this.rate.per_second_max = row.texts_per_second_max;
  }

  /** Takes a place for a bind that is about to be answered; false where there is none. */
  expect(): boolean {
    if (this.sessions.size + this.#expected >= this.row.binds_max) return false;
    this.#expected += 1;
    // The answer is given, and the session bound, before the event loop turns; or it has ended meanwhile.
    setImmediate(() => {
      this.#expected -= 1;
    });
    return true;
  }

  add(session: Session, is_secure: boolean): void {
    this.sessions.add(session);
    if (!is_secure) this.#in_the_clear.add(session);
  }

  remove(session: Session): void {
    this.sessions.delete(session);
    this.#in_the_clear.delete(session);
  }

  /** Ends all binds in good order. */
  unbind(): void {
    for (const session of this.sessions) session.stop();
  }

  /** Ends the binds in the clear in good order. Says how many there were. */
  unbindInTheClear(): number {
    const count = this.#in_the_clear.size;
    for (const session of this.#in_the_clear) session.stop();
    this.#in_the_clear.clear();
    return count;
  }
}
