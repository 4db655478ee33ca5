import type { Logger } from 'pino';
import type { Queryable } from '../../domain/db/transaction.ts';
import { allOwnClaims, recoverStrays } from '../../domain/texts/queue.ts';
import type { GatewayLease } from '../../domain/texts/queue.ts';

export interface StraysOptions {
  db: Queryable;
  lease: () => GatewayLease;
  /** Whether the text is in this process's hands. */
  holds: (message_id: string) => boolean;
  /** Texts of which the database is just being told something. */
  onTheirWay: () => ReadonlySet<string>;
  now: () => Date;
  onStrays: (texts: number) => void;
  log: Logger;
}

const LOOKS = 2;
/** What is claimed at one look, and on its way to us, is here by the next. */
const APART_MS = 2_000;

/**
 * Texts that the database says we have in our hands and that we do not: the answer to a claim went with its connection, or what
 * became of them could not be written. Nobody would ever send them, as everybody thinks that we do. One that is missed at two
 * looks in a row is given back; what is only being stored or written at one look is in order by the next.
 */
export class Strays {
  readonly #options: StraysOptions;
  #missed: ReadonlySet<string> = new Set();
  /** How many looks are to follow soon. */
  #soon = 0;
  #looked_at_ms = Number.NEGATIVE_INFINITY;

  constructor(options: StraysOptions) {
    this.#options = options;
  }

  /** There may be some: the next looks are soon. */
  expect(): void {
    this.#soon = LOOKS;
  }

  /** To be called every few seconds. A look for which the database is away does not count. */
  async passSoon(): Promise<void> {
    if (this.#soon === 0) return;
    await this.pass();
    this.#soon -= 1;
  }

  async pass(): Promise<void> {
    const { db, lease, holds, onTheirWay, now, onStrays, log } = this.#options;
    const at_ms = now().getTime();
    // A clock that was set back is no reason to wait for the old hour.
    if (Math.abs(at_ms - this.#looked_at_ms) < APART_MS) return;
    this.#looked_at_ms = at_ms;
    const claims = await allOwnClaims(db, lease()).catch((error: unknown) => {
      this.#looked_at_ms = Number.NEGATIVE_INFINITY;
      throw error;
    });
    const on_their_way = onTheirWay();
    const missed = claims.filter((id) => !holds(id) && !on_their_way.has(id));
    const strays = missed.filter((id) => this.#missed.has(id));
    this.#missed = new Set(missed);
    if (strays.length === 0) return;
    const recovered = await recoverStrays(db, lease(), now(), strays);
    if (recovered === 0) return;
    onStrays(recovered);
    log.warn({ texts: recovered, message_id: strays[0] }, 'texts that nobody had in hand wait again');
  }
}
