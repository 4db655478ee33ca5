import { createHash, randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import type pg from 'pg';
import { Outage } from '../../domain/db/batch.ts';
import type { DatabasePulse } from '../database_pulse.ts';
import { actorOf } from '../identity/identity.ts';
import type { Identity } from '../identity/identity.ts';
import { judge } from '../identity/policy.ts';
import type { Recogniser } from '../identity/recognise.ts';
import { claimRequest, forgetRequest, operationIdOf, rememberAnswer } from './idempotency.ts';
import type { Claim, KeyedRequest } from './idempotency.ts';
import { jsonText } from './json_text.ts';
import { pacedAddress } from './pacing.ts';
import type { Pacing } from './pacing.ts';
import { Problem } from './problem.ts';
import type { ProblemName } from './problem.ts';
import { readRequest } from './read_request.ts';
import type { LooseReply, Method, Route, RouteShape, Upload } from './route.ts';

export interface ServingOptions {
  db: pg.Pool;
  /** Rejects what waits for the database as soon as that is found to be away. */
  pulse: Pick<DatabasePulse, 'bounded'>;
  recogniser: Recogniser;
  pacing: Pacing;
  now: () => Date;
  step_up_ms: number;
  log: Logger;
  /** Whether an answer that is not as promised is refused: in tests, so that the document stays true. */
  check_answers: boolean;
  onAnswered: (operation_id: string, status: number, took_ms: number) => void;
  monotonic: () => number;
}

const ACTORS_MAX = 10_000;
const FREE_AGAIN_MS = 500;
const FREE_TRIES_MAX = 80;

const JUDGED: Readonly<Record<string, ProblemName>> = {
  sign_in_required: 'sign_in_required',
  not_permitted: 'not_permitted',
  step_up_required: 'step_up_required',
};

/** Who was let in to ask. */
interface Admitted {
  identity: Identity;
  address: string;
  at: Date;
  actor: string;
}

function admittedAs(response: Response): Admitted {
  const { admitted } = response.locals as { admitted?: Admitted };
  if (admitted === undefined) throw new Error('A request was answered before it was admitted.');
  return admitted;
}

/** Answers one route: who asks, whether they may, how often, what they say, once; then the handler, and what it answered. */
export class RouteServing {
  readonly #options: ServingOptions;
  /** Whose limits count for a credential, by its hash. */
  readonly #actors = new Map<string, string>();

  constructor(options: ServingOptions) {
    this.#options = options;
  }

  async serve(route: Route, request: Request, response: Response, file: Upload | undefined): Promise<void> {
    const { monotonic, onAnswered } = this.#options;
    const began_ms = monotonic();
    const request_id = requestIdOf(response);
    try {
      // What is done all the same, once the database is back, is told under the same key.
      const answered = this.#answer(route, request, response, file, request_id);
      const reply = await this.#options.pulse.bounded(answered, forgetReply);
      await send(response, reply);
    } catch (error) {
      this.refuse(response, error, request_id);
    } finally {
      onAnswered(route.shape.operation_id, response.statusCode, monotonic() - began_ms);
    }
  }

  /** Tells a problem as RFC 9457 has it; what was not expected is told as ours, and logged. */
  refuse(response: Response, error: unknown, request_id: string): void {
    const problem = problemOf(error);
    if (problem.status >= 500) this.#options.log.error({ err: error, request_id }, 'a request failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const { retry_after_seconds } = problem.facts;
    if (retry_after_seconds !== undefined) response.setHeader('retry-after', String(retry_after_seconds));
    response
      .status(problem.status)
      .type('application/problem+json')
      .send(JSON.stringify(problem.body(request_id)));
  }

  /**
   * Who asks, whether they may, and how often: before a byte of the body is read, so that whoever may not ask does not have files taken
   * in for him either; it is asked again when the body is there. False where the refusal was answered.
   */
  async admit({ shape }: Route, request: Request, response: Response): Promise<boolean> {
    try {
      (response.locals as { admitted?: Admitted }).admitted = await this.#options.pulse.bounded(
        this.#admitted(shape, request),
      );
      return true;
    } catch (error) {
      this.refuse(response, error, requestIdOf(response));
      this.#options.onAnswered(shape.operation_id, response.statusCode, 0);
      return false;
    }
  }

  async #admitted(shape: RouteShape, request: Request): Promise<Admitted> {
    const { pacing, now } = this.#options;
    const address = addressOf(request);
    const pace = shape.pace ?? (shape.method === 'get' ? 'read' : 'write');
    const credential = credentialOf(request);
    const known_actor = credential === null ? undefined : this.#actors.get(credential);
    const paced = pacedAddress(address);
    // One turn to Redis and back for all of it: whose a credential is stays what it was, once it was seen.
    const [, identity] = await Promise.all([
      pacing.take(pace, known_actor === undefined ? [paced] : [paced, known_actor]),
      this.#recognised(shape, request),
    ]);
    const at = now();
    this.#mustBePermitted(shape, identity, at);
    const actor = actorOf(identity, address);
    if (identity.kind !== 'anonymous' && actor !== known_actor) {
      await pacing.take(pace, [actor]);
      if (credential !== null) this.#remember(credential, actor);
    }
    return { identity, address, at, actor };
  }

  #recognised({ method }: RouteShape, request: Request): Promise<Identity> {
    return this.#options.recogniser.recognise({
      method,
      cookie: request.get('cookie'),
      authorization: request.get('authorization'),
      csrf_token: request.get('x-csrf-token'),
      origin: request.get('origin'),
    });
  }

  #mustBePermitted({ policy }: RouteShape, identity: Identity, at: Date): void {
    const judgement = judge(policy, identity, at.getTime(), this.#options.step_up_ms);
    if (judgement !== 'permitted') throw new Problem(JUDGED[judgement] ?? 'not_permitted');
  }

  /** Once the body is here, for which whoever asks may take a minute: what was revoked meanwhile, or has to be proven anew, counts. */
  async #stillAdmitted(shape: RouteShape, request: Request, response: Response): Promise<Admitted> {
    const admitted = { ...admittedAs(response), at: this.#options.now() };
    const has_body = shape.body !== undefined || shape.upload !== undefined || shape.raw === true;
    if (!has_body || admitted.identity.kind === 'anonymous') return admitted;
    const identity = await this.#recognised(shape, request);
    this.#mustBePermitted(shape, identity, admitted.at);
    return { ...admitted, identity };
  }

  #remember(credential: string, actor: string): void {
    // The oldest go first; whoever comes again is asked for again.
    for (const oldest of this.#actors.keys()) {
      if (this.#actors.size < ACTORS_MAX) break;
      this.#actors.delete(oldest);
    }
    this.#actors.set(credential, actor);
  }

  async #answer(
    { shape, handle }: Route,
    request: Request,
    response: Response,
    file: Upload | undefined,
    request_id: string,
  ): Promise<LooseReply> {
    const { identity, address, at, actor } = await this.#stillAdmitted(shape, request, response);
    const read = readRequest(shape, request, file);
    const keyed = keyedRequestOf(shape, request, actor, file);
    const { params, query, body, upload } = read;
    const asked = {
      ...{ params, query, body, upload, identity, address, request_id, now: at },
      user_agent: (request.get('user-agent') ?? '').slice(0, 300),
      headers: request.headers,
      raw: shape.raw === true ? (request.body as Buffer) : undefined,
      operation_id: keyed === null ? randomUUID() : operationIdOf(keyed.actor, keyed.key),
      version: versionOf(shape, request),
      // Made for whoever looks at it: streams do, and a signal that is aborted for everybody else costs more than their checks.
      get signal() {
        return goneSignal(response);
      },
    };
    const reply = await this.#once(keyed, alreadyDone(shape, request, asked.operation_id), at, () =>
      handle(asked as never),
    );
    // What is told again was checked when it was told first, and is text by now.
    const is_replay = reply.headers?.['idempotent-replay'] !== undefined;
    if (this.#options.check_answers && !is_replay) checkReply(shape, reply);
    return reply;
  }

  /** With a key, carried out once and answered the same again; where the answer was a secret, `already_done` is said instead. */
  async #once(
    keyed: KeyedRequest | null,
    already_done: Problem | null,
    now: Date,
    work: () => Promise<LooseReply>,
  ): Promise<LooseReply> {
    if (keyed === null) return work();
    const { db } = this.#options;
    const claim = await claimRequest(db, keyed, now);
    switch (claim.kind) {
      case 'answered':
        if (already_done !== null) throw already_done;
        return replayOf(claim);
      case 'conflict':
        throw new Problem('key_conflict', 'Use another key for another request.');
      case 'in_progress':
        throw new Problem('in_progress', 'Wait for its answer, or ask again in a minute.', { retry_after_seconds: 1 });
      case 'ours':
    }
    try {
      const reply = await work();
      const { status, body, version = null } = reply;
      await rememberAnswer(db, keyed, { status, body: already_done === null ? body : undefined, version });
      return reply;
    } catch (error) {
      // A refusal did nothing; after anything else it is not known, and the operation's own id keeps it from being done twice.
      await this.#free(keyed, now, FREE_TRIES_MAX);
      throw error;
    }
  }

  /** While the database is away it is tried again, but for less long than after which the key is free by itself. */
  async #free(keyed: KeyedRequest, begun_at: Date, tries_left: number): Promise<void> {
    try {
      await forgetRequest(this.#options.db, keyed, begun_at);
    } catch (lost) {
      if (tries_left > 1) setTimeout(() => void this.#free(keyed, begun_at, tries_left - 1), FREE_AGAIN_MS).unref();
      else this.#options.log.warn({ err: lost }, 'a key could not be freed, and is free again in a minute');
    }
  }
}

