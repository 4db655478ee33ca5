import { randomInt } from 'node:crypto';

/** Loopback addresses of one stack. A network of its own for each makes every well-known port a free one. */
export interface StackAddresses {
  switch: string;
  phones: string;
  carrier: string;
  /** Somebody listens there and never says anything. */
  silent: string;
}

export function stackAddresses(): StackAddresses {
  const network = `127.${randomInt(16, 250)}.${randomInt(0, 250)}`;
  return { switch: `${network}.1`, phones: `${network}.2`, carrier: `${network}.5`, silent: `${network}.8` };
}
