import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { keptCertificate } from '../../deploy/runtime/process/certificate.ts';
import { FakeClock } from '../smpp/testing/fake_clock.ts';
import { HttpPoster } from './http_poster.ts';
import type { HttpPosterOptions } from './http_poster.ts';
import { CustomerServer, silence, status } from './testing/customer_server.ts';

const open: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function server(tls: { key: Buffer; cert: Buffer } | null = null): Promise<CustomerServer> {
  const one = await new CustomerServer(tls).listen();
  open.push(() => one.close());
  return one;
}

function poster(wishes: Partial<HttpPosterOptions> = {}): HttpPoster {
  const one = new HttpPoster({
    clock: new FakeClock(),
    timeout_ms: 10_000,
    response_octets_max: 1000,
    idle_ms: 60_000,
    allow_private_addresses: true,
    resolve: () => Promise.resolve(['127.0.0.1']),
    ...wishes,
  });
  open.push(() => {
    one.close();
    return Promise.resolve();
  });
  return one;
}

const answered = (code: number) => ({ kind: 'answered', status: code, retry_after: null });

describe('a POST', () => {
  it('brings headers and body, and the status back', async () => {
    const customer = await server();
    expect(await poster().post(customer.url(), { 'webhook-id': 'dlv_1' }, '{"a":"ü"}')).toEqual(answered(204));
    expect(customer.hits).toMatchObject([{ path: '/hook', headers: { 'webhook-id': 'dlv_1' }, body: '{"a":"ü"}' }]);
  });

  it('goes over the connection that the one before has left', async () => {
    const customer = await server();
    const one = poster();
    for (let n = 0; n < 3; n += 1) await one.post(customer.url(), {}, '{}');
    expect([customer.hits.length, customer.connections]).toEqual([3, 1]);
  });

  it('is sent once more where a kept connection turns out to be dead', async () => {
    const customer = await server();
    const one = poster();
    await one.post(customer.url(), {}, '{}');
    customer.answers.set('/hook', [(response) => response.socket?.destroy()]);
    expect(await one.post(customer.url(), {}, '{}')).toEqual(answered(204));
    expect(customer.hits).toHaveLength(3);
  });

  it('is given up where the server always hangs up', async () => {
    const customer = await server();
    customer.otherwise = (response) => response.socket?.destroy();
    expect(await poster().post(customer.url(), {}, '{}')).toMatchObject({ kind: 'failed', reason: 'connection' });
    expect(customer.hits).toHaveLength(1);
  });

  it('follows no redirect', async () => {
    const [customer, elsewhere] = [await server(), await server()];
    customer.otherwise = status(307, { location: elsewhere.url() });
    expect(await poster().post(customer.url(), {}, '{}')).toEqual(answered(307));
    expect([customer.hits.length, elsewhere.hits.length]).toEqual([1, 0]);
  });

  it('is given up when its time is over', async () => {
    const customer = await server();
    const clock = new FakeClock();
    customer.otherwise = silence;
    const silent = poster({ clock }).post(customer.url(), {}, '{}');
    await customer.untilHits(1);
    clock.advance(10_000);
    expect(await silent).toEqual({ kind: 'failed', reason: 'timeout', why: 'The server did not answer within 10 s.' });
    expect(clock.timers).toBe(0);
  });

  it('takes the status of a server that goes on and on', async () => {
    const customer = await server();
    customer.otherwise = (response) => {
      response.writeHead(200);
      response.on('error', () => undefined);
      const more = (): void => {
        if (!response.destroyed) response.write(Buffer.alloc(500), more);
      };
      more();
    };
    expect(await poster().post(customer.url(), {}, '{}')).toEqual(answered(200));
  });

  it('takes the status of a server whose body never ends, when its time is over', async () => {
    const customer = await server();
    const clock = new FakeClock();
    customer.otherwise = (response) => response.writeHead(200).write('a');
    const has_come = new Promise((resolve) => {
      subscribe('http.client.response.finish', resolve);
      open.push(() => {
        unsubscribe('http.client.response.finish', resolve);
        return Promise.resolve();
      });
    });
    const answer = poster({ clock }).post(customer.url(), {}, '{}');
    await has_come;
    clock.advance(10_000);
    expect(await answer).toEqual(answered(200));
  });

  it('fails by what is no answer of HTTP', async () => {
    const customer = await server();
    customer.otherwise = (response) => response.socket?.end('SSH-2.0-OpenSSH_9.2\r\n');
    expect(await poster().post(customer.url(), {}, '{}')).toMatchObject({ kind: 'failed', reason: 'connection' });
    customer.otherwise = (response) =>
      response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
    expect(await poster().post(customer.url(), {}, '{}')).toMatchObject({ kind: 'failed', reason: 'connection' });
    expect(await poster().post('http://', {}, '{}')).toMatchObject({ kind: 'failed', reason: 'connection' });
  });

  it('fails at once when the poster is closed, over a kept connection too', async () => {
    const customer = await server();
    const one = poster();
    await one.post(customer.url(), {}, '{}');
    customer.otherwise = silence;
    const answer = one.post(customer.url(), {}, '{}');
    await customer.untilHits(2);
    one.close();
    expect(await answer).toMatchObject({ kind: 'failed', why: 'The gateway was stopped.' });
    expect(await one.post(customer.url(), {}, '{}')).toMatchObject({ why: 'The gateway was stopped.' });
    expect(customer.hits).toHaveLength(2);
  });

  it('fails where nobody listens, and where the name is nobody’s', async () => {
    const customer = await server();
    const url = customer.url();
    await customer.close();
    open.pop();
    expect(await poster().post(url, {}, '{}')).toMatchObject({ kind: 'failed', reason: 'connection' });
    const resolve = () => Promise.reject(new Error('queryA ENOTFOUND nobody.example'));
    expect(await poster({ resolve }).post('http://nobody.example/', {}, '{}')).toEqual({
      ...{ kind: 'failed', reason: 'connection', why: 'queryA ENOTFOUND nobody.example' },
    });
  });
});

