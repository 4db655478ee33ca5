/**
 * What supplies numbers. Every operation may be asked for again with the same order, and is then done once; each throws `ProviderAway`
 * where it is not known whether it was done.
 */
export interface NumberProvider {
  /** Asks for a number, or how it stands with it. */
  provision(wish: ProvisionWish): Promise<ProviderStatus>;
  /** How it stands with what was asked for. */
  status(order_id: string): Promise<ProviderStatus>;
  /**
   * Tells that a number has, or is to have, another holder. What the provider was told of the one before is to be deleted once it has
   * accepted; of who is refused, it keeps nothing. The same change is done once.
   */
  changeHolder(wish: HolderWish): Promise<HolderChange>;
  /** Gives a number back; whatever the provider was told of its holder is to be deleted. */
  release(wish: { order_id: string; number: string }): Promise<void>;
}

export interface ProvisionWish {
  order_id: string;
  number: string;
  /** What a rule has the provider told of the holder, and nothing else. */
  fields: Readonly<Record<string, string>>;
}

export interface HolderWish extends ProvisionWish {
  change_id: string;
}

export type HolderChange = { state: 'working' } | { state: 'accepted' } | { state: 'refused'; reason: string };

export type ProviderStatus =
  | { state: 'working' }
  /** It is ours; whether it can be reached is being tried, or was. */
  | { state: 'supplied'; reachable: boolean | null }
  | { state: 'refused'; reason: string };

/** The provider did not answer, or not in a way that tells anything. */
export class ProviderAway extends Error {
  override readonly name = 'ProviderAway';
}

/** By the codes that stand in number_provider. */
export type NumberProviders = ReadonlyMap<string, NumberProvider>;
