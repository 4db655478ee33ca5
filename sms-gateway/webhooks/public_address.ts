import { BlockList, isIP } from 'node:net';

/** What is nobody's on the internet (RFC 6890 and its registry): this host, private, shared, link-local, documentation, groups. */
const reserved_v4 = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  // Shared between a carrier and its customers (RFC 6598).
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // Link-local; clouds tell a machine its secrets at 169.254.169.254.
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  reserved_v4.addSubnet(network, bits, 'ipv4');
}

/** All that is given out of IPv6 (RFC 4291, 2.4); what lies outside, IPv4 in disguise included, is refused as a whole. */
const global_v6 = new BlockList();
global_v6.addSubnet('2000::', 3, 'ipv6');

const reserved_v6 = new BlockList();
for (const [network, bits] of [
  // Protocols of the IETF, Teredo among them, which has an IPv4 address inside; so has 6to4.
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  reserved_v6.addSubnet(network, bits, 'ipv6');
}

/** Whether the address is one of the internet's, not of a network of ours. False for what is no address. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !reserved_v4.check(address, 'ipv4');
    case 6:
      // An address with a zone is link-local.
      return !address.includes('%') && global_v6.check(address, 'ipv6') && !reserved_v6.check(address, 'ipv6');
    default:
      return false;
  }
}
