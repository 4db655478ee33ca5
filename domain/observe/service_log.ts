import { pino, stdSerializers } from 'pino';
import type { DestinationStream, Logger } from 'pino';

/**
 * What Postgres tells of a refusal beside its message and its code: the key that is there twice, the whole row that broke a rule, the
 * line that could not be read. All of it is values, and most values are somebody's.
 */
const VALUES_OF_AN_ERROR = ['detail', 'where', 'hint', 'query', 'internalQuery', 'parameters'];

export interface ServiceLogOptions {
  service: string;
  level: string;
  /** Standard output by default. */
  destination?: DestinationStream;
}

/** The log of one service: a JSON object a line, with its errors but without the values that they were about. */
export function serviceLog({ service, level, destination }: ServiceLogOptions): Logger {
  const options = { level, base: { service }, serializers: { err: withoutValues } };
  return destination === undefined ? pino(options) : pino(options, destination);
}

function withoutValues(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const told = stdSerializers.errWithCause(error);
  for (const one of [told, told.cause, ...aggregated(told)]) {
    if (typeof one === 'object' && one !== null)
      for (const name of VALUES_OF_AN_ERROR) Reflect.deleteProperty(one, name);
  }
  return told;
}

function aggregated(told: object): readonly unknown[] {
  const errors: unknown = 'aggregateErrors' in told ? told.aggregateErrors : undefined;
  return Array.isArray(errors) ? errors : [];
}
