import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { ADMIN_ROLES } from '../identity/identity.ts';
import type { Operation, ReadDocument } from './operations.ts';
import { makeAdmin, makeUser } from './people.ts';
import type { PortalClient, Reply } from './portal_client.ts';
import type { PortalWorld } from './portal_world.ts';
import { Promised } from './promised.ts';
import { valueOf } from './schema_arbitrary.ts';

export interface FuzzResult {
  requests: number;
  /** How often each status was answered. */
  statuses: Readonly<Record<number, number>>;
  /** Operations that never got past their checks: how often each answered 2xx. */
  succeeded: Readonly<Record<string, number>>;
  /** Answers that the document does not promise, and failures of ours. */
  complaints: readonly string[];
}

const ABOUT_IDS = 40;

/** Asks every operation of the document, by values made of its schemas, as a customer, an admin and nobody. */
export async function fuzz(
  world: PortalWorld,
  document: ReadDocument,
  { requests, seed, onProgress }: { requests: number; seed: number; onProgress?: (done: number) => void },
): Promise<FuzzResult> {
  const promised = new Promised(document);
  const user = await makeUser(world, { balance_micros: 1_000_000_000n });
  const admin = await makeAdmin(world, [...ADMIN_ROLES]);
  const ids: string[] = [user.account_id, user.user_id, admin.user_id];
  const signers = [() => user.signIn(), () => admin.signIn(), () => Promise.resolve(world.client())];
  const askers: PortalClient[] = await Promise.all(signers.map((signer) => signer()));
  const statuses: Record<number, number> = {};
  const succeeded: Record<string, number> = Object.fromEntries(document.operations.map((one) => [one.operation_id, 0]));
  const complaints = new Map<string, string>();
  const each = Math.ceil(requests / document.operations.length);
  let done = 0;
  for (const [n, operation] of document.operations.entries()) {
    if (isEndless(operation)) continue;
    const inputs = fc.sample(
      requestOf(operation, document, () => ids),
      { numRuns: each, seed: seed + n },
    );
    for (const [turn, input] of inputs.entries()) {
      const which = whoAsks(operation, turn);
      const client = askers[which] ?? world.client();
      const reply = await ask(client, operation, input);
      statuses[reply.status] = (statuses[reply.status] ?? 0) + 1;
      if (reply.status < 300) succeeded[operation.operation_id] = (succeeded[operation.operation_id] ?? 0) + 1;
      rememberIds(reply.body, ids);
      const complaint =
        reply.status >= 500 ? `${reply.status} ${JSON.stringify(reply.body)}` : promised.complaint(operation, reply);
      // One of a kind is enough to look for its cause.
      const kind = `${operation.operation_id} ${reply.status}`;
      if (complaint !== null && !complaints.has(kind)) {
        complaints.set(
          kind,
          `${operation.operation_id} asked with ${JSON.stringify(input)}: ${complaint}`.slice(0, 1_500),
        );
      }
      // Signed out, suspended or forgotten by what it asked for: it comes again.
      if (reply.status === 401) askers[which] = await (signers[which]?.() ?? Promise.resolve(world.client()));
      done += 1;
      if (done % 500 === 0) onProgress?.(done);
    }
  }
  return { requests: done, statuses, succeeded, complaints: [...complaints.values()] };
}

/** Streams end when whoever listens leaves. */
const isEndless = ({ answers }: Operation): boolean => Object.keys(answers['200'] ?? {}).includes('text/event-stream');

/** Mostly somebody who may. */
function whoAsks({ policy }: Operation, turn: number): number {
  if (turn % 10 === 9) return turn % 3;
  if (policy.customer !== undefined) return 0;
  return policy.admin !== undefined ? 1 : 2;
}

interface Input {
  path: Record<string, unknown>;
  query: Record<string, unknown>;
  body: unknown;
  version: number;
}

function requestOf(
  { path_parameters, query_parameters, body }: Operation,
  { components }: ReadDocument,
  ids: () => readonly string[],
): fc.Arbitrary<Input> {
  const known = fc.nat().map((n) => ids()[n % ids().length] ?? '');
  const paths = path_parameters.map(({ name, schema }) => {
    const value = schema.format === 'uuid' ? fc.oneof(known, valueOf(schema, components)) : valueOf(schema, components);
    return [name, value] as const;
  });
  const queries = query_parameters.map(
    ({ name, schema }) => [name, fc.option(valueOf(schema, components), { nil: undefined, freq: 2 })] as const,
  );
  return fc.record({
    path: fc.record(Object.fromEntries(paths)),
    query: fc.record(Object.fromEntries(queries)),
    body: body === null ? fc.constant(undefined) : valueOf(body.schema, components),
    version: fc.constantFrom(1, 1, 1, 2, 7),
  });
}

async function ask(client: PortalClient, operation: Operation, { path, query, body, version }: Input): Promise<Reply> {
  const filled = operation.path.replaceAll(
    /\{([a-z_]+)\}/gu,
    (_, name: string) => encodeURIComponent(wellFormed(textOf(path[name]))) || '-',
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.append(name, wellFormed(textOf(value)));
  }
  const target = search.size === 0 ? filled : `${filled}?${search.toString()}`;
  const wishes = { version, idempotency_key: randomUUID() };
  if (operation.body?.is_form === true) return client.ask(operation.method, target, { ...wishes, form: formOf(body) });
  return client.ask(operation.method, target, operation.body === null ? wishes : { ...wishes, body: body ?? null });
}

const textOf = (value: unknown): string => {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
};

/** Half a surrogate pair is none of the characters that a URL can hold. */
const wellFormed = (text: string): string => text.replaceAll(/\p{Cs}/gu, '\ufffd').slice(0, 300);

function formOf(body: unknown): FormData {
  const form = new FormData();
  if (typeof body !== 'object' || body === null) return form;
  for (const [name, value] of Object.entries(body)) {
    if (name === 'file') form.append('file', new Blob([textOf(value)]), 'a file.jpg');
    else if (value !== undefined) form.append(name, textOf(value));
  }
  return form;
}

function rememberIds(body: unknown, ids: string[]): void {
  const waiting: unknown[] = [body];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next === 'string' && /^[0-9a-f]{8}-[0-9a-f-]{27}$/u.test(next)) {
      ids.push(next);
      if (ids.length > ABOUT_IDS) ids.splice(3, 1);
    } else if (typeof next === 'object' && next !== null) waiting.push(...(Object.values(next) as unknown[]));
  }
}
