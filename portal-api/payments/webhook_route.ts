import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import type { PaymentProvider } from './payment_provider.ts';
import type { PaymentsContext } from './payments_context.ts';
import { takeEvent } from './take_event.ts';

/** Where the provider tells what became of payments: as often, as late and in whatever order it likes. */
export function webhookRoute(context: PaymentsContext, provider: PaymentProvider | null): Route {
  return route(
    {
      method: 'post',
      path: '/v1/payment-events',
      operation_id: 'take_payment_event',
      summary: 'For the payment provider alone: what it signed.',
      tag: 'payments',
      policy: { anyone: true },
      // All of them come from a few addresses; what is not signed costs no more than a hash.
      pace: 'read',
      raw: true,
      answers: { 204: { description: 'Taken, now or before.', empty: true } },
      problems: ['not_permitted', 'malformed', 'unavailable', 'not_available'],
    },
    async ({ raw, headers, now }) => {
      if (provider === null) throw new Problem('not_available', 'No payments are taken here.');
      const read = readSafely(() => provider.readWebhook(Buffer.isBuffer(raw) ? raw : Buffer.alloc(0), headers, now));
      if (read.kind === 'refused') throw new Problem('not_permitted', `This was not taken: ${read.why}.`);
      if (read.kind === 'event') {
        const verdict = await takeEvent(context, provider.name, read.event, now);
        if (verdict === 'unknown_payment') {
          context.log.warn({ event_id: read.event.event_id }, 'the provider told of a payment that is none of ours');
        }
      }
      return { status: 204 };
    },
  );
}

/** What is signed and yet no JSON is not the provider's doing. */
function readSafely<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof SyntaxError) throw new Problem('malformed');
    throw error;
  }
}
