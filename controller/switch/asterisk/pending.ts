import { randomBytes } from 'node:crypto';
import { SwitchLost } from '../lost.ts';

interface Waiting<T> {
  resolve: (value: T) => void;
  reject: (error: Error) => void;
  timer: NodeJS.Timeout;
}

/** Requests that wait for their reply, by id; each fails when its time has passed or the connection is lost. */
export class Pending<T> {
  readonly #waiting = new Map<string, Waiting<T>>();
  readonly #timeout_ms: number;
  /** Nobody else can name one of our requests: what the switch repeats of a caller's own words could be made to look like a reply. */
  readonly #secret = randomBytes(9).toString('base64url');
  #next = 1;

  constructor(timeout_ms: number) {
    this.#timeout_ms = timeout_ms;
  }

  open(what: string): { id: string; reply: Promise<T> } {
    const id = `${this.#secret}-${this.#next++}`;
    const reply = new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(
          new SwitchLost(`The switch did not answer within ${this.#timeout_ms} ms: ${what}.`, {
            may_have_happened: true,
          }),
        );
      }, this.#timeout_ms);
      this.#waiting.set(id, { resolve, reject, timer });
    });
    return { id, reply };
  }

  /** False when nobody waits for it any more. */
  settle(id: string, value: T): boolean {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return false;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    waiting.resolve(value);
    return true;
  }

  failAll(reason: string): void {
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new SwitchLost(reason, { may_have_happened: true }));
    }
    this.#waiting.clear();
  }
}
