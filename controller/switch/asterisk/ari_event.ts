import { z } from 'zod';

/** Everything else is kept back in the switch: an event that is not sent costs neither side anything. */
export const ARI_EVENT_TYPES = ['StasisStart', 'Dial', 'ChannelDestroyed', 'RESTResponse'] as const;

const channel = z.object({
  id: z.string(),
  name: z.string(),
  state: z.string(),
  accountcode: z.string(),
  caller: z.object({ number: z.string() }),
  dialplan: z.object({ exten: z.string() }),
});

/** Asterisk writes `2026-01-31T12:00:00.123+0000`, in its own zone; ECMAScript wants a colon in the offset. */
const timestamp = z.string().transform((text, context) => {
  const ms = Date.parse(text.replace(/([+-]\d\d)(\d\d)$/u, '$1:$2'));
  if (Number.isNaN(ms)) context.addIssue({ code: 'custom', message: `not a time: ${text}` });
  return ms;
});

const ariMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('StasisStart'), timestamp, args: z.array(z.string()), channel }),
  z.object({
    type: z.literal('Dial'),
    timestamp,
    dialstatus: z.string(),
    caller: channel.optional(),
    peer: channel,
  }),
  z.object({ type: z.literal('ChannelDestroyed'), timestamp, cause: z.number().int(), channel }),
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
