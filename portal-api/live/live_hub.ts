import { PassThrough } from 'node:stream';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Queryable } from '../../domain/db/transaction.ts';
import { meterOf, selectLiveHolds } from './call_meter.ts';
import type { CallMeter, LiveHold } from './call_meter.ts';
import { selectMessageStates } from './message_states.ts';
import { Trouble } from './trouble.ts';

export interface LiveHubOptions {
  db: Queryable;
  /** Which of these sessions are over. */
  sessionsOver: (session_ids: readonly string[]) => Promise<ReadonlySet<string>>;
  now: () => Date;
  log: Logger;
}

/** Somebody who listens: for one account, or as an admin for what happens to all. */
interface Listening {
  account_id: string | null;
  user_id: string;
  session_id: string;
  stream: PassThrough;
}

const TURN_MS = 1_000;
const TEXTS_MAX = 50;
/** Of one person: an account has many, and the operator's people have no account at all. */
const STREAMS_PER_USER_MAX = 10;
const STREAMS_MAX = 5_000;
/** Whoever reads this much slower than it is told is cut off, and may come again. */
const UNREAD_BYTES_MAX = 256_000;

const toldSchema = z.object({ account_id: z.string(), type: z.string(), id: z.string(), state: z.string().optional() });

/**
 * Server-sent events (HTML, 9.2): what the database notifies is told at once; calls and texts are looked at once a second, for those
 * accounts only that somebody listens for.
 */
export class LiveHub {
  readonly #options: LiveHubOptions;
  readonly #listening = new Set<Listening>();
  /** The last that was told of a text, so that only changes are. */
  readonly #states = new Map<string, string>();
  /** Calls that go on and cannot be metered, as the log was told once. */
  #unmetered: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | null = null;
  #is_busy = false;

  constructor(options: LiveHubOptions) {
    this.#options = options;
  }

  start(): void {
    const { log } = this.#options;
    const unseen = new Trouble(log, 'what is live could not be looked at');
    const unknown = new Trouble(log, 'whether those who listen are still signed in could not be seen');
    this.#timer = setInterval(() => {
      if (this.#is_busy) return;
      this.#is_busy = true;
      const looked = unseen.heardOf(this.#turn());
      // While Redis is away nobody is signed out, and nobody new listens.
      const ended = unknown.heardOf(this.#endOver());
      void Promise.all([looked, ended]).then(() => {
        this.#is_busy = false;
      });
    }, TURN_MS);
  }

  /** Ends every stream: whoever listens connects to another process. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const { stream } of this.#listening) stream.end();
    this.#listening.clear();
  }

  /** Null where too many listen already. */
  listen({ account_id, user_id, session_id }: Omit<Listening, 'stream'>, signal: AbortSignal): PassThrough | null {
    const of_user = [...this.#listening].filter((one) => one.user_id === user_id).length;
    if (this.#listening.size >= STREAMS_MAX || of_user >= STREAMS_PER_USER_MAX) return null;
    const listening = { account_id, user_id, session_id, stream: new PassThrough() };
    this.#listening.add(listening);
    const leave = (): void => {
      this.#listening.delete(listening);
      listening.stream.destroy();
    };
    signal.addEventListener('abort', leave, { once: true });
    listening.stream.on('close', leave);
    // A browser comes again after so long, and knows that it is connected.
    listening.stream.write('retry: 2000\n: connected\n\n');
    return listening.stream;
  }

  /** What a transaction told when it committed. */
  notified(payload: string): void {
    const { account_id, type, ...facts } = toldSchema.parse(JSON.parse(payload));
    for (const listening of this.#listening) {
      if (listening.account_id === account_id) tell(listening, type, facts);
      else if (listening.account_id === null) tell(listening, type, { account_id, ...facts });
    }
    if (type !== 'signed_out') return;
    for (const listening of this.#listening) if (listening.user_id === facts.id) this.#cutOff(listening);
  }

  /** A request that began with a session would go on without it for as long as somebody listens. */
  async #endOver(): Promise<void> {
    const session_ids = [...new Set([...this.#listening].map(({ session_id }) => session_id))];
    if (session_ids.length === 0) return;
    const over = await this.#options.sessionsOver(session_ids);
    for (const listening of this.#listening) if (over.has(listening.session_id)) this.#cutOff(listening);
  }

  #cutOff(listening: Listening): void {
    this.#listening.delete(listening);
    listening.stream.end();
  }

  async #turn(): Promise<void> {
    const { db, now } = this.#options;
    const account_ids = [...new Set([...this.#listening].flatMap(({ account_id }) => account_id ?? []))];
    for (const listening of this.#listening) beat(listening);
    if (account_ids.length === 0) {
      this.#states.clear();
      return;
    }
    const at = now();
    this.#tellMeters(await selectLiveHolds(db, account_ids), at);
    for (const { account_id, ...text } of await selectMessageStates(db, account_ids, at, TEXTS_MAX)) {
      if (this.#states.get(text.id) === text.state) continue;
      this.#states.set(text.id, text.state);
      this.#tellAccount(account_id, 'message', text);
    }
    this.#forgetOld(account_ids.length);
  }

  /** One that cannot be read, as of another version of the controller, keeps nobody's others away. */
  #tellMeters(holds: readonly LiveHold[], at: Date): void {
    const unmetered = new Set<string>();
    for (const hold of holds) {
      const meter = this.#meterOf(hold, at);
      if (meter === null) unmetered.add(hold.call_id);
      else this.#tellAccount(hold.account_id, 'call_meter', meter);
    }
    this.#unmetered = unmetered;
  }

  #meterOf(hold: LiveHold, at: Date): CallMeter | null {
    try {
      return meterOf(hold, at);
    } catch (error) {
      const { call_id } = hold;
      if (!this.#unmetered.has(call_id)) {
        this.#options.log.warn({ err: error, call_id }, 'a call cannot be metered for who listens; the others are');
      }
      return null;
    }
  }

  #tellAccount(account_id: string, type: string, facts: object): void {
    for (const listening of this.#listening) if (listening.account_id === account_id) tell(listening, type, facts);
  }

  /** Whatever is not among the newest is not told again. */
  #forgetOld(accounts: number): void {
    const kept_max = 2 * TEXTS_MAX * accounts;
    for (const id of this.#states.keys()) {
      if (this.#states.size <= kept_max) return;
      this.#states.delete(id);
    }
  }
}

export function tell(listening: Pick<Listening, 'stream'>, type: string, facts: object): void {
  write(listening, `event: ${type}\ndata: ${JSON.stringify(facts, amountsAsText)}\n\n`);
}

/** As everywhere in this API: JSON's numbers are not exact. */
const amountsAsText = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

/** Proxies end what is silent. */
const beat = (listening: Listening): void => write(listening, ': \n\n');

function write({ stream }: Pick<Listening, 'stream'>, text: string): void {
  if (stream.destroyed || stream.writableEnded) return;
  if (stream.writableLength > UNREAD_BYTES_MAX) stream.destroy();
  else stream.write(text);
}
