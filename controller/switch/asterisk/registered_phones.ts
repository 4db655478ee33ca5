import { isIP } from 'node:net';
import type { AmiMessage } from './ami_message.ts';

/**
 * A Contact as phones write it, with an address in place of a name. SIP allows more in one (RFC 3261, 25.1: `&`, `,`, `$`, `(` in its
 * user), and there it would be a further peer, argument or function of a dial string.
 */
const CONTACT =
  /^sips?:(?:[\w.~*%+=-]{1,100}@)?(?:\[([0-9a-f:.]{2,45})\]|([0-9.]{7,15}))(?::[0-9]{1,5})?(?:;[\w.~%+-]{1,40}(?:=(?:\[[0-9a-f:.]{2,45}\])?[\w.~%+:*!-]{0,200})?)*$/iu;
const CONTACT_LENGTH_MAX = 500;

export interface RegisteredPhones {
  /** Each as a peer of `Dial`. */
  peers: readonly string[];
  /** Registrations that nobody is called by. */
  refused: number;
}

/**
 * Where a device is registered, of what the switch lists for it (the events of `PJSIPShowEndpoint`). The switch puts the sender's address
 * into the first Contact of a REGISTER and believes every further one: without a look at it, a customer whose number is called could
 * have the switch call anybody by a carrier that knows it by its address, and no price, deadline or rule of ours would apply.
 * @param isCarrier whether there may be a carrier at that address.
 */
export function registeredPhones(
  device: string,
  listed: readonly AmiMessage[],
  isCarrier: (address: string) => boolean,
): RegisteredPhones {
  const contacts = listed
    .filter((one) => one.get('Event') === 'ContactStatusDetail' && one.get('AOR') === device)
    .map((one) => one.get('URI') ?? '');
  const peers = contacts.filter((uri) => isPhone(uri, isCarrier)).map((uri) => `PJSIP/${device}/${uri}`);
  return { peers, refused: contacts.length - peers.length };
}

function isPhone(uri: string, isCarrier: (address: string) => boolean): boolean {
  if (uri.length > CONTACT_LENGTH_MAX) return false;
  const [, ipv6, ipv4] = CONTACT.exec(uri) ?? [];
  const address = ipv6 ?? ipv4 ?? '';
  return isIP(address) !== 0 && !isCarrier(address);
}
