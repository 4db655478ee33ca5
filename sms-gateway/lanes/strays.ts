import type { Logger } from 'pino';
import type { Queryable } from '../../domain/db/transaction.ts';
import { allOwnClaims, recoverStrays } from '../../domain/texts/queue.ts';
import type { GatewayLease } from '../../domain/texts/queue.ts';

export interface StraysOptions {
  db: Queryable;
  lease: () => GatewayLease;
  /** Whether the text is in this process's hands. */
  holds: (message_id: string) => boolean;
  now: () => Date;
  onStrays: (texts: number) => void;
  log: Logger;
}

/**
 * Texts that the database says we have in our hands and that we do not: the answer to a claim went with its connection, or what
 * became of them could not be written. Nobody would ever send them, as everybody thinks that we do. One that is missed at two
 * looks in a row is given back; what is only being stored or written at one look is in order by the next.
 */
export class Strays {
  readonly #options: StraysOptions;
  #missed: ReadonlySet<string> = new Set();

  constructor(options: StraysOptions) {
    this.#options = options;
  }

  async pass(): Promise<void> {
    const { db, lease, holds, now, onStrays, log } = this.#options;
    const missed = (await allOwnClaims(db, lease())).filter((id) => !holds(id));
    const strays = missed.filter((id) => this.#missed.has(id));
    this.#missed = new Set(missed);
    if (strays.length === 0) return;
    const recovered = await recoverStrays(db, lease(), now(), strays);
    if (recovered === 0) return;
    onStrays(recovered);
    log.warn({ texts: recovered, message_id: strays[0] }, 'texts that nobody had in hand wait again');
  }
}
