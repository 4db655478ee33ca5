import { isIP } from 'node:net';
import type { Sign } from '../../guard/gate.ts';
import type { AmiMessage } from './ami_message.ts';

/** Events of AMI's class `security` that say something about credentials; the others are kept back in the switch. */
export const SECURITY_EVENTS = ['ChallengeResponseFailed', 'SuccessfulAuth', 'InvalidAccountID'] as const;

/**
 * Reads one security event; null where it is not about SIP. Asterisk reports `ChallengeResponseFailed` for any wrong digest, with a
 * nonce that it never gave out as well, so over UDP it proves nothing about the sender. `SuccessfulAuth` needs a nonce that is
 * bound to the sender's address, and sent to it or to the `maddr` of its Via. `InvalidAccountID` is a request of nobody, each of them
 * (unidentified_request_count in pjsip.conf).
 */
export function parseSecurityEvent(message: AmiMessage): Sign | null {
  if (message.get('Service') !== 'PJSIP') return null;
  // IPV4/UDP/192.0.2.1/5060
  const [, transport = '', address = ''] = (message.get('RemoteAddress') ?? '').split('/');
  if (isIP(address) === 0) return null;
  switch (message.get('Event')) {
    case 'ChallengeResponseFailed':
      return { kind: 'failed', address, forgeable: transport === 'UDP' };
    case 'SuccessfulAuth':
      return { kind: 'succeeded', address };
    case 'InvalidAccountID':
      return { kind: 'unidentified', address };
    default:
      return null;
  }
}
