import type { Queryable } from '../../domain/db/transaction.ts';
import { maskPhone } from './masking.ts';
import { selectWatchedTexts } from './live_watch_rows.ts';
import type { WatchedText } from './live_watch_rows.ts';
import type { WatchedEvent } from './watched_calls.ts';

/** The gateway takes thousands in a second, and nobody reads so many: the newest are looked at, and those that were told are followed. */
const NEWEST_MAX = 200;
const FOLLOWED_MAX = 500;

const UNDER_WAY: ReadonlySet<string> = new Set(['queued', 'scheduled', 'held', 'in_doubt', 'submitted']);

/** Texts as they stood at the last look, and what is different at this one. */
export class WatchedTexts {
  readonly #states = new Map<string, string>();
  #is_primed = false;

  async look(db: Queryable): Promise<WatchedEvent[]> {
    const followed = [...this.#states].filter(([, state]) => UNDER_WAY.has(state)).map(([id]) => id);
    const texts = await selectWatchedTexts(db, followed, NEWEST_MAX);
    const newest = texts.filter(({ is_newest }) => is_newest);
    const is_all_new = newest.length === NEWEST_MAX && newest.every(({ message_id }) => !this.#states.has(message_id));
    const changed = texts.filter(({ message_id, state }) => this.#states.get(message_id) !== state);
    for (const { message_id, state } of changed) this.#states.set(message_id, state);
    this.#forget(new Set(newest.map(({ message_id }) => message_id)));
    if (!this.#is_primed) {
      this.#is_primed = true;
      return [];
    }
    const told = changed.map((text): WatchedEvent => ({ type: 'text', facts: factsOf(text) }));
    // There were more than can be told since the last look; the list has them.
    return is_all_new ? [{ type: 'texts_skipped', facts: { told: NEWEST_MAX } }, ...told] : told;
  }

  /** What is over and no longer among the newest does not change; beyond what is followed, the oldest go. */
  #forget(newest: ReadonlySet<string>): void {
    for (const [id, state] of this.#states) if (!newest.has(id) && !UNDER_WAY.has(state)) this.#states.delete(id);
    for (const id of this.#states.keys()) {
      if (this.#states.size <= FOLLOWED_MAX) return;
      if (!newest.has(id)) this.#states.delete(id);
    }
  }
}

const factsOf = (text: WatchedText) => ({
  ...{ message_id: text.message_id, account_id: text.account_id, direction: text.direction },
  ...{ sender_masked: maskPhone(text.sender), recipient_masked: maskPhone(text.recipient) },
  ...{ segments: text.segments, destination: text.destination, state: text.state, error: text.error },
});
