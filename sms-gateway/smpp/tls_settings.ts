/** How a carrier's certificate is checked. It is checked against the machine's authorities unless said otherwise. */
export interface ClientTls {
  /** The name the certificate must have; the host's by default. */
  servername?: string;
  /** PEM; in place of the machine's authorities. */
  ca?: string;
  /** PEM, where the carrier wants a certificate of ours. */
  cert?: string;
  key?: string;
  /** False takes any certificate, which keeps out listeners but not impostors. */
  rejectUnauthorized?: boolean;
}

export interface ServerTls {
  /** PEM. */
  cert: string;
  key: string;
}
