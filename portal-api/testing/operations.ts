import type { Components, JsonSchema } from './schema_arbitrary.ts';

export interface Operation {
  method: string;
  path: string;
  operation_id: string;
  policy: { anyone?: true; customer?: string[]; admin?: string[]; api_key?: string; step_up?: true };
  path_parameters: readonly Parameter[];
  query_parameters: readonly Parameter[];
  /** Null: takes none. */
  body: { schema: JsonSchema; is_form: boolean } | null;
  /** The type and the schema of each answer, by its status. */
  answers: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>;
}

export interface Parameter {
  name: string;
  schema: JsonSchema;
}

export interface ReadDocument {
  operations: readonly Operation[];
  components: Components;
}

interface RawOperation {
  operationId: string;
  'x-policy'?: Operation['policy'];
  parameters?: { name: string; in: string; schema: JsonSchema }[];
  requestBody?: { content: Record<string, { schema: JsonSchema }> };
  responses: Record<string, { content?: Record<string, { schema: JsonSchema }> }>;
}

/** The operations of an OpenAPI document of this API, as a test asks them. */
export function readDocument(document: {
  paths: Record<string, Record<string, unknown>>;
  components?: { schemas?: Record<string, unknown> };
}): ReadDocument {
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => operationOf(path, method, operation as RawOperation)),
  );
  return { operations, components: (document.components?.schemas ?? {}) as Components };
}

function operationOf(path: string, method: string, raw: RawOperation): Operation {
  const parameters = (where: string): Parameter[] =>
    (raw.parameters ?? []).filter((one) => one.in === where).map(({ name, schema }) => ({ name, schema }));
  const [type, content] = Object.entries(raw.requestBody?.content ?? {})[0] ?? [];
  if (raw['x-policy'] === undefined) throw new Error(`${raw.operationId} declares no policy.`);
  return {
    ...{ method: method.toUpperCase(), path, operation_id: raw.operationId, policy: raw['x-policy'] },
    path_parameters: parameters('path'),
    query_parameters: parameters('query'),
    body: content === undefined ? null : { schema: content.schema, is_form: type === 'multipart/form-data' },
    answers: Object.fromEntries(
      Object.entries(raw.responses).map(([status, response]) => [
        status,
        Object.fromEntries(Object.entries(response.content ?? {}).map(([name, { schema }]) => [name, schema])),
      ]),
    ),
  };
}
