/** Where one Asterisk lives and whom it serves. All paths are absolute: Asterisk resolves none. */
export interface AsteriskOptions {
  directories: AsteriskDirectories;
  /** Goes into each channel id, so that ids stay unique over restarts and over several switches. `[a-z0-9-]`. */
  system_name: string;
  sip: { address: string; port: number };
  /** Calls that are up at a time; the next one is refused with 503. */
  calls_max: number;
  /** The address that stands in our SDP; media is bound to it. */
  media_address: string;
  rtp: { first_port: number; last_port: number };
  /** ARI and the websocket of browser phones; loopback unless a proxy on another machine stands in front. */
  http: { address: string; port: number };
  ari: { user: string; password: string };
  ami: { address: string; port: number; user: string; password: string };
  /** The read-only role that sees the views of devices and trunks, nothing else. */
  postgres: { host: string; port: number; database: string; user: string; password: string };
  /** Given, SIP over TLS and browser phones over WSS are offered too. */
  tls: TlsOptions | null;
  /** Where the switch writes its own record of each call. */
  cdr_file: string;
}

export interface AsteriskDirectories {
  /** Holds the rendered configuration. */
  config: string;
  modules: string;
  /** Holds `sounds/`, `documentation/` and `rest-api/`. */
  data: string;
  /** Holds astdb, where registered contacts are kept over restarts. */
  database: string;
  spool: string;
  run: string;
  log: string;
  keys: string;
}

export interface TlsOptions {
  certificate_file: string;
  private_key_file: string;
  sip_port: number;
  https: { address: string; port: number };
}
