import { expect, it } from 'vitest';
import { readGatewaySettings } from './gateway_settings.ts';

const SERVERS = { DATABASE_URL: 'postgres://db/letsdial', REDIS_URL: 'redis://cache' };
const FILES = { GATEWAY_TLS_CERT_FILE: '/etc/letsdial/chain.pem', GATEWAY_TLS_KEY_FILE: '/etc/letsdial/key.pem' };

it('there is no port for TLS unless one is named', () => {
  expect(readGatewaySettings(SERVERS).GATEWAY_SMPP_TLS_PORT).toBeUndefined();
  const settings = readGatewaySettings({ ...SERVERS, ...FILES, GATEWAY_SMPP_TLS_PORT: '3550' });
  expect(settings).toMatchObject({ GATEWAY_SMPP_TLS_PORT: 3550, ...FILES });
});

it.each(Object.keys(FILES))('a port for TLS is refused in one sentence without %s', (missing) => {
  const environment = { ...SERVERS, ...FILES, GATEWAY_SMPP_TLS_PORT: '3550', [missing]: undefined };
  expect(() => readGatewaySettings(environment)).toThrow(
    'GATEWAY_SMPP_TLS_PORT: needs GATEWAY_TLS_CERT_FILE and GATEWAY_TLS_KEY_FILE, both PEM, or is to be left out. ',
  );
});