const replayOf = ({ status, body, version }: Extract<Claim, { kind: 'answered' }>): LooseReply => ({
  ...{ status, body: body ?? undefined, headers: { 'idempotent-replay': 'true' } },
  ...(version === null ? {} : { version }),
});

/** What is said to whoever asks again for an answer that held a secret: it was done, once, and where to go on from there. */
function alreadyDone({ secret_answer }: RouteShape, request: Request, operation_id: string): Problem | null {
  if (secret_answer === undefined) return null;
  const known: Readonly<Record<string, unknown>> = { ...request.params, operation_id };
  const pathOf = (template: string): string =>
    template.replaceAll(/\{([a-z_]+)\}/gu, (_, name: string) => encodeURIComponent(String(known[name])));
  const found_at = pathOf(secret_answer.found_at);
  const words = `It was done under this key, once, and its secret was shown then and is kept nowhere. What was made is at ${found_at}.`;
  if (secret_answer.new_secret_at === null) return new Problem('already_done', words, { found_at });
  const new_secret_at = pathOf(secret_answer.new_secret_at);
  const more = ` If the secret was lost, ask for another by POST ${new_secret_at} under a new key.`;
  return new Problem('already_done', `${words}${more}`, { found_at, new_secret_at });
}

function keyedRequestOf(
  shape: RouteShape,
  request: Request,
  actor: string,
  file: Upload | undefined,
): KeyedRequest | null {
  if (shape.idempotent !== true) return null;
  const key = request.get('idempotency-key');
  if (key === undefined) {
    throw new Problem(
      'key_required',
      'Send the header Idempotency-Key with a new UUID for each thing that you want done.',
    );
  }
  if (!/^[\x21-\x7e]{8,200}$/u.test(key)) {
    throw new Problem('invalid', 'Idempotency-Key is 8 to 200 letters, digits and signs, such as a UUID.');
  }
  const content = createHash('sha256').update(JSON.stringify([request.path, request.query, request.body ?? null]));
  if (file !== undefined) content.update(file.bytes);
  return { actor, key, route: shape.operation_id, content_sha256: content.digest('hex') };
}

