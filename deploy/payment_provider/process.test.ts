import { createHmac } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { paymentProviderPart } from '../parts/payment_provider.ts';
import { freePort } from '../runtime/process/free_port.ts';

const SECRET = 'a secret of this test alone';

it(
  'runs as a process of its own, and tells what happened twice and the latest first',
  { timeout: 60_000 },
  async () => {
    const told: { body: string; signature: string }[] = [];
    const portal = http.createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const signature = String(request.headers['letsdial-signature']);
        told.push({ body: Buffer.concat(chunks).toString('utf8'), signature });
        response.writeHead(204).end();
      });
    });
    await new Promise<void>((resolve) => {
      portal.listen(0, '127.0.0.1', resolve);
    });
    const home = await mkdtemp(join(tmpdir(), 'letsdial-payments-'));
    await mkdir(join(home, 'log'));
    const port = await freePort();
    const webhook_url = `http://127.0.0.1:${(portal.address() as AddressInfo).port}/v1/payment-events`;
    const part = paymentProviderPart({ home, address: '127.0.0.1', port, webhook_secret: SECRET, webhook_url });
    const running = await part.start();
    try {
      const ask = async (path: string, body: object): Promise<Record<string, unknown>> => {
        const response = await fetch(`http://127.0.0.1:${port}${path}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${SECRET}` },
          body: JSON.stringify(body),
        });
        return (await response.json()) as Record<string, unknown>;
      };
      const { token } = await ask('/v1/tokens', { number: '4242424242424242', expires_month: 1, expires_year: 2040 });
      const wish = { reference: 'ours', amount_cents: '500', currency: 'EUR', method: token, return_url: 'http://x' };
      const [first, again] = [await ask('/v1/payments', wish), await ask('/v1/payments', wish)];
      expect(first).toMatchObject({ state: 'succeeded', reference: 'ours' });
      expect(again['id']).toBe(first['id']);
      await expect.poll(() => told.length, { timeout: 10_000 }).toBe(4);
      const states = told.map(({ body }) => (JSON.parse(body) as { payment: { state: string } }).payment.state);
      expect(states).toEqual(['succeeded', 'pending', 'succeeded', 'pending']);
      for (const { body, signature } of told) {
        const [, t = '', v1 = ''] = /^t=(\d+),v1=([0-9a-f]+)$/u.exec(signature) ?? [];
        expect(v1).toBe(createHmac('sha256', SECRET).update(`${t}.${body}`).digest('hex'));
      }
    } finally {
      await running.stop();
      portal.closeAllConnections();
      portal.close();
      await rm(home, { recursive: true, force: true });
    }
  },
);
