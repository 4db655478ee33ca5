import type { Readable } from 'node:stream';
import { z } from 'zod';
import type { Identity } from '../identity/identity.ts';
import type { Policy } from '../identity/policy.ts';
import type { ProblemName } from './problem.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/**
 * How often whoever asks may: `read` and `write` as anybody works, `guess` where a secret could be guessed or somebody be bothered,
 * `costly` for what takes a second of a processor.
 */
export type Pace = 'read' | 'write' | 'guess' | 'costly';

/** A file that was sent, checked for its size only. */
export interface Upload {
  bytes: Buffer;
  /** As the sender calls it; never a path of ours. */
  name: string;
}

/** What an answer has beside JSON: a file, or events for as long as somebody listens. */
export type Media = 'application/pdf' | 'image/jpeg' | 'text/event-stream' | 'text/csv' | 'text/html' | 'audio/wav';

export type Answer = { description: string } & ({ json: z.ZodType } | { media: Media } | { empty: true });

type Params = z.ZodObject;

/** Paths as they are asked, with the request's own parameters and `{operation_id}`, the id of what was made, in braces. */
export interface SecretAnswer {
  /** Where what was made is to be seen, without its secret. */
  found_at: string;
  /** Where another secret takes the place of one that was lost; null where that cannot be had. */
  new_secret_at: string | null;
}

export interface RouteShape {
  method: Method;
  /** As in OpenAPI: `/v1/devices/{device_id}`. */
  path: `/${string}`;
  /** Unique, lower case with underscores; names the method of generated clients. */
  operation_id: string;
  summary: string;
  tag: string;
  policy: Policy;
  pace?: Pace;
  params?: Params;
  query?: Params;
  body?: z.ZodType;
  /** A file of at most so many bytes instead of a body, with fields beside it. */
  upload?: { bytes_max: number; fields: Params };
  /** Whether an idempotency key is asked for: everything that makes or moves something. */
  idempotent?: true;
  /** Where the answer holds a secret, which is shown once and kept nowhere: asked for again under its key, it is said that it was done. */
  secret_answer?: SecretAnswer;
  /** Whether If-Match is asked for: everything that edits what has an ETag. */
  versioned?: true;
  /** The bytes as they came, for signatures over them; `body` is left out then. */
  raw?: true;
  answers: Readonly<Record<number, Answer>>;
  /** Beside those of every route. */
  problems?: readonly ProblemName[];
}

type Out<T, Otherwise> = T extends z.ZodType ? z.output<T> : Otherwise;

/** What a handler is given: everything parsed, and everything that is not the request's own passed in. */
export interface Asked<S extends RouteShape> {
  params: Out<S['params'], undefined>;
  query: Out<S['query'], undefined>;
  body: Out<S['body'], undefined>;
  upload: S['upload'] extends { fields: infer F } ? Upload & { fields: Out<F, undefined> } : undefined;
  raw: S['raw'] extends true ? Buffer : undefined;
  identity: Identity;
  /** The network address of whoever asks. */
  address: string;
  user_agent: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  request_id: string;
  /** Made of the idempotency key where there is one: what a request makes carries it, so that it is made once. */
  operation_id: string;
  /** Of If-Match; null where it was not asked for. */
  version: number | null;
  now: Date;
  /** Aborted when whoever asks is gone. */
  signal: AbortSignal;
}

interface Beside {
  headers?: Readonly<Record<string, string>>;
  /** Told as an ETag. */
  version?: number;
  /** Set-Cookie lines. */
  cookies?: readonly string[];
}

type ReplyOf<Status, A> = A extends { json: infer T extends z.ZodType }
  ? { status: Status; body: z.input<T> } & Beside
  : A extends { media: Media }
    ? { status: Status; bytes: Buffer | Readable } & Beside
    : { status: Status } & Beside;

export type Reply<S extends RouteShape> = {
  [Status in keyof S['answers']]: ReplyOf<Status, S['answers'][Status]>;
}[keyof S['answers']];

/** A route with its handler, its types forgotten: what the server mounts and the document tells. */
export interface Route {
  shape: RouteShape;
  handle: (asked: never) => Promise<LooseReply>;
}

export interface LooseReply extends Beside {
  status: number;
  body?: unknown;
  bytes?: Buffer | Readable;
}

/** Binds a handler to the shape of its route; it is given what the shape reads and answers nothing that the shape does not promise. */
export function route<const S extends RouteShape, const R extends Reply<S>>(
  shape: S,
  handle: (asked: Asked<S>) => Promise<R>,
): Route {
  return { shape, handle: handle as unknown as Route['handle'] };
}