function versionOf(shape: RouteShape, request: Request): number | null {
  if (shape.versioned !== true) return null;
  const [, version] = /^"(\d{1,9})"$/u.exec(request.get('if-match') ?? '') ?? [];
  if (version === undefined) {
    throw new Problem('version_required', 'Send the header If-Match with the ETag of what you saw.');
  }
  return Number(version);
}

async function send(response: Response, { status, body, bytes, headers, version, cookies }: LooseReply): Promise<void> {
  response.status(status).setHeader('cache-control', 'no-store');
  if (version !== undefined) response.setHeader('etag', `"${version}"`);
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
  if (cookies !== undefined) response.setHeader('set-cookie', [...cookies]);
  if (bytes === undefined) {
    if (body === undefined) response.end();
    else response.type('application/json').send(jsonText(body));
  } else if (Buffer.isBuffer(bytes)) {
    response.send(bytes);
  } else if (response.req.method === 'HEAD') {
    // Express asks for it as for GET, and what never ends would keep the connection for good.
    bytes.destroy();
    response.end();
  } else {
    response.flushHeaders();
    await pipe(bytes, response);
  }
}

/** Whoever listens may leave at any moment, which is no failure. */
async function pipe(bytes: Readable, response: Response): Promise<void> {
  try {
    await pipeline(bytes, response);
  } catch (error) {
    if (!response.destroyed) throw error;
  }
}

