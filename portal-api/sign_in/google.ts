import * as oidc from 'openid-client';
import { z } from 'zod';
import { Problem } from '../http/problem.ts';

export interface GoogleOptions {
  issuer: string;
  client_id: string;
  client_secret: string | undefined;
  /** Where Google sends the browser back to: a page of the portal's. */
  redirect_uri: string;
}

/** What is kept of a journey to Google until it ends; never told to the browser. */
export const journeyShape = z.object({ state: z.string(), nonce: z.string(), code_verifier: z.string() });
export type Journey = z.infer<typeof journeyShape>;

/** What Google's answer has in the address that the browser comes back to. */
export const comeBackShape = z.object({
  code: z.string().min(1).max(2_000),
  state: z.string().min(1).max(200),
  iss: z.string().max(200).optional(),
});

/** Asks Google who somebody is (OpenID Connect Core, 3.1, with PKCE of RFC 7636). Only the subject is taken from its answer. */
export class Google {
  readonly #options: GoogleOptions;
  #found: Promise<oidc.Configuration> | null = null;

  constructor(options: GoogleOptions) {
    this.#options = options;
  }

  get issuer(): string {
    return this.#options.issuer;
  }

  async begin(): Promise<{ url: string; journey: Journey }> {
    const config = await this.#configuration();
    const journey = {
      state: oidc.randomState(),
      nonce: oidc.randomNonce(),
      code_verifier: oidc.randomPKCECodeVerifier(),
    };
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: this.#options.redirect_uri,
      scope: 'openid email profile',
      state: journey.state,
      nonce: journey.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(journey.code_verifier),
      code_challenge_method: 'S256',
    });
    return { url: url.href, journey };
  }

  /** Who it is there; null where the answer is not one to that question. */
  async end(journey: Journey, back: z.infer<typeof comeBackShape>): Promise<string | null> {
    const config = await this.#configuration();
    const url = new URL(this.#options.redirect_uri);
    for (const [name, value] of Object.entries(back)) if (value !== undefined) url.searchParams.set(name, value);
    try {
      const tokens = await oidc.authorizationCodeGrant(config, url, {
        pkceCodeVerifier: journey.code_verifier,
        expectedState: journey.state,
        expectedNonce: journey.nonce,
        idTokenExpected: true,
      });
      return tokens.claims()?.sub ?? null;
    } catch (error) {
      if (error instanceof TypeError) throw away();
      return null;
    }
  }

  async #configuration(): Promise<oidc.Configuration> {
    const { issuer, client_id, client_secret } = this.#options;
    this.#found ??= oidc.discovery(new URL(issuer), client_id, client_secret, undefined, {
      timeout: 5,
      // An issuer without TLS is one of a test's; the mark is there to be seen by whoever would do so otherwise.
      // eslint-disable-next-line @typescript-eslint/no-deprecated
      execute: issuer.startsWith('http:') ? [oidc.allowInsecureRequests] : [],
    });
    try {
      return await this.#found;
    } catch {
      this.#found = null;
      throw away();
    }
  }
}

function away(): Problem {
  return new Problem('unavailable', 'Google does not answer. Come in another way, or try again in a minute.', {
    retry_after_seconds: 60,
  });
}
