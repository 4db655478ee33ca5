import { describe, expect, it } from 'vitest';
import type { AmiMessage } from './ami_message.ts';
import { registeredPhones } from './registered_phones.ts';

const CARRIER = '192.0.2.5';

function listed(...uris: readonly string[]): AmiMessage[] {
  return uris.map(
    (uri) =>
      new Map([
        ['Event', 'ContactStatusDetail'],
        ['AOR', 'desk-1'],
        ['URI', uri],
      ]),
  );
}

const phones = (...uris: readonly string[]) => registeredPhones('desk-1', listed(...uris), (one) => one === CARRIER);

describe('the phones that are registered as a device', () => {
  it.each([
    'sip:desk-1@198.51.100.7',
    'sip:desk-1@198.51.100.7:5062',
    'sip:198.51.100.7:5062',
    'sips:+4930123@[2001:db8::7]:5061;transport=tls',
    'sip:h2k1m3@198.51.100.7:51234;transport=ws;x-ast-orig-host=q1w2e3.invalid:0',
    'sip:1001@198.51.100.7:5060;rinstance=1a2b3c;ob;x-ast-orig-host=[fd00::1]:5060',
    'sip:1001%3B1@198.51.100.7:5060;line=x-1_2.3~4;transport=UDP',
  ])('are called where they are: %s', (uri) => {
    expect(phones(uri)).toEqual({ peers: [`PJSIP/desk-1/${uri}`], refused: 0 });
  });

  it.each([
    // A further peer, by a carrier's trunk.
    'sip:x&PJSIP/+8821300000000@trunk-alpha',
    'sip:x&PJSIP/trunk-alpha/sip:+8821300000000@198.51.100.7',
    'sip:x&Local/s@198.51.100.7',
    // Arguments of Dial: no deadline, and a redirection is followed.
    'sip:x,30,r@198.51.100.7',
    // What is within brackets counts as one argument, all that follows too.
    'sip:x(@198.51.100.7',
    'sip:x@198.51.100.7;a=[',
    'sip:x@198.51.100.7;a="',
    // Functions and variables.
    'sip:${SHELL(id)}@198.51.100.7',
    'sip:x$y@198.51.100.7',
    'sip:x@198.51.100.7;a=$b',
    'sip:x@198.51.100.7;a=b&PJSIP',
    'sip:x\\@198.51.100.7',
    // The carrier itself, which knows us by our address, in all that this address can be written as.
    `sip:+8821300000000@${CARRIER}`,
    `sip:+8821300000000@${CARRIER}:5080;transport=tcp`,
    'sip:+8821300000000@carrier.example',
    'sip:+8821300000000@3221225989',
    'sip:+8821300000000@192.0.2.05',
    'sip:+8821300000000@999.0.2.5',
    'tel:+8821300000000',
    `sip:${'x'.repeat(101)}@198.51.100.7`,
    `sip:x@198.51.100.7${';a=b'.repeat(200)}`,
    '',
  ])('are not where a Contact would mean something else to the switch: %s', (uri) => {
    expect(phones(uri)).toEqual({ peers: [], refused: 1 });
  });

  it('ring beside one that is refused, and those of others do not', () => {
    const [good, bad] = ['sip:a@198.51.100.7', 'sip:a,1@198.51.100.7'];
    expect(phones(good, bad)).toEqual({ peers: [`PJSIP/desk-1/${good}`], refused: 1 });
    expect(registeredPhones('desk-2', listed(good), () => false)).toEqual({ peers: [], refused: 0 });
    expect(registeredPhones('desk-1', [new Map([['Event', 'EndpointDetail']])], () => false).peers).toEqual([]);
  });
});
