import fc from 'fast-check';

/** A JSON Schema as far as the document of this API uses it. */
export interface JsonSchema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  pattern?: string;
  format?: string;
}

export type Components = Readonly<Record<string, JsonSchema>>;

/** What nobody expects: the wrong type, the far end of a range, what means something to SQL, HTML, a shell or a path. */
const hostile: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    ...[
      null,
      true,
      0,
      -1,
      1e308,
      2 ** 53,
      '',
      ' ',
      '\0',
      '\u202e',
      '\ud800',
      '%00',
      '../../../../etc/passwd',
      `' or 1=1 --`,
    ],
    ...['<script>alert(1)</script>', '${7*7}', '{{7*7}}', '$(id)', 'a'.repeat(5_000), '１２３', '𝕏', [], {}, [[]]],
    ...['__proto__', 'constructor', { __proto__: { admin: true } }, '1e999', 'NaN', '-0', '9223372036854775808'],
  ),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.jsonValue({ maxDepth: 3 }),
);

/** Mostly what the schema allows, now and then what it does not. */
export function valueOf(schema: JsonSchema, components: Components, depth = 0): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 9, arbitrary: allowedBy(schema, components, depth) }, { weight: 1, arbitrary: hostile });
}

function allowedBy(schema: JsonSchema, components: Components, depth: number): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) {
    return allowedBy(components[schema.$ref.split('/').at(-1) ?? ''] ?? {}, components, depth);
  }
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return fc.oneof(...choices.map((one) => allowedBy(one, components, depth)));
  if (schema.allOf !== undefined) return allowedBy(merged(schema.allOf), components, depth);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type) {
    case 'object':
      return objectOf(schema, components, depth);
    case 'array':
      return fc.array(valueOf(schema.items ?? {}, components, depth + 1), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 4, (schema.minItems ?? 0) + 4),
      });
    case 'string':
      return textOf(schema);
    case 'integer':
      return fc.integer({ min: bounded(schema.minimum, -1_000), max: bounded(schema.maximum, 100_000) });
    case 'number':
      return fc.double({ min: schema.minimum ?? -1e6, max: schema.maximum ?? 1e6, noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return depth > 3 ? fc.constant(null) : fc.jsonValue({ maxDepth: 2 });
  }
}

const bounded = (value: number | undefined, otherwise: number): number =>
  value === undefined || !Number.isSafeInteger(value) || Math.abs(value) > 2 ** 31 - 1 ? otherwise : value;

function merged(parts: readonly JsonSchema[]): JsonSchema {
  return {
    type: 'object',
    properties: Object.assign({}, ...parts.map(({ properties }) => properties ?? {})) as Record<string, JsonSchema>,
    required: parts.flatMap(({ required }) => required ?? []),
  };
}

function objectOf(schema: JsonSchema, components: Components, depth: number): fc.Arbitrary<unknown> {
  const required = new Set(schema.required ?? []);
  const fields = Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([name, inner]) => {
      const value = valueOf(inner, components, depth + 1);
      const absent = fc.constant(undefined);
      const weights = required.has(name) ? { there: 30, absent: 1 } : { there: 1, absent: 1 };
      return [
        name,
        fc.oneof({ weight: weights.there, arbitrary: value }, { weight: weights.absent, arbitrary: absent }),
      ];
    }),
  );
  return fc.record(fields);
}

function textOf({ format, pattern, minLength = 0, maxLength = 40 }: JsonSchema): fc.Arbitrary<unknown> {
  if (format === 'uuid') return fc.uuid();
  if (format === 'date-time') return instant.map((date) => date.toISOString());
  if (format === 'date') return instant.map((date) => date.toISOString().slice(0, 10));
  if (format === 'email') return fc.emailAddress();
  if (format === 'uri') return fc.webUrl();
  if (pattern !== undefined) {
    try {
      return fc.stringMatching(new RegExp(pattern, 'u'));
    } catch {
      // A pattern with what the generator does not know is left to chance.
      return fc.string({ maxLength: 40 });
    }
  }
  return fc.string({ minLength: Math.min(minLength, 200), maxLength: Math.min(Math.max(maxLength, minLength), 200) });
}

const instant = fc.date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
