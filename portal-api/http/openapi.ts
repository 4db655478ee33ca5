import { createDocument } from 'zod-openapi';
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject, ZodOpenApiResponsesObject } from 'zod-openapi';
import { z } from 'zod';
import type { Policy } from '../identity/policy.ts';
import { PROBLEMS, problemSchema } from './problem.ts';
import type { ProblemName } from './problem.ts';
import type { Answer, Route, RouteShape } from './route.ts';

export type OpenapiDocument = ReturnType<typeof createDocument>;

/** The OpenAPI 3.1 document of these routes, made of the schemas that check the requests. */
export function openapiDocument(routes: readonly Route[], version: string): OpenapiDocument {
  const paths: ZodOpenApiPathsObject = {};
  for (const { shape } of routes) {
    paths[shape.path] = { ...paths[shape.path], [shape.method]: operationOf(shape) };
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Letsdial',
      version,
      description:
        'Accounts, identity, numbers and money of a virtual-number operator. Errors are problem details (RFC 9457).',
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: 'letsdial_session' },
        api_key: { type: 'http', scheme: 'bearer' },
      },
    },
  });
}

function operationOf(shape: RouteShape): ZodOpenApiOperationObject {
  const headers = headersOf(shape);
  const operation: ZodOpenApiOperationObject & { 'x-policy': Policy } = {
    operationId: shape.operation_id,
    summary: shape.summary,
    tags: [shape.tag],
    security: securityOf(shape.policy),
    'x-policy': shape.policy,
    requestParams: {
      ...(shape.params === undefined ? {} : { path: shape.params }),
      ...(shape.query === undefined ? {} : { query: shape.query }),
      ...(headers === null ? {} : { header: headers }),
    },
    responses: { ...answersOf(shape), ...problemsOf(shape) },
  };
  const content = contentOf(shape);
  return content === null ? operation : { ...operation, requestBody: { required: true, content } };
}

function contentOf(shape: RouteShape): Record<string, { schema: z.ZodType }> | null {
  if (shape.raw === true) return { 'application/json': { schema: z.unknown() } };
  if (shape.upload !== undefined) {
    const file = z.string().meta({ override: { type: 'string', format: 'binary' } });
    return { 'multipart/form-data': { schema: shape.upload.fields.extend({ file }) } };
  }
  return shape.body === undefined ? null : { 'application/json': { schema: shape.body } };
}

function headersOf(shape: RouteShape): z.ZodObject | null {
  const headers: Record<string, z.ZodType> = {};
  if (shape.idempotent === true) headers['Idempotency-Key'] = z.string().min(8).max(200);
  if (shape.versioned === true) headers['If-Match'] = z.string().regex(/^"\d{1,9}"$/u);
  return Object.keys(headers).length === 0 ? null : z.object(headers);
}

function securityOf(policy: Policy): Record<string, string[]>[] {
  const ways: Record<string, string[]>[] = [];
  if (policy.anyone === true) ways.push({});
  if (policy.customer !== undefined || policy.admin !== undefined) ways.push({ session: [] });
  if (policy.api_key !== undefined) ways.push({ api_key: [] });
  return ways;
}

function answersOf({ answers }: RouteShape): ZodOpenApiResponsesObject {
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => [
      status,
      { description: answer.description, ...answerContent(answer) },
    ]),
  );
}

function answerContent(answer: Answer): { content?: Record<string, { schema: z.ZodType }> } {
  if ('json' in answer) return { content: { 'application/json': { schema: answer.json } } };
  if ('media' in answer) return { content: { [answer.media]: { schema: z.string() } } };
  return {};
}

/** Beside what a route names: what may happen to any request. */
function problemNames(shape: RouteShape): readonly ProblemName[] {
  const names: ProblemName[] = ['malformed', 'invalid', 'not_found', 'too_many', 'internal', 'unavailable'];
  if (shape.policy.anyone !== true) names.push('sign_in_required', 'not_permitted');
  else names.push('sign_in_required');
  if (shape.policy.step_up === true) names.push('step_up_required');
  if (shape.method !== 'get') names.push('cross_site');
  if (shape.idempotent === true) names.push('key_conflict', 'in_progress', 'key_required');
  if (shape.secret_answer !== undefined) names.push('already_done');
  if (shape.versioned === true) names.push('version_conflict', 'version_required');
  if (shape.body !== undefined || shape.upload !== undefined || shape.raw === true)
    names.push('too_large', 'unsupported');
  return [...names, ...(shape.problems ?? [])];
}

function problemsOf(shape: RouteShape): ZodOpenApiResponsesObject {
  const by_status = new Map<number, string[]>();
  for (const name of new Set(problemNames(shape))) {
    const [status, title] = PROBLEMS[name];
    by_status.set(status, [...(by_status.get(status) ?? []), `\`${name}\`: ${title}`]);
  }
  return Object.fromEntries(
    [...by_status].map(([status, lines]) => [
      String(status),
      { description: lines.join(' '), content: { 'application/problem+json': { schema: problemSchema } } },
    ]),
  );
}
