import { z } from 'zod';

/** What message_payload surely holds. */
const OCTETS_MAX = 60_000;

const hex = z
  .string()
  .regex(/^([0-9a-f]{2})*$/iu)
  .max(2 * OCTETS_MAX);
const address = z
  .string()
  .max(20)
  .regex(/^[\x20-\x7e]*$/u);

/** What a phone is to have sent: the body of POST /mo. */
export const moOrderSchema = z
  .strictObject({
    /** With a plus it is international, and sent without it; digits alone are a short code; anything else is a name. */
    from: address,
    to: address,
    /** In place of what the address looks like, which is then sent as it is. */
    from_ton: z.int().min(0).max(255).optional(),
    to_ton: z.int().min(0).max(255).optional(),
    /** In the default alphabet where that has all of it, else in UCS-2. */
    text: z
      .string()
      .max(OCTETS_MAX / 4)
      .optional(),
    octets_hex: hex.optional(),
    data_coding: z.int().min(0).max(255).optional(),
    /** Put before the octets, its length octet included. */
    udh_hex: hex.optional(),
    /** Split into as many parts as it takes, joined by a UDH with a reference of 8 or 16 bits, or by the SAR TLVs. */
    parts: z.enum(['udh8', 'udh16', 'sar']).optional(),
    /** Octets of text in a part; by default what a real one holds. */
    part_octets_max: z.int().min(4).max(250).optional(),
    /** The reference that joins the parts; by default the next. */
    reference: z.int().min(0).max(65_535).optional(),
    order: z.enum(['in_order', 'reversed', 'shuffled']).default('in_order'),
    /** This part, from 1, is never sent. */
    missing_part: z.int().min(1).optional(),
    /** To whom; by default the first account. */
    system_id: z.string().optional(),
    /** How long the answer waits for the acknowledgements. The delivery goes on after that. */
    wait_ms: z.int().min(0).max(600_000).default(30_000),
  })
  .refine((order) => (order.text === undefined) !== (order.octets_hex === undefined), 'either text or octets_hex')
  .refine((order) => order.parts === undefined || order.udh_hex === undefined, 'parts have a UDH of their own');

export type MoOrder = z.output<typeof moOrderSchema>;
export type MoOrderInput = z.input<typeof moOrderSchema>;

export interface MoResult {
  mo: number;
  /** In the order in which they were to be sent. `status` is of the last deliver_sm_resp, null while none has ended it. */
  parts: { part: number; status: number | null }[];
}
