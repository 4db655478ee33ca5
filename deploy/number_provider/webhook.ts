import { createHmac, randomUUID } from 'node:crypto';

export interface ProviderEvent {
  id: string;
  type: 'order.supplied' | 'order.refused' | 'order.tested' | 'order.holder';
  order_id: string;
}

export const eventOf = (type: ProviderEvent['type'], order_id: string): ProviderEvent => ({
  id: `evt_${randomUUID()}`,
  type,
  order_id,
});

/** Sends one event, signed over its time and its bytes. An answer that is no 2xx, or none, is said. */
export async function sendEvent(
  { url, secret }: { url: string; secret: string },
  event: ProviderEvent,
  now: Date,
): Promise<'taken' | 'refused' | 'lost'> {
  const body = JSON.stringify(event);
  const t = Math.floor(now.getTime() / 1000);
  const v1 = createHmac('sha256', secret).update(`${t}.${body}`).digest('hex');
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'number-provider-signature': `t=${t},v1=${v1}` },
      body,
      signal: AbortSignal.timeout(5_000),
    });
    await response.arrayBuffer();
    return response.ok ? 'taken' : 'refused';
  } catch {
    return 'lost';
  }
}
