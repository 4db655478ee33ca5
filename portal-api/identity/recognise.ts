import { createHash } from 'node:crypto';
import type { Queryable } from '../../domain/db/transaction.ts';
import { Problem } from '../http/problem.ts';
import type { Method } from '../http/route.ts';
import type { Identity } from './identity.ts';
import { isSameSecret } from './sessions.ts';
import type { Session, Sessions } from './sessions.ts';

export interface Credentials {
  method: Method;
  cookie: string | undefined;
  authorization: string | undefined;
  /** X-CSRF-Token: another site can send our cookie, and cannot read what this has to be. */
  csrf_token: string | undefined;
  origin: string | undefined;
}

export interface RecogniserOptions {
  db: Queryable;
  sessions: Sessions;
  cookie_name: string;
  /** Where the portal's pages come from. */
  public_origin: string;
}

/** Tells who asks, by the cookie of a session or the key in `Authorization: Bearer`. */
export class Recogniser {
  readonly #options: RecogniserOptions;

  constructor(options: RecogniserOptions) {
    this.#options = options;
  }

  /** Throws `sign_in_required` where credentials were given that are none: they are never taken for nobody's. */
  async recognise(credentials: Credentials): Promise<Identity> {
    if (credentials.authorization !== undefined) return this.#byKey(credentials.authorization);
    const token = cookieOf(credentials.cookie, this.#options.cookie_name);
    if (token === null) return { kind: 'anonymous' };
    const session = await this.#options.sessions.find(token);
    if (session === null) return { kind: 'anonymous' };
    if (credentials.method !== 'get') this.#refuseCrossSite(credentials, session);
    return identityOf(session);
  }

  #refuseCrossSite({ origin, csrf_token }: Credentials, session: Session): void {
    if (origin !== undefined && origin !== this.#options.public_origin) {
      throw new Problem('cross_site', `Requests that change something come from ${this.#options.public_origin} only.`);
    }
    if (csrf_token === undefined || !isSameSecret(csrf_token, session.csrf_token)) {
      throw new Problem('cross_site', 'The header X-CSRF-Token has to be what GET /v1/session told. Ask there again.');
    }
  }

  async #byKey(authorization: string): Promise<Identity> {
    const [, secret] = /^Bearer ([\x21-\x7e]{20,200})$/u.exec(authorization) ?? [];
    if (secret === undefined) throw new Problem('sign_in_required', 'Authorization is to be `Bearer` and an API key.');
    const { rows } = await this.#options.db.query<{ id: string; account_id: string; scopes: string[] }>({
      name: 'api_key_identity',
      text: `select k.id, k.account_id, k.scopes from api_key k join account a on a.id = k.account_id
              where k.secret_sha256 = $1 and k.revoked_at is null and a.state <> 'closed'`,
      values: [createHash('sha256').update(secret).digest('hex')],
    });
    const key = rows[0];
    if (key === undefined) throw new Problem('sign_in_required', 'There is no such API key, or it was revoked.');
    return { kind: 'api_key', key_id: key.id, account_id: key.account_id, scopes: key.scopes };
  }
}

function identityOf(session: Session & { session_id: string }): Identity {
  const { user_id, session_id, proven_at_ms, account_id, role, admin_roles } = session;
  if (session.kind === 'admin') return { kind: 'admin', user_id, session_id, proven_at_ms, roles: admin_roles };
  if (account_id === null || role === null) return { kind: 'anonymous' };
  return { kind: 'customer', user_id, session_id, proven_at_ms, account_id, role };
}

function cookieOf(header: string | undefined, name: string): string | null {
  for (const pair of header?.split(';') ?? []) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return null;
}
