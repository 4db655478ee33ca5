import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { Operation, ReadDocument } from './operations.ts';
import type { Reply } from './portal_client.ts';

/** Says of answers whether they are what the document promises, by a reader of JSON Schema that is none of ours. */
export class Promised {
  readonly #ajv: Ajv2020;
  readonly #validators = new Map<string, ValidateFunction>();

  constructor({ components }: ReadDocument) {
    this.#ajv = new Ajv2020({ strict: false, allErrors: false });
    addFormats.default(this.#ajv);
    this.#ajv.addSchema({ $id: 'doc:', components: { schemas: components } });
  }

  /** Null where it is; else what is not. */
  complaint(operation: Operation, reply: Reply): string | null {
    const answer = operation.answers[String(reply.status)];
    if (answer === undefined)
      return `answers ${reply.status}, which it does not promise: ${JSON.stringify(reply.body)}`;
    const type = reply.headers.get('content-type')?.split(';')[0] ?? '';
    const [promised, schema] = Object.entries(answer)[0] ?? [];
    if (promised === undefined || schema === undefined) return null;
    if (answer[type] === undefined) return `answers ${type} where it promises ${promised}`;
    if (!type.includes('json')) return null;
    const key = `${operation.operation_id} ${reply.status}`;
    let validate = this.#validators.get(key);
    if (validate === undefined) {
      const text = JSON.stringify(answer[type]).replaceAll('"#/components/', '"doc:#/components/');
      validate = this.#ajv.compile(JSON.parse(text) as object);
      this.#validators.set(key, validate);
    }
    if (validate(reply.body)) return null;
    return `${reply.status}: ${this.#ajv.errorsText(validate.errors)} in ${JSON.stringify(reply.body).slice(0, 500)}`;
  }
}
