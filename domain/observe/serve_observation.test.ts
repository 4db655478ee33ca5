import { Counter, Registry } from 'prom-client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { serveObservation } from './serve_observation.ts';
import type { ObserveServer } from './serve_observation.ts';

let server: ObserveServer;
let is_there = true;

beforeEach(async () => {
  const registry = new Registry();
  new Counter({ name: 'calls_total', help: 'Calls.', registers: [registry] }).inc();
  server = await serveObservation({
    ...{ host: '127.0.0.1', port: 0, registry },
    health: () => Promise.resolve({ database: is_there }),
    pages: {
      '/binds': () => [{ id: 'alpha-1' }],
      '/broken': () => {
        throw new Error('no');
      },
    },
  });
});

afterEach(() => server.close());

async function ask(path: string): Promise<[number, string | null, string]> {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
  return [response.status, response.headers.get('content-type'), await response.text()];
}

it('tells health, metrics and the pages of its service, and nothing else', async () => {
  expect(await ask('/healthz')).toEqual([200, 'application/json', '{"healthy":true,"database":true}\n']);
  is_there = false;
  expect(await ask('/healthz')).toEqual([503, 'application/json', '{"healthy":false,"database":false}\n']);
  expect((await ask('/metrics'))[2]).toContain('calls_total 1');
  expect(await ask('/binds')).toEqual([200, 'application/json', '[{"id":"alpha-1"}]\n']);
  for (const path of ['/', '/binds/1', '/metrics/']) expect((await ask(path))[0]).toBe(404);
  expect((await ask('/broken'))[0]).toBe(500);
  expect((await ask('/binds'))[0]).toBe(200);
});
