import { afterEach, expect, test } from 'vitest';
import { CarrierPeer } from './carrier.ts';
import { Scanner } from './scanner.ts';

const open: { close: () => Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

test('everything malformed leaves the party alive, and probes are answered', async () => {
  const carrier = await CarrierPeer.open({ media: false });
  const scanner = await Scanner.open({ address: '127.0.0.66', target: carrier.address });
  open.push(carrier, scanner);
  const before = await scanner.probe('OPTIONS', '100');
  expect(before).toMatchObject({ method: 'OPTIONS', status: 200 });
  expect(scanner.sendMalformed({ fuzzed: 300 })).toBeGreaterThan(340);
  expect((await scanner.probe('REGISTER', '100')).status).toBe(405);
  expect(carrier.log.entries.filter((entry) => entry.summary.startsWith('unreadable')).length).toBeGreaterThan(20);
});

test('a wrong password is tried where a challenge comes, and nothing is a status too', async () => {
  const challenge = { username: 'alice', password: 'right', realm: 'x' };
  const carrier = await CarrierPeer.open({ media: false, challenge });
  const scanner = await Scanner.open({ address: '127.0.0.66', target: carrier.address });
  open.push(scanner);
  expect((await scanner.probe('INVITE', '100')).status).toBe(407);
  await carrier.close();
  expect((await scanner.probe('OPTIONS', '100', { within_ms: 100 })).status).toBeUndefined();
});
