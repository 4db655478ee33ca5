import { expect, it } from 'vitest';
import { isExpected } from './expected_outbind.ts';

const row = {
  ...{ tls: false, outbind_system_id: 'alpha', outbind_password: 'let me', outbind_address: '10.1.2.0/24' },
};

function expected(
  more: { system_id?: string; password?: string; address?: string; is_secure?: boolean } = {},
  changes: Partial<{ [field in keyof typeof row]: (typeof row)[field] | null }> = {},
): boolean {
  const { system_id = 'alpha', password = 'let me', address = '10.1.2.3', is_secure = false } = more;
  const pdu = { command: 'outbind', command_status: 0, sequence_number: 1, system_id, password, tlvs: [] } as const;
  return isExpected({ ...row, ...changes, tls: changes.tls ?? row.tls }, { pdu, address, is_secure });
}

it('a carrier is known by its name, its password and its addresses, all of them', () => {
  expect([expected(), expected({ address: '::ffff:10.1.2.255' }), expected({ is_secure: true })]).toEqual([
    true,
    true,
    true,
  ]);
  for (const wrong of [
    { system_id: 'beta' },
    { system_id: '' },
    { password: 'let' },
    { password: '' },
    { address: '10.1.3.3' },
    { address: '::1' },
    { address: 'unknown' },
  ]) {
    expect([wrong, expected(wrong)]).toEqual([wrong, false]);
  }
});

it('a bind that wants TLS takes nobody in the clear, and one that connects by itself waits for nobody', () => {
  expect([expected({}, { tls: true }), expected({ is_secure: true }, { tls: true })]).toEqual([false, true]);
  expect(expected({ password: '' }, { outbind_password: null })).toBe(false);
  expect(expected({ system_id: '' }, { outbind_system_id: null })).toBe(false);
  expect(expected({}, { outbind_address: null })).toBe(false);
});

it('addresses are of either kind', () => {
  const local = { outbind_address: '2001:db8::/32' };
  expect([expected({ address: '2001:db8::7' }, local), expected({ address: '2001:db9::7' }, local)]).toEqual([
    true,
    false,
  ]);
  expect([expected({}, local), expected({ address: '10.1.2.3' }, { outbind_address: '10.1.2.3/32' })]).toEqual([
    false,
    true,
  ]);
});