/** Nobody waits for it any more. */
function forgetReply({ bytes }: LooseReply): void {
  if (bytes !== undefined && !Buffer.isBuffer(bytes)) bytes.destroy();
}

/** Throws where a reply is not as its route promises. */
function checkReply(shape: RouteShape, reply: LooseReply): void {
  const answer = shape.answers[reply.status];
  if (answer === undefined)
    throw new Error(`${shape.operation_id} answered ${reply.status}, which it does not promise.`);
  if ('json' in answer) answer.json.parse(reply.body);
}

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { status, type } = error as { status?: unknown; type?: unknown };
  if (type === 'entity.too.large' || status === 413) return new Problem('too_large');
  if (type === 'encoding.unsupported' || type === 'charset.unsupported' || status === 415)
    return new Problem('unsupported');
  if (status === 400 || type === 'entity.verify.failed') return new Problem('malformed');
  if (isAway(error)) {
    return new Problem('unavailable', 'Ask again in a moment, under the same idempotency key: nothing is done twice.', {
      retry_after_seconds: 2,
    });
  }
  return new Problem('internal', 'It was logged under this request’s id. Ask again later, or tell support the id.');
}

/** Postgres or Redis does not answer. An error without an SQLSTATE is only then the connection's when it came out of one. */
function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof Outage) return true;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string') return Outage.is(error);
  return /terminat|timeout exceeded|read timeout|client is (closed|offline)|socket closed|ended/iu.test(error.message);
}

/** The hash of what somebody shows to be let in; null where nothing is shown. */
function credentialOf(request: Request): string | null {
  const shown = request.get('authorization') ?? request.get('cookie');
  return shown === undefined ? null : createHash('sha256').update(shown).digest('base64');
}

function goneSignal(response: Response): AbortSignal {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  return gone.signal;
}

export function requestIdOf(response: Response): string {
  return (response.locals as { request_id: string }).request_id;
}

/** Behind a proxy that is trusted, Express takes the address from its header. */
export function addressOf(request: Request): string {
  const { ip } = request;
  return (ip !== undefined && isIP(ip) !== 0 ? ip : request.socket.remoteAddress) ?? 'unknown';
}

export const isMethod = (method: string): method is Method =>
  ['get', 'post', 'put', 'patch', 'delete'].includes(method);
export type { Identity };
