import { createHash } from 'node:crypto';

/** The realm is part of every stored digest: to change it would lock out every phone. */
export const SIP_REALM = 'letsdial';

export interface DeviceDigests {
  ha1_md5: string;
  ha1_sha256: string;
}

/** H(username:realm:password), as digest authentication asks for it (RFC 7616 3.4.2, RFC 8760). */
export function deviceDigests(username: string, password: string): DeviceDigests {
  const secret = `${username}:${SIP_REALM}:${password}`;
  return {
    ha1_md5: createHash('md5').update(secret).digest('hex'),
    ha1_sha256: createHash('sha256').update(secret).digest('hex'),
  };
}