describe('a POST into a network of ours', () => {
  const guarded = { allow_private_addresses: false };

  it('is refused by address', async () => {
    const customer = await server();
    expect(await poster(guarded).post(customer.url(), {}, '{}')).toEqual({
      ...{ kind: 'failed', reason: 'refused_address', why: '127.0.0.1 is not an address of the internet.' },
    });
    expect([customer.hits, customer.connections]).toEqual([[], 0]);
  });

  it('is refused by name, over both kinds of connection', async () => {
    const customer = await server();
    for (const scheme of ['http', 'https']) {
      const url = `${scheme}://inside.example:${customer.port}/hook`;
      expect(await poster(guarded).post(url, {}, '{}')).toEqual({
        kind: 'failed',
        reason: 'refused_address',
        why: 'inside.example leads to 127.0.0.1, which is not an address of the internet.',
      });
    }
    expect(customer.connections).toBe(0);
  });

  it('is refused by the address that is connected to, not by one that was shown before', async () => {
    const customer = await server();
    const shown = [['8.8.8.8'], ['127.0.0.1']];
    let asked = 0;
    const resolve = () => Promise.resolve(shown[Math.min(asked++, 1)] ?? []);
    const checked = await resolve();
    expect(checked).toEqual(['8.8.8.8']);
    const url = `http://rebinding.example:${customer.port}/hook`;
    expect(await poster({ ...guarded, resolve }).post(url, {}, '{}')).toMatchObject({ reason: 'refused_address' });
    expect([asked, customer.connections]).toEqual([2, 0]);
  });
});

describe('a POST over TLS', () => {
  it('trusts no certificate that vouches for itself', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'webhook-'));
    open.push(() => rm(folder, { recursive: true }));
    const files = await keptCertificate(folder, ['127.0.0.1']);
    const [key, cert] = await Promise.all([readFile(files.private_key_file), readFile(files.certificate_file)]);
    const customer = await server({ key, cert });
    expect(await poster().post(customer.url(), {}, '{}')).toEqual({
      ...{ kind: 'failed', reason: 'connection', why: 'self-signed certificate' },
    });
    expect(customer.hits).toEqual([]);
  });
});
