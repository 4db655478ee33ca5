import { z } from 'zod';

/** Everything else is kept back in the switch: what becomes of a call is told over AMI, for less. */
export const ARI_EVENT_TYPES = ['StasisStart', 'RESTResponse'] as const;

const ariMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('StasisStart'), channel: z.object({ id: z.string() }) }),
  z.object({
    type: z.literal('RESTResponse'),
    request_id: z.string(),
    status_code: z.number().int(),
    reason_phrase: z.string().optional(),
    message_body: z.string().optional(),
  }),
]);

export type AriMessage = z.infer<typeof ariMessage>;
export type AriEvent = Exclude<AriMessage, { type: 'RESTResponse' }>;

const KNOWN: ReadonlySet<unknown> = new Set(ARI_EVENT_TYPES);

/** Null for an event nobody asked for: some come before the filter is set. Throws on one that is not what its type says. */
export function parseAriMessage(text: string): AriMessage | null {
  const message: unknown = JSON.parse(text);
  if (typeof message !== 'object' || message === null || !('type' in message) || !KNOWN.has(message.type)) return null;
  return ariMessage.parse(message);
}
