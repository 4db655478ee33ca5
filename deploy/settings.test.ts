import { expect, test } from 'vitest';
import { Outage } from './runtime/outage.ts';
import { deploySettings, serversElsewhere } from './settings.ts';

test('unset and empty are the same, and the home lies in the checkout', () => {
  const settings = deploySettings({ DATABASE_URL: '', LETSDIAL_POSTGRES_PORT: '' });
  expect(settings).toMatchObject({ database_url: null, postgres_port: null, cache: null, mirror: null });
  expect(settings.home).toMatch(/\/\.letsdial$/);
  expect(serversElsewhere(settings)).toEqual([]);
});

test('a configured address means a server elsewhere', () => {
  const settings = deploySettings({
    DATABASE_URL: 'postgres://u:p@127.0.0.1/d',
    REDIS_URL: 'redis://127.0.0.1:6379/0',
  });
  expect(serversElsewhere(settings)).toEqual(['postgres', 'valkey']);
});

test('every wrong setting is named at once', () => {
  const read = (): unknown => deploySettings({ DATABASE_URL: 'mysql://x', LETSDIAL_REDIS_PORT: '70000' });
  expect(read).toThrow(Outage);
  expect(read).toThrow(/DATABASE_URL.*LETSDIAL_REDIS_PORT/);
});

test('an address that phones cannot be told is refused', () => {
  expect(() => deploySettings({ LETSDIAL_SIP_ADDRESS: '0.0.0.0' })).toThrow(
    /LETSDIAL_SIP_ADDRESS.*where to send their media/,
  );
});

test('whoever is simulated stays on this machine', () => {
  expect(deploySettings({}).simulated_network).toBe('127.0.0');
  expect(deploySettings({ LETSDIAL_SIMULATED_NETWORK: '127.9.250' }).simulated_network).toBe('127.9.250');
  for (const wrong of ['192.0.2', '127.0', '127.0.0.5', '127.0.256'])
    expect(() => deploySettings({ LETSDIAL_SIMULATED_NETWORK: wrong })).toThrow(/LETSDIAL_SIMULATED_NETWORK.*loopback/);
});

test('a certificate and its key come together', () => {
  expect(deploySettings({}).certificate).toBeNull();
  expect(deploySettings({ LETSDIAL_TLS_CERTIFICATE: '/c.pem', LETSDIAL_TLS_KEY: '/k.pem' }).certificate).toEqual({
    certificate_file: '/c.pem',
    private_key_file: '/k.pem',
  });
  expect(() => deploySettings({ LETSDIAL_TLS_KEY: '/k.pem' })).toThrow(/LETSDIAL_TLS_CERTIFICATE/);
});

test('the controller has a login of its own to a server elsewhere, and to none of ours', () => {
  const CONTROLLER_DATABASE_URL = 'postgres://c:p@127.0.0.1/d';
  const settings = deploySettings({ DATABASE_URL: 'postgres://u:p@127.0.0.1/d', CONTROLLER_DATABASE_URL });
  expect(settings.controller_database_url).toBe(CONTROLLER_DATABASE_URL);
  expect(() => deploySettings({ CONTROLLER_DATABASE_URL })).toThrow(/set both or neither/);
});

test('the demo operator is kept out by a word, and by that alone', () => {
  expect(deploySettings({}).demo).toBe(true);
  expect(deploySettings({ LETSDIAL_DEMO: 'yes' }).demo).toBe(true);
  expect(deploySettings({ LETSDIAL_DEMO: 'no' }).demo).toBe(false);
  expect(() => deploySettings({ LETSDIAL_DEMO: 'off' })).toThrow(/LETSDIAL_DEMO is neither yes nor no/);
});
