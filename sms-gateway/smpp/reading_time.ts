/**
 * Time as far as the peer is concerned: it stands while we do not read, because what the peer said meanwhile
 * lies unread, and its silence is our own doing.
 */
export class ReadingTime {
  #unread_ms = 0;
  #paused_at_ms: number | null = null;

  get paused(): boolean {
    return this.#paused_at_ms !== null;
  }

  at(now_ms: number): number {
    return (this.#paused_at_ms ?? now_ms) - this.#unread_ms;
  }

  pause(now_ms: number): void {
    this.#paused_at_ms ??= now_ms;
  }

  /** Time that passed without anybody looking, as when the process was busy or the machine asleep. */
  skip(ms: number): void {
    if (this.#paused_at_ms === null) this.#unread_ms += ms;
  }

  resume(now_ms: number): void {
    if (this.#paused_at_ms === null) return;
    this.#unread_ms += now_ms - this.#paused_at_ms;
    this.#paused_at_ms = null;
  }
}
