import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { hashPassword, isPassword, newPassword } from '../../../domain/texts/esmes/bind_password.ts';
import { FewAtOnce } from './few_at_once.ts';

const KEY_OCTETS = 32;
const REMEMBERED_MAX = 10_000;
/** Guesses of many addresses at once are not to take all cores, nor all threads that also look up names and read files. */
const AT_ONCE_MAX = 2;
/** Ten seconds of work; who comes then is to try again. */
const WAITING_MAX = 500;

/** `busy`: too many others are being checked, and this one was not. */
export type PasswordVerdict = 'right' | 'wrong' | 'busy';

/**
 * Checks passwords, a few at once. One that was found right is remembered, as a keyed hash that ends with this process, so that a
 * customer whose hundred binds come back at once is not made to wait for a hundred times 40 ms, nor behind those who guess.
 */
export class Passwords {
  readonly #key = randomBytes(KEY_OCTETS);
  readonly #derivations: FewAtOnce;
  readonly #right = new Map<string, Buffer>();
  #decoy: Promise<string> | null = null;

  constructor({ waiting_max = WAITING_MAX }: { waiting_max?: number } = {}) {
    this.#derivations = new FewAtOnce({ at_once_max: AT_ONCE_MAX, waiting_max });
  }

  /** @param stored null for nobody's: that takes as long, and is never right. */
  async check(password: string, stored: string | null): Promise<PasswordVerdict> {
    const mark = createHmac('sha256', this.#key).update(password, 'latin1').digest();
    const known = stored === null ? undefined : this.#right.get(stored);
    if (known !== undefined && timingSafeEqual(known, mark)) return 'right';
    const compared = stored ?? (await (this.#decoy ??= hashPassword(newPassword())));
    const check = this.#derivations.take(() => isPassword(password, compared));
    if (check === null) return 'busy';
    if (!(await check) || stored === null) return 'wrong';
    if (this.#right.size >= REMEMBERED_MAX) this.#right.clear();
    this.#right.set(stored, mark);
    return 'right';
  }
}
