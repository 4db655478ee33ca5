import { z } from 'zod';
import type { PortalContext } from '../context.ts';
import { instantOut } from '../http/fields.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';

const LISTED_MAX = 1_000;

const shape = z
  .object({
    carrier_id: z.int(),
    carrier: z.string(),
    /** ISO 3166-1, for the whole of a calling code: US for +1. ZZ: a number of no country. */
    country: z.string(),
    /** Of the texts that it took and that have ended, those that arrived, the latest counting most. */
    delivered_ppm: z.int(),
    /** How many texts that is said by, as far as they count still. */
    texts: z.int(),
    as_of: instantOut,
  })
  .meta({ id: 'TextQuality' });

/** What the gateway has seen of carriers, and routes by. */
export function textQualityRoutes({ pool }: PortalContext): Route[] {
  return [
    route(
      {
        method: 'get',
        path: '/v1/admin/texts/quality',
        operation_id: 'admin_read_text_quality',
        summary: 'How many of the texts that carriers took arrived, by country; a minute old at most. Routes go by it.',
        tag: 'admin quality',
        policy: { admin: ['support', 'operations', 'finance', 'owner'] },
        answers: {
          200: {
            description: 'Of which most is known first, a thousand at most.',
            json: z.object({ items: z.array(shape) }),
          },
        },
      },
      async () => {
        const { rows } = await pool.query<z.input<typeof shape>>(
          `select q.carrier_id, c.code as carrier, q.country, (q.delivered * 1000000 / q.ended)::integer as delivered_ppm,
                  round(q.ended)::integer as texts, q.faded_at as as_of
             from text_quality q join carrier c on c.id = q.carrier_id
            where q.ended >= 1 order by q.ended desc, c.code, q.country limit $1`,
          [LISTED_MAX],
        );
        return { status: 200, body: { items: rows } };
      },
    ),
  ];
}
