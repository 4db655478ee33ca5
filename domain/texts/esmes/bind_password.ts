import { randomBytes, randomInt, scrypt, timingSafeEqual } from 'node:crypto';

/** What a guess costs (RFC 7914): 16 MiB and some 40 ms. `n` is a power of two. */
interface Cost {
  n: number;
  r: number;
  p: number;
}

const COST: Cost = { n: 16_384, r: 8, p: 1 };
const SALT_OCTETS = 16;
const KEY_OCTETS = 32;
/** SMPP 3.4 section 5.2.2, without the NUL that ends it. */
const CHARACTERS_MAX = 8;
/** As it is stored: `scrypt$n$r$p$salt$key`, the last two in base64url. */
const SHAPE = /^scrypt\$([0-9]{1,8})\$([0-9]{1,2})\$([0-9]{1,2})\$([\w-]{16,})\$([\w-]{16,})$/u;
/** Without those that look alike. */
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789';

/** One that nobody chose, as long as SMPP lets it be: 46 bits, which the throttle of guesses and the cost of each have to make up for. */
export function newPassword(): string {
  return Array.from({ length: CHARACTERS_MAX }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
}

/** What is stored of a password. @throws RangeError for one that SMPP cannot carry: it has 1 to 8 characters of ASCII. */
export async function hashPassword(password: string): Promise<string> {
  if (!/^[\x20-\x7e]+$/u.test(password) || password.length > CHARACTERS_MAX) {
    throw new RangeError(`A password of SMPP has 1 to ${CHARACTERS_MAX} characters of ASCII: choose another.`);
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
