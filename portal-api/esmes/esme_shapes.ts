import { z } from 'zod';
import { network } from '../desk/carriers/peer_address.ts';
import { instantOut, uuid } from '../http/fields.ts';

export const systemId = z.string().regex(/^[A-Za-z0-9_-]{3,15}$/u);

/** What is set of an ESME at the desk. */
export const esmeSettings = z.strictObject({
  enabled: z.boolean().default(true),
  /** Connections at a time. */
  binds_max: z.int().min(1).max(100).default(4),
  /** Requests of one bind without an answer, in either direction. */
  window_max: z.int().min(1).max(1000).default(100),
  /** Of all its binds together. */
  texts_per_second_max: z.int().min(1).max(100_000).default(100),
  /** From where it may bind; null: from anywhere. */
  allowed_addresses: z.array(network).min(1).max(50).nullable().default(null),
  /** The digits that numbers begin with whose texts it is given; null: all of the account's. */
  address_range: z
    .string()
    .regex(/^[0-9]{1,15}$/u)
    .nullable()
    .default(null),
  tls_required: z.boolean().default(true),
  /** What its texts are where their priority does not say so. */
  default_class: z.enum(['normal', 'bulk']).default('normal'),
  /** What becomes of a text of which nobody knows whether a carrier has it. */
  on_doubt: z.enum(['resend', 'hold']).default('resend'),
});

export const esmeShape = z
  .object({
    system_id: z.string(),
    account_id: uuid,
    enabled: z.boolean(),
    binds_max: z.int(),
    window_max: z.int(),
    texts_per_second_max: z.int(),
    allowed_addresses: z.array(z.string()).nullable(),
    address_range: z.string().nullable(),
    tls_required: z.boolean(),
    default_class: z.enum(['normal', 'bulk']),
    on_doubt: z.enum(['resend', 'hold']),
    created_at: instantOut,
    version: z.int(),
  })
  .meta({ id: 'Esme' });

export const withPassword = esmeShape.extend({ password: z.string() });

export type EsmeSettings = z.output<typeof esmeSettings>;
export type EsmeTold = z.input<typeof esmeShape>;
