import { randomUUID } from 'node:crypto';
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import { z } from 'zod';
import type { Queryable } from '../../domain/db/transaction.ts';

/** For which site passkeys are: none that was made here can be used elsewhere (WebAuthn 3, 13.4.9). */
export interface RelyingParty {
  name: string;
  id: string;
  origin: string;
}

export function relyingPartyOf(settings: { PUBLIC_ORIGIN: string; BRAND: string }): RelyingParty {
  const { origin, hostname } = new URL(settings.PUBLIC_ORIGIN);
  return { name: settings.BRAND, id: hostname, origin };
}

const base64url = (length_max: number) =>
  z
    .string()
    .min(1)
    .max(length_max)
    .regex(/^[A-Za-z0-9_-]+$/u);

const credential = {
  id: base64url(1400),
  rawId: base64url(1400),
  type: z.literal('public-key'),
  authenticatorAttachment: z.enum(['platform', 'cross-platform']).optional(),
  clientExtensionResults: z.object({}).default({}),
};

/** What a browser's `navigator.credentials.create` gives, as JSON. */
export const attestationShape = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: base64url(8_000),
    attestationObject: base64url(20_000),
    transports: z
      .array(z.string().regex(/^[a-z-]{1,20}$/u))
      .max(10)
      .optional(),
  }),
});

/** What `navigator.credentials.get` gives. */
export const assertionShape = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: base64url(8_000),
    authenticatorData: base64url(8_000),
    signature: base64url(2_000),
    userHandle: base64url(200).optional(),
  }),
});

export type Attestation = z.infer<typeof attestationShape>;
export type Assertion = z.infer<typeof assertionShape>;

/** Handed to the browser as it is. */
export const optionsShape = z.looseObject({ challenge: z.string() });

const challengeContent = z.object({ challenge: z.string() });
export const challengeOf = (content: unknown): string => challengeContent.parse(content).challenge;

export interface NewPasskey {
  credential_id: string;
  public_key: Buffer;
  counter: number;
  transports: readonly string[];
  backed_up: boolean;
}

export async function registrationOptions(
  db: Queryable,
  site: RelyingParty,
  user: { user_id: string; email: string; name: string },
): Promise<z.input<typeof optionsShape>> {
  const known = await selectCredentials(db, user.user_id);
  const options = await generateRegistrationOptions({
    ...{ rpName: site.name, rpID: site.id, userName: user.email, userDisplayName: user.name },
    userID: new Uint8Array(Buffer.from(user.user_id)),
    attestationType: 'none',
    excludeCredentials: known,
    // Whoever finds the device cannot use it: it stands for both factors.
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  });
  return { ...options };
}

/** The passkey that a browser made; null where what it says is not so. */
export async function verifyAttestation(
  site: RelyingParty,
  challenge: string,
  response: Attestation,
): Promise<NewPasskey | null> {
  try {
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: withoutUndefined(response) as RegistrationResponseJSON,
      ...{ expectedChallenge: challenge, expectedOrigin: site.origin, expectedRPID: site.id },
      requireUserVerification: true,
    });
    if (!verified) return null;
    const { credential: made, credentialBackedUp: backed_up } = registrationInfo;
    return {
      ...{ credential_id: made.id, public_key: Buffer.from(made.publicKey), counter: made.counter, backed_up },
      transports: response.response.transports ?? [],
    };
  } catch {
    // The package throws for whatever is wrong with what a stranger sent.
    return null;
  }
}

/** Of the user where it is known who it is; without one the authenticator says which it has for this site. */
export async function assertionOptions(
  db: Queryable,
  site: RelyingParty,
  user_id: string | null,
): Promise<z.input<typeof optionsShape>> {
  const options = await generateAuthenticationOptions({
    rpID: site.id,
    userVerification: 'required',
    ...(user_id === null ? {} : { allowCredentials: await selectCredentials(db, user_id) }),
  });
  return { ...options };
}

/** Whose passkey signed the challenge; null where none did. */
export async function verifyAssertion(
  db: Queryable,
  now: Date,
  site: RelyingParty,
  challenge: string,
  response: Assertion,
): Promise<{ user_id: string } | null> {
  const { rows } = await db.query<{ user_id: string; public_key: Buffer; counter: string }>(
    'select user_id, public_key, counter from passkey where credential_id = $1',
    [response.id],
  );
  const known = rows[0];
  if (known === undefined) return null;
  const counter = await signedCounter(site, challenge, response, known.public_key, Number(known.counter));
  if (counter === null) return null;
  // Where it counts, each signature counts once, whichever of two comes first.
  const used = await db.query(
    `update passkey set counter = $2, used_at = $3
      where credential_id = $1 and (counter < $2 or (counter = 0 and $2 = 0)) returning 1`,
    [response.id, counter, now],
  );
  return used.rows.length > 0 ? { user_id: known.user_id } : null;
}

async function signedCounter(
  site: RelyingParty,
  challenge: string,
  response: Assertion,
  public_key: Buffer,
  counter: number,
): Promise<number | null> {
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: withoutUndefined(response) as AuthenticationResponseJSON,
      ...{ expectedChallenge: challenge, expectedOrigin: site.origin, expectedRPID: site.id },
      credential: { id: response.id, publicKey: new Uint8Array(public_key), counter },
      requireUserVerification: true,
    });
    return verified ? authenticationInfo.newCounter : null;
  } catch {
    return null;
  }
}

/** False where somebody has it already. */
export async function insertPasskey(
  tx: Queryable,
  now: Date,
  user_id: string,
  name: string,
  made: NewPasskey,
): Promise<string | null> {
  const { rows } = await tx.query<{ id: string }>(
    `insert into passkey (id, credential_id, user_id, public_key, counter, transports, backed_up, name, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing returning id`,
    [
      ...[randomUUID(), made.credential_id, user_id, made.public_key, made.counter, made.transports, made.backed_up],
      ...[name, now],
    ],
  );
  return rows[0]?.id ?? null;
}

export interface ListedPasskey {
  passkey_id: string;
  name: string;
  backed_up: boolean;
  created_at: Date;
  used_at: Date | null;
}

export async function listPasskeys(db: Queryable, user_id: string): Promise<ListedPasskey[]> {
  const { rows } = await db.query<ListedPasskey>(
    'select id as passkey_id, name, backed_up, created_at, used_at from passkey where user_id = $1 order by created_at, id',
    [user_id],
  );
  return rows;
}

export async function removePasskey(tx: Queryable, user_id: string, passkey_id: string): Promise<boolean> {
  const { rows } = await tx.query('delete from passkey where id = $1 and user_id = $2 returning 1', [
    passkey_id,
    user_id,
  ]);
  return rows.length > 0;
}

async function selectCredentials(db: Queryable, user_id: string): Promise<{ id: string; transports: string[] }[]> {
  const { rows } = await db.query<{ id: string; transports: string[] }>(
    'select credential_id as id, transports from passkey where user_id = $1',
    [user_id],
  );
  return rows;
}

/** An optional field that was not sent is left out, as the package's types have it. */
function withoutUndefined(value: object): unknown {
  return JSON.parse(JSON.stringify(value));
}
