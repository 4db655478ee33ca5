import type { Session } from './session.ts';

/** The sessions of a listener that have not ended. */
export class SessionSet {
  readonly #sessions = new Set<Session>();
  #waiting: (() => void)[] = [];

  get all(): ReadonlySet<Session> {
    return this.#sessions;
  }

  add(session: Session): void {
    this.#sessions.add(session);
  }

  /** To be called when the owner was told of its end. */
  remove(session: Session): void {
    this.#sessions.delete(session);
    if (this.#sessions.size > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Lets all end in good order; resolves when the last has. */
  stopAll(): Promise<void> {
    for (const session of this.#sessions) session.stop();
    if (this.#sessions.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
