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
  strip(told);
  return told;
}

/** Of this one and of all that caused it or came with it, however deep. The serializer has made copies, and cut circles. */
function strip(told: unknown): void {
  if (typeof told !== 'object' || told === null) return;
  for (const name of VALUES_OF_AN_ERROR) Reflect.deleteProperty(told, name);
  if ('cause' in told) strip(told.cause);
  if ('aggregateErrors' in told && Array.isArray(told.aggregateErrors)) told.aggregateErrors.forEach(strip);
}
