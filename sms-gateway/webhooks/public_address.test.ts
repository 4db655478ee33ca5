import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guardedLookup, refusedLiteral } from './endpoint_address.ts';
import { isPublicAddress } from './public_address.ts';

describe('an address', () => {
  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '100.127.255.255',
    '127.0.0.1',
    '127.255.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '2001:db8::1',
    '2001::1',
    '2002:7f00:1::1',
    'localhost',
    '',
  ])('%s is not of the internet', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each([
    '8.8.8.8',
    '100.63.255.255',
    '100.128.0.0',
    '172.15.0.1',
    '172.32.0.1',
    '192.167.255.255',
    '2606:4700::1111',
    '2a00:1450::1',
  ])('%s is of the internet', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it('of IPv4 is private in IPv6’s clothes too', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(isPublicAddress(`::ffff:${address}`)).toBe(false);
      }),
    );
  });
});

describe('a URL', () => {
  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://127.1/',
    'http://0177.0.0.1/',
    'http://[::1]/',
    'http://[::ffff:7f00:1]/',
    'http://user:secret@10.0.0.1:8080/',
    'https://169.254.169.254/latest/meta-data/',
  ])('%s is refused without asking anybody', (url) => {
    expect(refusedLiteral(new URL(url))).not.toBeNull();
  });

  it('with a name or an address of the internet is not refused for its look', () => {
    for (const url of ['https://example.com/', 'https://8.8.8.8/', 'https://[2606:4700::1111]/']) {
      expect(refusedLiteral(new URL(url))).toBeNull();
    }
  });
});

describe('a lookup', () => {
  const lookUp = (addresses: readonly string[], all: boolean) =>
    new Promise<unknown>((resolve) => {
      guardedLookup(() => Promise.resolve(addresses))('example.com', { all }, (error, address, family) =>
        resolve(error?.message ?? { address, family }),
      );
    });

  it('gives what is public, one or all as it is asked', async () => {
    expect(await lookUp(['8.8.8.8', '2606:4700::1111'], false)).toEqual({ address: '8.8.8.8', family: 4 });
    const all = [
      { address: '8.8.8.8', family: 4 },
      { address: '2606:4700::1111', family: 6 },
    ];
    expect(await lookUp(['8.8.8.8', '2606:4700::1111'], true)).toEqual({ address: all, family: undefined });
  });

  it('refuses a name with one private address among public ones', async () => {
    expect(await lookUp(['8.8.8.8', '10.0.0.7'], true)).toBe(
      'example.com leads to 10.0.0.7, which is not an address of the internet.',
    );
  });

  it('fails for a name without addresses', async () => {
    expect(await lookUp([], false)).toBe('The host has no address.');
  });
});
