import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** What a browser passes to the portal. */
export interface Asked {
  challenge_token: string;
  options: { challenge: string };
}

export interface Behaviour {
  /** From where the page came that asked. */
  origin?: string;
  /** Whether the person showed a finger or typed a PIN. */
  is_verified?: boolean;
  /** A signature over something else. */
  is_forged?: boolean;
  /** Counted as the last one, as a copy of the authenticator would. */
  is_copy?: boolean;
}

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const ATTESTED = 0x40;

/** An authenticator and its browser in software (WebAuthn 3, 6): one ES256 key, a counter, no attestation. */
export class Authenticator {
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly #id = randomBytes(16);
  readonly #rp_id: string;
  readonly #origin: string;
  #counter = 0;

  constructor(origin: string) {
    this.#origin = origin;
    this.#rp_id = new URL(origin).hostname;
  }

  /** As `navigator.credentials.create`, in the portal's words. */
  create({ challenge_token, options }: Asked, behaviour: Behaviour = {}): Record<string, unknown> {
    const { x = '', y = '' } = this.#keys.publicKey.export({ format: 'jwk' });
    const cose = map([
      [integer(1), integer(2)],
      [integer(3), integer(-7)],
      [integer(-1), integer(1)],
      [integer(-2), bytes(Buffer.from(x, 'base64url'))],
      [integer(-3), bytes(Buffer.from(y, 'base64url'))],
    ]);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(this.#id.length);
    const attested = Buffer.concat([Buffer.alloc(16), length, this.#id, cose]);
    const authenticator_data = Buffer.concat([this.#head(ATTESTED, behaviour), attested]);
    const attestation = map([
      [text('fmt'), text('none')],
      [text('attStmt'), map([])],
      [text('authData'), bytes(authenticator_data)],
    ]);
    const client_data = this.#clientData('webauthn.create', options.challenge, behaviour);
    return this.#credential(challenge_token, {
      clientDataJSON: client_data.toString('base64url'),
      attestationObject: attestation.toString('base64url'),
      transports: ['internal'],
    });
  }

  /** As `navigator.credentials.get`. */
  get({ challenge_token, options }: Asked, behaviour: Behaviour = {}): Record<string, unknown> {
    if (behaviour.is_copy !== true) this.#counter += 1;
    const authenticator_data = this.#head(0, behaviour);
    const client_data = this.#clientData('webauthn.get', options.challenge, behaviour);
    const signed = Buffer.concat([authenticator_data, createHash('sha256').update(client_data).digest()]);
    const over = behaviour.is_forged === true ? randomBytes(64) : signed;
    return this.#credential(challenge_token, {
      clientDataJSON: client_data.toString('base64url'),
      authenticatorData: authenticator_data.toString('base64url'),
      signature: sign('sha256', over, this.#private).toString('base64url'),
    });
  }

  get #private(): KeyObject {
    return this.#keys.privateKey;
  }

  #credential(challenge_token: string, response: Record<string, unknown>): Record<string, unknown> {
    const id = this.#id.toString('base64url');
    const credential = { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response };
    return { challenge_token, response: credential };
  }

  #head(flags: number, { is_verified = true }: Behaviour): Buffer {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(this.#counter);
    const all = flags | USER_PRESENT | (is_verified ? USER_VERIFIED : 0);
    return Buffer.concat([createHash('sha256').update(this.#rp_id).digest(), Buffer.from([all]), counter]);
  }

  #clientData(type: string, challenge: string, { origin = this.#origin }: Behaviour): Buffer {
    return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
  }
}

/** CBOR (RFC 8949), as much of it as an authenticator says. */
function head(major: number, value: number): Buffer {
  if (value < 24) return Buffer.from([(major << 5) | value]);
  if (value < 256) return Buffer.from([(major << 5) | 24, value]);
  return Buffer.from([(major << 5) | 25, value >> 8, value & 0xff]);
}

const integer = (value: number): Buffer => (value >= 0 ? head(0, value) : head(1, -1 - value));
const bytes = (value: Buffer): Buffer => Buffer.concat([head(2, value.length), value]);
const text = (value: string): Buffer => Buffer.concat([head(3, value.length), Buffer.from(value)]);
const map = (pairs: readonly (readonly [Buffer, Buffer])[]): Buffer =>
  Buffer.concat([head(5, pairs.length), ...pairs.flat()]);
