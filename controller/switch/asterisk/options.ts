/** How the adapter reaches one Asterisk. */
export interface AsteriskSwitchOptions {
  /** `http://host:port`, without the path of ARI. */
  ari: { url: string; user: string; password: string };
  ami: { host: string; port: number; user: string; password: string };
  /** The file the switch writes its records to. */
  cdr_file: string;
  /** After this long without a reply a request fails and the connection counts as lost. */
  request_timeout_ms: number;
  /** How often both connections are asked whether they still live. */
  heartbeat_ms: number;
  /** Reconnecting waits a random time up to a bound that doubles from the first to the second. */
  reconnect_ms: { first: number; most: number };
  /** Hears what went wrong but stops nothing: an unreadable record, a failed attempt to reconnect. */
  problem: (error: Error) => void;
}
