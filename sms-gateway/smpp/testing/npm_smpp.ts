import { createRequire } from 'node:module';

/** The part of the npm package `smpp` that tests and benchmarks use; it has no types of its own. */
export interface NpmPdu {
  command: string;
  command_id: number;
  command_status: number;
  sequence_number: number;
  toBuffer(): Buffer;
  [field: string]: unknown;
}

interface NpmSmpp {
  PDU: new (command: string | Buffer, fields?: Readonly<Record<string, unknown>>) => NpmPdu;
}

/** An independent implementation of SMPP, as the oracle and the measure of ours. */
export const npmSmpp = createRequire(import.meta.url)('smpp') as NpmSmpp;
