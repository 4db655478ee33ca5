import type { AsteriskDirectories } from '../asterisk/options.ts';

/** A second Asterisk that plays a carrier: for the demo, for tests and for benchmarks. It has no database. */
export interface CarrierOptions {
  directories: AsteriskDirectories;
  /** `[a-z0-9-]`. */
  system_name: string;
  /** Its own address, for instance 127.0.0.5: our switch and the carrier know each other by address alone. */
  sip: { address: string; port: number };
  rtp: { first_port: number; last_port: number };
  http: { port: number };
  ari: { user: string; password: string };
  /** The operator this carrier serves: calls from these addresses are taken, calls to its numbers go to `host:port`. */
  customer: { addresses: readonly string[]; host: string; port: number };
  /** How long a called party rings before it answers. */
  ring_ms: number;
}
