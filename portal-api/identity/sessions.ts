import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { AdminRole, CustomerRole } from './identity.ts';
import { BEGIN_SESSION, REVOKE_SESSIONS } from './session_scripts.ts';

/** What Redis offers here; the client of the package does. */
export interface SessionStore {
  get(key: string): Promise<string | null>;
  /** How many of them there are: one or none. */
  exists(key: string): Promise<number>;
  /** `XX`: only where it is there. */
  set(
    key: string,
    value: string,
    options: { expiration: { type: 'PX'; value: number }; condition?: 'XX' },
  ): Promise<unknown>;
  del(keys: string | string[]): Promise<number>;
  sRem(key: string, member: string): Promise<number>;
  sMembers(key: string): Promise<string[]>;
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

const sessionSchema = z.object({
  user_id: z.string(),
  kind: z.enum(['customer', 'admin']),
  account_id: z.string().nullable(),
  role: z.enum(['owner', 'billing', 'member']).nullable(),
  admin_roles: z.array(z.enum(['support', 'kyc', 'finance', 'privacy', 'operations', 'owner'])),
  csrf_token: z.string(),
  created_at_ms: z.number(),
  seen_at_ms: z.number(),
  proven_at_ms: z.number(),
  address: z.string(),
  user_agent: z.string(),
});

export type Session = z.infer<typeof sessionSchema>;

export interface NewSession {
  user_id: string;
  kind: 'customer' | 'admin';
  account_id: string | null;
  role: CustomerRole | null;
  admin_roles: AdminRole[];
  address: string;
  user_agent: string;
}

export interface BegunSession {
  token: string;
  session_id: string;
  csrf_token: string;
  /** For how long it is not over, if it is used. */
  life_left_ms: number;
}

/**
 * How far it had come with revoking somebody's sessions. It is asked for before what a session will say is read, so that whatever is
 * revoked after that is not brought back by a session that was begun with what was read before.
 */
export interface RevocationMark {
  user_id: string;
  mark: string;
}

/** A revocation that may be carried out more than once, and counts once: who has signed in since the first time stays. */
export interface Revocation {
  revocation_id: string;
  user_id: string;
  /** A session that stays. */
  except: string | null;
  /** Those that act for it alone; null: all. */
  account_id: string | null;
}

export interface SessionsOptions {
  store: SessionStore;
  now: () => number;
  /** A session that nobody uses for so long is over. */
  idle_ms: number;
  /** And each is over after this. */
  life_ms: number;
}

/** When it was used is written at most this often. */
const SEEN_MS = 60_000;
const PARSED_MAX = 10_000;
/** Several portals know one another's sessions, each by its own clock: none ends one earlier than the other has said. */
const CLOCKS_APART_MAX_MS = 5 * 60_000;
/** Nobody is signing in for so long; who would is asked to begin anew. */
const MARK_LIFE_MS = 24 * 3_600_000;

/**
 * Who is signed in, in Redis: a token of 256 random bits is told once, and kept as its hash alone. What is revoked is gone for the next
 * request. Flushing Redis signs everybody out and loses nothing else.
 */
export class Sessions {
  readonly #options: SessionsOptions;
  /** What the text of a session was read as; Redis is asked for the text each time. */
  readonly #parsed = new Map<string, { text: string; session: Readonly<Session> }>();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** Of somebody of whom nothing can have been revoked since it was read. */
  async begin(session: NewSession): Promise<BegunSession> {
    const begun = await this.beginSince(session, await this.markOf(session.user_id));
    if (begun === null) throw new Error('All sessions of this user were revoked at this moment.');
    return begun;
  }

