import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkCertificate, keptCertificate } from './certificate.ts';

let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'certificate-'));
});

afterAll(() => rm(home, { recursive: true }));

it('is one that a TLS client accepts when it is told to trust it, for each of its addresses', async () => {
  const files = await keptCertificate(join(home, 'a'), ['127.0.0.1', '127.9.8.7']);
  const cert = await readFile(files.certificate_file, 'utf8');
  const key = await readFile(files.private_key_file, 'utf8');
  const server = createServer({ cert, key }, (socket) => socket.end('hello'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const heard = await new Promise<string>((resolve, reject) => {
    const client = connect({ host: '127.0.0.1', port: address.port, ca: cert });
    client.setEncoding('utf8');
    client.on('error', reject).on('data', (text: string) => resolve(text));
  });
  expect(heard).toBe('hello');
  server.close();
  const read = new X509Certificate(cert);
  expect(read.checkIP('127.9.8.7')).toBe('127.9.8.7');
  expect(read.checkIP('127.9.8.8')).toBeUndefined();
  expect(read.verify(read.publicKey)).toBe(true);
});

it('is kept, for its owner alone, until an address is asked for that it does not name', async () => {
  const folder = join(home, 'b');
  const { certificate_file, private_key_file } = await keptCertificate(folder, ['127.0.0.1']);
  const first = await readFile(certificate_file, 'utf8');
  expect((await stat(private_key_file)).mode & 0o777).toBe(0o600);
  await keptCertificate(folder, ['127.0.0.1']);
  expect(await readFile(certificate_file, 'utf8')).toBe(first);
  await keptCertificate(folder, ['127.0.0.1', '127.0.0.2']);
  expect(await readFile(certificate_file, 'utf8')).not.toBe(first);
});

it('is refused with the key of another one, and where there is none', async () => {
  const one = await keptCertificate(join(home, 'c'), ['127.0.0.1']);
  const other = await keptCertificate(join(home, 'd'), ['127.0.0.1']);
  await checkCertificate(one);
  const mixed = { ...one, private_key_file: other.private_key_file };
  await expect(checkCertificate(mixed)).rejects.toThrow(/is not that of the certificate/u);
  const missing = { ...one, certificate_file: join(home, 'nowhere.pem') };
  await expect(checkCertificate(missing)).rejects.toThrow(/cannot be used/u);
});
