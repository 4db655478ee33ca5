import type { Logger } from 'pino';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { CallEvent } from './state.ts';

export interface CallCommandsOptions {
  db: Queryable;
  switch_id: string;
  /** The session of a call that lives here. */
  byCall: (call_id: string) => { dispatch: (event: CallEvent) => void } | undefined;
  /** Whether this controller drives the switch and knows all of its calls: what is not here is then over. */
  sure: () => boolean;
  now: () => Date;
  log: Logger;
}

/**
 * What people of the operator want done to calls, as they wrote it into the database. A command counts as done when its call is no more:
 * until then each look gives it again, so that none is lost with a switch that was away or a controller that died.
 */
export class CallCommands {
  readonly #options: CallCommandsOptions;
  #looking: Promise<void> = Promise.resolve();
  /** At first, and after a look that failed or found a call that was still up. */
  #has_more = true;

  constructor(options: CallCommandsOptions) {
    this.#options = options;
  }

  /** One look at a time. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#lookOrLog());
    return this.#looking;
  }

  /** Where the last look left something. */
  async lookAgain(): Promise<void> {
    if (this.#has_more) await this.look();
  }

  async #lookOrLog(): Promise<void> {
    try {
      this.#has_more = true;
      if (this.#options.sure()) this.#has_more = await this.#giveAll();
    } catch (error) {
      this.#options.log.warn({ err: error }, 'it is not known which calls are to be hung up; looking again');
    }
  }

  /** Whether any is still to be seen to. */
  async #giveAll(): Promise<boolean> {
    const { db, switch_id, byCall, now } = this.#options;
    const { rows } = await db.query<{ id: string; call_id: string }>(
      'select id, call_id from call_command where switch_id = $1 and done_at is null',
      [switch_id],
    );
    let has_more = false;
    for (const { id, call_id } of rows) {
      const session = byCall(call_id);
      if (session === undefined) {
        // The portal's clock may be a little ahead of ours.
        await db.query('update call_command set done_at = greatest($2, asked_at) where id = $1', [id, now()]);
      } else {
        session.dispatch({ type: 'hang_up_asked' });
        has_more = true;
      }
    }
    return has_more;
  }
}
