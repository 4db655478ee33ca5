import { describe, expect, it } from 'vitest';
import { parseSecurityEvent } from './security_event.ts';

function event(name: string, remote: string, service = 'PJSIP'): ReadonlyMap<string, string> {
  return new Map([
    ['Event', name],
    ['Service', service],
    ['RemoteAddress', remote],
  ]);
}

describe('a security event', () => {
  it('tells what can be forged from what cannot', () => {
    expect(parseSecurityEvent(event('ChallengeResponseFailed', 'IPV4/UDP/192.0.2.1/5060'))).toEqual({
      kind: 'failed',
      address: '192.0.2.1',
      forgeable: true,
    });
    expect(parseSecurityEvent(event('ChallengeResponseFailed', 'IPV6/TLS/2001:db8::1/443'))).toEqual({
      kind: 'failed',
      address: '2001:db8::1',
      forgeable: false,
    });
    expect(parseSecurityEvent(event('SuccessfulAuth', 'IPV4/UDP/192.0.2.1/5060'))).toEqual({
      kind: 'succeeded',
      address: '192.0.2.1',
    });
    expect(parseSecurityEvent(event('InvalidAccountID', 'IPV4/UDP/192.0.2.1/5060'))?.kind).toBe('unidentified');
  });

  it.each([
    ['of the switch’s own interfaces', event('SuccessfulAuth', 'IPV4/TCP/127.0.0.1/5038', 'AMI')],
    ['of another kind', event('ChallengeSent', 'IPV4/UDP/192.0.2.1/5060')],
    ['without an address', event('SuccessfulAuth', 'IPV4/UDP/unknown/5060')],
    ['without anything', new Map<string, string>()],
  ])('%s says nothing', (_what, message) => {
    expect(parseSecurityEvent(message)).toBeNull();
  });
});
