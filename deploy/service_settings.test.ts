import { expect, test } from 'vitest';
import { serviceSettings } from './service_settings.ts';

test('each service is told what the environment says of its own settings, and of no others', () => {
  const environment = { GRANT_SECONDS: '60', QUEUE_TEXTS_MAX: '9', SMTP_URL: 'smtp://mail.example', HOME: '/root' };
  expect(serviceSettings(environment)).toEqual({
    controller: { GRANT_SECONDS: '60' },
    gateway: { QUEUE_TEXTS_MAX: '9' },
    portal: { SMTP_URL: 'smtp://mail.example' },
  });
});

test('one that several have is told to all of them, and an empty one to none', () => {
  const told = serviceSettings({ LOG_LEVEL: 'warn', BRAND: '' });
  expect(told).toEqual({
    controller: { LOG_LEVEL: 'warn' },
    gateway: { LOG_LEVEL: 'warn' },
    portal: { LOG_LEVEL: 'warn' },
  });
});

test('how the services reach each other is decided by the start', () => {
  const environment = {
    DATABASE_URL: 'postgres://x',
    ASTERISK_AMI_PORT: '1',
    PORTAL_HTTP_PORT: '2',
    GATEWAY_SMPP_PORT: '3',
  };
  expect(serviceSettings(environment)).toEqual({ controller: {}, gateway: {}, portal: {} });
});