  async markOf(user_id: string): Promise<RevocationMark> {
    // Not by GET, which may be answered out of what was remembered.
    const mark = await this.#options.store.eval(`return redis.call('get', KEYS[1]) or ''`, {
      ...{ keys: [ofMark(user_id)], arguments: [] },
    });
    return { user_id, mark: String(mark) };
  }

  /**
   * Null where the user's sessions were revoked since the mark, or the one that this is instead of is over: it is looked at and begun in one
   * step, so that no session is begun that a revocation does not see. Instead of another one, it ends when that one would have, and who it
   * is was proven when it was proven there.
   */
  async beginSince(
    session: NewSession,
    { user_id, mark }: RevocationMark,
    instead_of: string | null = null,
  ): Promise<BegunSession | null> {
    if (user_id !== session.user_id) throw new Error('A mark of somebody else says nothing of this user.');
    const { store, now, idle_ms, life_ms } = this.#options;
    const token = randomBytes(32).toString('base64url');
    const csrf_token = randomBytes(16).toString('base64url');
    const session_id = idOf(token);
    const at_ms = now();
    // The script adds the two times that another session may hand on.
    const value: Omit<Session, 'created_at_ms' | 'proven_at_ms'> = { ...session, csrf_token, seen_at_ms: at_ms };
    const began = await store.eval(BEGIN_SESSION, {
      keys: [ofSession(session_id), ofUser(user_id), ofMark(user_id), ofSession(instead_of ?? '')],
      arguments: [
        ...[mark, JSON.stringify(value), String(at_ms), session_id],
        ...[String(idle_ms), String(life_ms), instead_of ?? ''],
      ],
    });
    const created_at_ms = Number(began);
    if (created_at_ms === 0) return null;
    return { token, session_id, csrf_token, life_left_ms: Math.min(life_ms, created_at_ms + life_ms - at_ms) };
  }

  /** The session of a token; null where there is none, or none any more. */
  async find(token: string): Promise<(Session & { session_id: string }) | null> {
    const session_id = idOf(token);
    const session = await this.#read(session_id);
    if (session === null) return null;
    const { now, life_ms } = this.#options;
    const at_ms = now();
    if (at_ms - session.created_at_ms > life_ms + CLOCKS_APART_MAX_MS) {
      await this.revoke(session.user_id, session_id);
      return null;
    }
    if (at_ms - session.seen_at_ms > SEEN_MS) await this.#rewrite(session_id, { ...session, seen_at_ms: at_ms });
    return { ...session, session_id };
  }

  /** Who it is was proven again. */
  async prove(session_id: string): Promise<void> {
    const session = await this.#read(session_id);
    if (session === null) return;
    await this.#rewrite(session_id, { ...session, proven_at_ms: this.#options.now() });
  }

  async list(user_id: string): Promise<(Session & { session_id: string })[]> {
    const { store } = this.#options;
    const found: (Session & { session_id: string })[] = [];
    for (const session_id of await store.sMembers(ofUser(user_id))) {
      const session = await this.#read(session_id);
      if (session === null) await store.sRem(ofUser(user_id), session_id);
      else found.push({ ...session, session_id });
    }
    return found.sort((a, b) => b.seen_at_ms - a.seen_at_ms);
  }

  /** Which of these are over: revoked, or used by nobody for too long. */
  async over(session_ids: readonly string[]): Promise<ReadonlySet<string>> {
    const { store } = this.#options;
    const there = await Promise.all(session_ids.map((session_id) => store.exists(ofSession(session_id))));
    return new Set(session_ids.filter((_, at) => there[at] === 0));
  }

  /** False where the user has no such session. */
  async revoke(user_id: string, session_id: string): Promise<boolean> {
    const { store } = this.#options;
    const was_theirs = (await store.sRem(ofUser(user_id), session_id)) > 0;
    return was_theirs && (await store.del(ofSession(session_id))) > 0;
  }

  /** All of a user, but for the one that asks; and whatever is being begun at this moment. */
  revokeAll(user_id: string, except: string | null): Promise<number> {
    return this.#revoke({ user_id, except, account_id: null }, null);
  }

  /**
   * Says how many have ended by now; none where it was carried out before, within a day. What a user may do for an account stands in the
   * sessions that act for it; who is signing in at this moment has to begin anew.
   */
  carryOut({ revocation_id, ...whose }: Revocation): Promise<number> {
    return this.#revoke(whose, revocation_id);
  }

  async #revoke(
    { user_id, except, account_id }: Omit<Revocation, 'revocation_id'>,
    revocation_id: string | null,
  ): Promise<number> {
    const mark = randomBytes(16).toString('base64url');
    const revoked = await this.#options.store.eval(REVOKE_SESSIONS, {
      keys: [ofUser(user_id), ofMark(user_id), `portal:revocation:${revocation_id ?? ''}`],
      arguments: [
        ...[mark, String(MARK_LIFE_MS), ofSession(''), except ?? '', account_id ?? ''],
        revocation_id === null ? '' : 'once',
      ],
    });
    return Number(revoked);
  }

  async #read(session_id: string): Promise<Session | null> {
    const text = await this.#options.store.get(ofSession(session_id));
    if (text === null) return null;
    const known = this.#parsed.get(session_id);
    if (known?.text === text) return known.session;
    const parsed = sessionSchema.safeParse(JSON.parse(text));
    if (!parsed.success) return null;
    this.#remember(session_id, { text, session: parsed.data });
    return parsed.data;
  }

  #remember(session_id: string, parsed: { text: string; session: Readonly<Session> }): void {
    for (const oldest of this.#parsed.keys()) {
      if (this.#parsed.size < PARSED_MAX) break;
      this.#parsed.delete(oldest);
    }
    this.#parsed.set(session_id, parsed);
  }

  /** Where it is still there: what was revoked since it was read stays revoked. */
  async #rewrite(session_id: string, session: Session): Promise<void> {
    const { store, now, idle_ms, life_ms } = this.#options;
    const left_ms = session.created_at_ms + life_ms + CLOCKS_APART_MAX_MS - now();
    await store.set(ofSession(session_id), JSON.stringify(session), {
      expiration: { type: 'PX', value: Math.max(1, Math.min(idle_ms, left_ms)) },
      condition: 'XX',
    });
  }
}

/** Compares without telling by its time how much of it was right. */
export function isSameSecret(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}

const idOf = (token: string): string => createHash('sha256').update(token).digest('base64url');
const ofSession = (session_id: string): string => `portal:session:${session_id}`;
const ofUser = (user_id: string): string => `portal:sessions:${user_id}`;
/** Another one with each revocation, and none where nothing was revoked for long. */
const ofMark = (user_id: string): string => `portal:revoked:${user_id}`;
