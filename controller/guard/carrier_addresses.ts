import { isIP, isIPv6 } from 'node:net';
import { networksOf } from './networks.ts';

export interface CarrierAddressesOptions {
  /** Networks from which carriers call, as CIDR, and the hosts at which they are called: addresses, or names. */
  read: () => Promise<{ networks: readonly string[]; hosts: readonly string[] }>;
  /** All addresses of a name. Throws where it has none, or nobody answers. */
  resolve: (host: string) => Promise<readonly string[]>;
  onUnresolved: (host: string, error: unknown) => void;
}

/** Where carriers are, who know us by our address: what is sent there is a call that somebody is billed for. */
export class CarrierAddresses {
  readonly #options: CarrierAddressesOptions;
  /** Wherever they were seen: a name leads elsewhere from one minute to the next, and a carrier that was left may know us still. */
  readonly #seen = new Set<string>();
  /** Before the first look everybody could be one. */
  #isWithin: (address: string) => boolean = () => true;

  constructor(options: CarrierAddressesOptions) {
    this.#options = options;
  }

  has(address: string): boolean {
    return this.#isWithin(address);
  }

  /** Throws when the database does not answer; then all stays as it is. */
  async look(): Promise<void> {
    const { networks, hosts } = await this.#options.read();
    const addresses = await Promise.all(hosts.map((host) => this.#addressesOf(host)));
    for (const network of networks) this.#seen.add(network);
    for (const address of addresses.flat()) this.#seen.add(`${address}/${isIPv6(address) ? 128 : 32}`);
    this.#isWithin = networksOf([...this.#seen]);
  }

  async #addressesOf(host: string): Promise<readonly string[]> {
    if (isIP(host) !== 0) return [host];
    try {
      return await this.#options.resolve(host);
    } catch (error) {
      this.#options.onUnresolved(host, error);
      return [];
    }
  }
}
