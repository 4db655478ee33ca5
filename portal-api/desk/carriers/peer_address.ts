import { isIP } from 'node:net';
import { z } from 'zod';

const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/u;

/** A name of the DNS or an IPv4 address. Nothing else: the switch builds URIs of it. */
export const host = z.string().max(253).regex(HOST);

/** That, or an IPv6 address. */
export const peerHost = z
  .string()
  .max(253)
  .refine(
    (text) => HOST.test(text) || (isIP(text) === 6 && !text.includes('%')),
    'is no name of a host and no address',
  );

export const port = z.int().min(1).max(65_535);

const BITS = { 4: 32, 6: 128 } as const;
/** Beyond a whole provider's network it is a slip of the pen, by which strangers could call at our cost. */
const BITS_MIN = { 4: 16, 6: 32 } as const;

/** `192.0.2.10` or `192.0.2.0/28`, of IPv4 or IPv6, and always told with its length. */
export const network = z
  .string()
  .max(43)
  .transform((text, context) => {
    const read = readNetwork(text);
    if (!('fault' in read)) return read.network;
    context.addIssue({ code: 'custom', message: read.fault });
    return z.NEVER;
  });

/** As the database takes it, or in words why not. */
export function readNetwork(text: string): { network: string } | { fault: string } {
  const [address = '', length, ...more] = text.split('/');
  const family = isIP(address);
  if ((family !== 4 && family !== 6) || more.length > 0 || address.includes('%')) {
    return { fault: 'is no address and no network: write 192.0.2.10 or 192.0.2.0/28' };
  }
  if (family === 6 && address.includes('.')) return { fault: 'is IPv4 within IPv6: write the IPv4 address' };
  const bits = length === undefined ? BITS[family] : /^\d{1,3}$/u.test(length) ? Number(length) : Number.NaN;
  if (!(bits >= BITS_MIN[family] && bits <= BITS[family])) {
    return { fault: `has its length between /${BITS_MIN[family]} and /${BITS[family]}` };
  }
  const beyond = valueOf(address, family) & ((1n << BigInt(BITS[family] - bits)) - 1n);
  if (beyond !== 0n) return { fault: `says more than its first ${bits} bits: write the network, or one address` };
  return { network: `${address}/${bits}` };
}

function valueOf(address: string, family: 4 | 6): bigint {
  if (family === 4) return address.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);
  const [head = '', tail] = address.split('::');
  const groups = (half: string | undefined): string[] => (half === undefined || half === '' ? [] : half.split(':'));
  const [first, last] = [groups(head), groups(tail)];
  const between = Array.from({ length: 8 - first.length - last.length }, () => '0');
  return [...first, ...between, ...last].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}
