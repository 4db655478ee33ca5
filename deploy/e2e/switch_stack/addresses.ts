import { freeNetwork } from '../../runtime/process/free_network.ts';

/** Loopback addresses of one stack. */
export interface StackAddresses {
  switch: string;
  phones: string;
  carrier: string;
  /** Somebody listens there and never says anything. */
  silent: string;
}

export async function stackAddresses(): Promise<StackAddresses> {
  const network = await freeNetwork();
  return { switch: `${network}.1`, phones: `${network}.2`, carrier: `${network}.5`, silent: `${network}.8` };
}
