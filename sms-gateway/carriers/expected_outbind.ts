import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, isIPv4 } from 'node:net';
import type { OutbindRequest } from '../smpp/server.ts';
import type { SessionOwner } from '../smpp/session_owner.ts';
import type { BindRow } from './bind_row.ts';

/** What becomes of an SMSC that came to us. */
export type OutbindVerdict =
  | { kind: 'taken'; owner: SessionOwner }
  /** Its bind has a connection already. */
  | { kind: 'busy' }
  /** It is none that a bind waits for. */
  | { kind: 'unexpected' };

type Expected = Pick<BindRow, 'tls' | 'outbind_system_id' | 'outbind_password' | 'outbind_address'>;

/**
 * Whether this is the SMSC that a bind waits for: by name and password, from its addresses, and over TLS where the bind wants that. What it
 * is told in turn is our own password, and what it is sent are customers' texts.
 */
export function isExpected(
  { tls, outbind_system_id, outbind_password, outbind_address }: Expected,
  { pdu, address, is_secure }: Pick<OutbindRequest, 'pdu' | 'address' | 'is_secure'>,
): boolean {
  if (outbind_system_id === null || outbind_password === null || outbind_address === null) return false;
  if (pdu.system_id !== outbind_system_id || (tls && !is_secure)) return false;
  return isWithin(address, outbind_address) && isSame(pdu.password, outbind_password);
}

function isWithin(address: string, network: string): boolean {
  const [base = '', bits = ''] = network.split('/');
  // A socket that speaks both versions of IP writes an IPv4 address as one of IPv6 (RFC 4291, 2.5.5.2).
  const plain = address.replace(/^::ffff:/u, '');
  const networks = new BlockList();
  networks.addSubnet(base, Number(bits), familyOf(base));
  return networks.check(plain, familyOf(plain));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6';
}

/** In the same time for any two. */
function isSame(given: string, expected: string): boolean {
  const [one, other] = [given, expected].map((word) => createHash('sha256').update(word).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}
