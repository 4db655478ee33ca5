import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

/** What a probe asks: each part that the service cannot do without, and whether it is there. */
export type Health = Readonly<Record<string, boolean>>;

export interface ObserveServer {
  readonly port: number;
  close(): Promise<void>;
}

export interface Observation {
  host: string;
  port: number;
  registry: Registry;
  health: () => Promise<Health>;
  /** What else is told, as JSON, by the path under which it is asked for; at once or later. */
  pages?: Readonly<Record<string, () => unknown>>;
}

/**
 * `/healthz` is 200 while every part is there, else 503; `/metrics` is for Prometheus. Besides them and the service's own pages
 * nothing is served.
 */
export async function serveObservation(options: Observation): Promise<ObserveServer> {
  const server = http.createServer((request, response) => {
    answer(request.url ?? '/', options).then(
      ({ status, type, body }) =>
        response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  url: string,
  { registry, health, pages = {} }: Observation,
): Promise<{ status: number; type: string; body: string }> {
  if (url === '/metrics') return { status: 200, type: registry.contentType, body: await registry.metrics() };
  if (url === '/healthz') {
    const parts = await health();
    const healthy = Object.values(parts).every(Boolean);
    return json(healthy ? 200 : 503, { healthy, ...parts });
  }
  const page = pages[url];
  return page === undefined ? { status: 404, type: 'text/plain', body: 'not here\n' } : json(200, await page());
}

function json(status: number, body: unknown): { status: number; type: string; body: string } {
  return { status, type: 'application/json', body: `${JSON.stringify(body)}\n` };
}
