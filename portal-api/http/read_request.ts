import type { Request } from 'express';
import { z } from 'zod';
import { Problem } from './problem.ts';
import type { RouteShape, Upload } from './route.ts';

/** How deep JSON may be nested: nothing here needs more, and readers of trees have stacks. */
const DEPTH_MAX = 12;

export interface ReadRequest {
  params: unknown;
  query: unknown;
  body: unknown;
  upload: (Upload & { fields: unknown }) | undefined;
}

/** What a request says, checked by the shape of its route. Throws the problem that says which fields are wrong and why. */
export function readRequest(shape: RouteShape, request: Request, file: Upload | undefined): ReadRequest {
  const errors: { path: string; message: string }[] = [];
  const read = (where: string, schema: z.ZodType | undefined, value: unknown): unknown => {
    if (schema === undefined) return undefined;
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    errors.push(
      ...parsed.error.issues.map(({ path, message }) => ({ path: [where, ...path.map(String)].join('.'), message })),
    );
    return undefined;
  };
  const sent: unknown = request.body;
  if (depthOf(sent) > DEPTH_MAX) throw new Problem('malformed', `JSON is nested at most ${DEPTH_MAX} deep here.`);
  const params = read('path', shape.params, { ...request.params });
  const query = read('query', queryOf(shape), { ...request.query });
  const fields = read('form', shape.upload?.fields, sent ?? {});
  const body = shape.raw === true ? undefined : read('body', shape.body, sent);
  if (shape.upload !== undefined && file === undefined) errors.push({ path: 'form.file', message: 'a file is needed' });
  if (errors.length > 0) {
    // An id that cannot be one stands for nothing that is here.
    if (errors.every(({ path }) => path.startsWith('path.'))) throw new Problem('not_found');
    throw new Problem('invalid', 'The fields below are wrong. Correct them and ask again.', {
      errors: errors.slice(0, 50),
    });
  }
  return { params, query, body, upload: file === undefined ? undefined : { ...file, fields } };
}

const queries = new WeakMap<RouteShape, z.ZodType>();

/** What somebody misspells is told, instead of being taken for a wish for everything. Made once, as zod compiles each schema. */
function queryOf(shape: RouteShape): z.ZodType {
  const known = queries.get(shape) ?? shape.query?.strict() ?? z.strictObject({});
  queries.set(shape, known);
  return known;
}

function depthOf(value: unknown): number {
  let deepest = 0;
  const waiting: [unknown, number][] = [[value, 0]];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [inner, depth] = next;
    deepest = Math.max(deepest, depth);
    if (deepest > DEPTH_MAX || typeof inner !== 'object' || inner === null) continue;
    for (const child of Object.values(inner)) waiting.push([child, depth + 1]);
  }
  return deepest;
}
