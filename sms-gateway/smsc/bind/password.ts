import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { CHARACTERS_MAX } from '../../smpp/field_limit.ts';
import { FewAtOnce } from './few_at_once.ts';

/** What a guess costs (RFC 7914): 16 MiB and some 40 ms. `n` is a power of two. */
interface Cost {
  n: number;
  r: number;
  p: number;
}

const COST: Cost = { n: 16_384, r: 8, p: 1 };
const SALT_OCTETS = 16;
const KEY_OCTETS = 32;
/** As it is stored: `scrypt$n$r$p$salt$key`, the last two in base64url. */
const SHAPE = /^scrypt\$([0-9]{1,8})\$([0-9]{1,2})\$([0-9]{1,2})\$([\w-]{16,})\$([\w-]{16,})$/u;

/**
 * What is stored of a password. @throws RangeError for one that SMPP cannot carry: it has 1 to 8 characters of ASCII
 * (SMPP 3.4 section 5.2.2).
 */
export async function hashPassword(password: string): Promise<string> {
  if (!/^[\x20-\x7e]+$/u.test(password) || password.length > CHARACTERS_MAX.password) {
    throw new RangeError(`A password of SMPP has 1 to ${CHARACTERS_MAX.password} characters of ASCII: choose another.`);
  }
  const salt = randomBytes(SALT_OCTETS);
  const key = await derive(password, salt, COST, KEY_OCTETS);
  return ['scrypt', COST.n, COST.r, COST.p, salt.toString('base64url'), key.toString('base64url')].join('$');
}

/** @throws Error where what is stored is no hash of ours. */
export async function isPassword(password: string, stored: string): Promise<boolean> {
  const [, n, r, p, salt, key] = SHAPE.exec(stored) ?? [];
  if (salt === undefined || key === undefined)
    throw new Error('The stored password of a bind has not the shape of one.');
  const wanted = Buffer.from(key, 'base64url');
  const cost = { n: Number(n), r: Number(r), p: Number(p) };
  return timingSafeEqual(await derive(password, Buffer.from(salt, 'base64url'), cost, wanted.length), wanted);
}

function derive(password: string, salt: Buffer, { n, r, p }: Cost, key_octets: number): Promise<Buffer> {
  // Strings of the wire have one character an octet.
  const octets = Buffer.from(password, 'latin1');
  return new Promise((resolve, reject) => {
    scrypt(octets, salt, key_octets, { N: n, r, p, maxmem: 256 * n * r }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

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
    const compared = stored ?? (await (this.#decoy ??= hashPassword(randomBytes(4).toString('hex'))));
    const check = this.#derivations.take(() => isPassword(password, compared));
    if (check === null) return 'busy';
    if (!(await check) || stored === null) return 'wrong';
    if (this.#right.size >= REMEMBERED_MAX) this.#right.clear();
    this.#right.set(stored, mark);
    return 'right';
  }
}
