import type { LookupAddress, LookupOptions } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { isPublicAddress } from './public_address.ts';

/** Rejects when there are none. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

/** The address leads into a network of ours, where customers have no business. */
export class RefusedAddress extends Error {
  override readonly name = 'RefusedAddress';

  constructor(hostname: string, address: string) {
    super(
      hostname === address
        ? `${address} is not an address of the internet.`
        : `${hostname} leads to ${address}, which is not an address of the internet.`,
    );
  }
}

/** What `net.connect` asks for an address (`lookup` of its options). */
export type Lookup = (
  hostname: string,
  options: LookupOptions,
  answer: (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void,
) => void;

/**
 * Looks an endpoint's host up for the connection that is about to be made, and refuses it when any of its addresses is not
 * of the internet. The connection goes to what was checked here: a name that leads elsewhere a moment later (DNS rebinding)
 * gains nothing.
 */
export function guardedLookup(resolve: Resolve): Lookup {
  return (hostname, options, answer) => {
    resolve(hostname).then(
      (addresses) => {
        const refused = addresses.find((address) => !isPublicAddress(address));
        if (refused === undefined) answerWith(addresses, options, answer);
        else answer(new RefusedAddress(hostname, refused), '');
      },
      (error: unknown) => answer(error as NodeJS.ErrnoException, ''),
    );
  };
}

/** The same without the guard, where endpoints of our own network are wanted. */
export function openLookup(resolve: Resolve): Lookup {
  return (hostname, options, answer) => {
    resolve(hostname).then(
      (addresses) => answerWith(addresses, options, answer),
      (error: unknown) => answer(error as NodeJS.ErrnoException, ''),
    );
  };
}

/** A host that is an address already is connected to without any lookup. */
export function refusedLiteral(url: URL): RefusedAddress | null {
  const host = url.hostname.replace(/^\[|\]$/gu, '');
  return isIP(host) !== 0 && !isPublicAddress(host) ? new RefusedAddress(host, host) : null;
}

/**
 * Asks the name servers directly: the system's `getaddrinfo` would occupy one of the process's few threads for as long as a
 * customer's name server keeps silent.
 */
export function nameServers(timeout_ms: number): Resolve {
  const resolver = new Resolver({ timeout: timeout_ms, tries: 2 });
  return async (hostname) => {
    // RFC 6761, 6.3: no name server is asked for it.
    if (/(?:^|\.)localhost\.?$/iu.test(hostname)) return ['127.0.0.1', '::1'];
    const [v4, v6] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    const addresses = [v4, v6].flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    if (addresses.length > 0) return addresses;
    throw v4.status === 'rejected' ? (v4.reason as Error) : new Error(`${hostname} has no address.`);
  };
}

function answerWith(addresses: readonly string[], { all }: LookupOptions, answer: Parameters<Lookup>[2]): void {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  const [first] = found;
  if (first === undefined) answer(new Error('The host has no address.'), '');
  else if (all === true) answer(null, found);
  else answer(null, first.address, first.family);
}
