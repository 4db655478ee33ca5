import { expect, it } from 'vitest';
import { CarrierAddresses } from './carrier_addresses.ts';

it('carriers are where they call from, and where they are called: at each address of a name', async () => {
  const unresolved: string[] = [];
  let names: Record<string, readonly string[]> = { 'sip.example': ['198.51.100.8', '2001:db8::8'] };
  const carriers = new CarrierAddresses({
    read: () =>
      Promise.resolve({
        networks: ['192.0.2.0/29', '2001:db8:1::/64'],
        hosts: ['203.0.113.9', 'sip.example', 'gone.example'],
      }),
    resolve: (host) => {
      const addresses = names[host];
      return addresses === undefined ? Promise.reject(new Error('ENOTFOUND')) : Promise.resolve(addresses);
    },
    onUnresolved: (host) => unresolved.push(host),
  });
  // Nobody is told to be a stranger before it is known.
  expect(carriers.has('198.51.100.77')).toBe(true);
  const theirs = ['192.0.2.7', '2001:db8:1::5', '203.0.113.9', '198.51.100.8', '2001:db8::8', '::ffff:198.51.100.8'];
  const others = ['192.0.2.8', '198.51.100.77', '2001:db8:2::5', '::1'];
  await carriers.look();
  expect(theirs.filter((address) => !carriers.has(address))).toEqual([]);
  expect(others.filter((address) => carriers.has(address))).toEqual([]);
  expect(unresolved).toEqual(['gone.example']);
  names = {};
  await carriers.look();
  expect(carriers.has('198.51.100.8')).toBe(true);
  names = { 'sip.example': ['198.51.100.9'] };
  await carriers.look();
  expect(['198.51.100.8', '198.51.100.9'].map((address) => carriers.has(address))).toEqual([true, true]);
});

it('they are where they were while the database is away', async () => {
  let is_away = false;
  const carriers = new CarrierAddresses({
    read: () =>
      is_away ? Promise.reject(new Error('away')) : Promise.resolve({ networks: ['192.0.2.0/29'], hosts: [] }),
    resolve: () => Promise.resolve([]),
    onUnresolved: () => undefined,
  });
  await carriers.look();
  is_away = true;
  await expect(carriers.look()).rejects.toThrow('away');
  expect([carriers.has('192.0.2.1'), carriers.has('192.0.2.9')]).toEqual([true, false]);
});
