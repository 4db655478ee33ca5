import { z } from 'zod';
import { bindShape } from './bind_shapes.ts';

export const carrierId = z.coerce.number().int().min(1).max(2_147_483_647);
export const carrierParams = z.object({ carrier_id: carrierId });

/** Names of both kinds stand in the switch's dial strings and in the gateway's log. */
export const trunkId = z.string().regex(/^trunk-[a-z0-9-]{1,34}$/u);

export const trunkShape = z
  .object({
    trunk_id: z.string(),
    carrier_id: z.int(),
    host: z.string(),
    port: z.int(),
    transport: z.enum(['udp', 'tcp', 'tls']),
    /** In the From of what we send; null: our own address. */
    from_domain: z.string().nullable(),
    /** By which we answer where the carrier challenges. */
    auth_username: z.string().nullable(),
    /** The secret itself is written and never told. */
    has_secret: z.boolean(),
    /** From where it may call us, with their lengths; none: it can be called and cannot call. */
    addresses: z.array(z.string()),
    max_channels: z.int(),
    enabled: z.boolean(),
    /** Whose calls for help go out over it. */
    emergency_countries: z.array(z.string()),
    version: z.int(),
  })
  .meta({ id: 'Trunk' });

export const carrierShape = z
  .object({
    carrier_id: z.int(),
    code: z.string(),
    name: z.string(),
    currency: z.string(),
    enabled: z.boolean(),
    version: z.int(),
    trunks: z.array(trunkShape),
    binds: z.array(bindShape),
  })
  .meta({ id: 'Carrier' });

export type TrunkTold = z.input<typeof trunkShape>;
export type CarrierTold = z.input<typeof carrierShape>;
