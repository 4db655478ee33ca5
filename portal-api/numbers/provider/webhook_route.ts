import { z } from 'zod';
import { inTransaction } from '../../../domain/db/transaction.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { whySignatureIsWrong } from '../../payments/signature.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { tellTransfersOf } from '../moving/tell_provider.ts';
import { selectOrder } from '../orders/order_rows.ts';
import { driveSoon } from '../orders/place_order.ts';

const eventSchema = z.object({ id: z.string().min(1).max(100), order_id: z.uuid() });

/**
 * Where the partner tells that an order has moved on. What it says is no more than a reason to ask it: so a message may come twice,
 * late, in any order or never, and one that somebody forged would buy nothing.
 */
export function webhookRoute({ pool, settings }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/webhooks/number-provider',
      operation_id: 'take_number_provider_event',
      summary: 'For the partner that supplies numbers alone: what it signed.',
      tag: 'numbers',
      policy: { anyone: true },
      // All of them come from a few addresses; what is not signed costs no more than a hash.
      pace: 'read',
      raw: true,
      answers: { 204: { description: 'Taken, now or before.', empty: true } },
      problems: ['not_permitted', 'malformed', 'unavailable'],
    },
    async ({ raw, headers, now }) => {
      const secret = settings.NUMBER_PROVIDER_WEBHOOK_SECRET;
      if (secret === undefined) throw new Problem('unavailable', 'No partner is set up here.');
      const signature = headers['number-provider-signature'];
      const payload = Buffer.isBuffer(raw) ? raw : Buffer.alloc(0);
      const why = whySignatureIsWrong(secret, payload, typeof signature === 'string' ? signature : '', now);
      if (why !== null) throw new Problem('not_permitted', `This was not taken: ${why}.`);
      const event = eventOf(payload);
      await inTransaction(pool, async (tx) => {
        const { rowCount } = await tx.query(
          `insert into provider_event (provider, event_id, order_id, received_at) values ('partner', $1, $2, $3) on conflict do nothing`,
          [event.id, event.order_id, now],
        );
        const order = await selectOrder(tx, event.order_id);
        if ((rowCount ?? 0) === 0 || order?.provider !== 'partner') return;
        await driveSoon(tx, order.id);
        await tellTransfersOf(tx, order.id);
      });
      return { status: 204 };
    },
  );
}

function eventOf(payload: Buffer): z.output<typeof eventSchema> {
  try {
    return eventSchema.parse(JSON.parse(payload.toString('utf8')));
  } catch {
    throw new Problem('malformed', 'It is signed, and is no event.');
  }
}
