import type { BoundEsme } from './bound_esme.ts';

/** A request's bind, as far as its answer depends on it. */
export interface Bind {
  esme: BoundEsme;
  /** As the peer gave it. */
  interface_version: number;
}
