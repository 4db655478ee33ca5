import { randomBytes } from 'node:crypto';
import { Problem } from '../http/problem.ts';
import { HashingThreads } from './password_hashing_threads.ts';

export interface PasswordHashingOptions {
  /** How many are computed at one moment; each takes a core. */
  at_once: number;
  /** How many wait for their turn; with more, requests are refused at once. */
  waiting_max: number;
}

/** 19 MiB and two passes (RFC 9106; OWASP's first recommendation for servers). Argon2id is the package's own choice. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Hashes passwords, a bounded number at a time, in threads that give way to all others, so that a crowd of sign-ins leaves the processor to everybody else. */
export class PasswordHashing {
  readonly #options: PasswordHashingOptions;
  readonly #threads = new HashingThreads();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #dummy: Promise<string> | null = null;

  constructor(options: PasswordHashingOptions) {
    this.#options = options;
  }

  hash(password: string): Promise<string> {
    return this.#inTurn(() => this.#threads.hash(spelling(password), COST));
  }

  /** Where there is no password it takes as long as where there is a wrong one. */
  async verify(stored: string | null, password: string): Promise<boolean> {
    this.#dummy ??= this.hash(randomBytes(16).toString('base64')).catch((error: unknown) => {
      // There was no room for it; whoever comes next tries anew.
      this.#dummy = null;
      throw error;
    });
    const dummy = await this.#dummy;
    const is_right = await this.#inTurn(() => this.#threads.verify(stored ?? dummy, spelling(password), COST));
    return is_right && stored !== null;
  }

  /** Throws where too many wait: to be asked before anything else is done for whoever would only be refused then. */
  requireRoom(): void {
    if (this.#running < this.#options.at_once || this.#waiting.length < this.#options.waiting_max) return;
    throw new Problem('unavailable', 'Many people sign in at this moment. Try again in a few seconds.', {
      retry_after_seconds: 3,
    });
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#options.at_once) {
      this.requireRoom();
      // Whoever ends hands its place over, so nobody comes in between.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running += 1;
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}

/** The same password however a keyboard composes its letters (NIST SP 800-63B, 3.1.1.2). */
const spelling = (password: string): string => password.normalize('NFKC');
