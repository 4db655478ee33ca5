import { describe, expect, it } from 'vitest';
import type { BridgePlan } from '../switch.ts';
import { accountCode, checkedDevice, continuation, deviceOf, parseAccountCode } from './plan.ts';

const plan: BridgePlan = {
  call_id: '0b7f0b0e-0000-4000-8000-000000000001',
  attempt: 1,
  target: { kind: 'trunk', trunk: 'trunk-one', number: '+442071234567' },
  caller_number: '+441632960001',
  ring_timeout_ms: 30_000,
  limit_ms: 60_000,
  help_code: null,
};

describe('a plan as the dialplan takes it', () => {
  it('dials a trunk with a limit and ignores redirection', () => {
    expect(continuation(plan)).toEqual({
      context: 'ld-bridge',
      extension: 'trunk',
      variables: [
        {
          name: 'LD_PLAN',
          value: [
            'CHANNEL(accountcode)=0b7f0b0e-0000-4000-8000-000000000001*1',
            'CALLERID(all)=""<+441632960001>',
            'LD_TO=PJSIP/+442071234567@trunk-one',
            'LD_RING_SECONDS=30.000',
            'LD_LIMIT_MS=60000',
          ].join(','),
        },
      ],
    });
  });

  it('dials all phones of all devices, each of which is told by itself', () => {
    const phones = ['PJSIP/a-1/sip:a@198.51.100.7', 'PJSIP/b-2/sip:b@198.51.100.8'];
    const target = { kind: 'devices', devices: ['a-1', 'b-2'] } as const;
    const { extension, variables } = continuation({ ...plan, target }, phones);
    expect(extension).toBe('devices');
    expect(variables).toMatchObject([
      { name: 'LD_PHONE_1', value: phones[0] },
      { name: 'LD_PHONE_2', value: phones[1] },
      { name: 'LD_PLAN', value: expect.stringContaining(',LD_TO=${LD_PHONE_1}&${LD_PHONE_2},') as unknown },
    ]);
  });

  it('withholds a number', () => {
    const [told] = continuation({ ...plan, caller_number: null }).variables;
    expect(told?.value).toContain('CALLERID(pres)=prohib');
  });

  it.each([
    { target: { kind: 'trunk', trunk: 'trunk-one', number: '1&PJSIP/2' } },
    { target: { kind: 'trunk', trunk: 'trunk-one)', number: '123' } },
    { target: { kind: 'trunk', trunk: 'trunk-one', number: '${SHELL(id)}' } },
    { caller_number: '1>x' },
    { call_id: 'a*b' },
    { help_code: '112,1' },
  ] satisfies Partial<BridgePlan>[])('refuses what would mean something else in a dial string: %j', (more) => {
    expect(() => continuation({ ...plan, ...more })).toThrow(/impossible/u);
  });

  it('asks the switch for no device that has the name of none', () => {
    expect(checkedDevice('desk-1')).toBe('desk-1');
    expect(() => checkedDevice('a,60,t')).toThrow(/impossible/u);
  });

  it('has an account code that reads back', () => {
    for (const help_code of [null, '112'])
      expect(parseAccountCode(accountCode({ call_id: 'call-1', attempt: 12, help_code }))).toEqual({
        ...{ call_id: 'call-1', attempt: 12, help_code },
      });
    expect(parseAccountCode('')).toBeNull();
    expect(parseAccountCode('call-1')).toBeNull();
  });

  it.each([
    ['PJSIP/office-2-0000001a', 'office-2'],
    ['PJSIP/office-2', null],
    ['Local/office-2@ld-voicemail-0000001a;2', null],
  ])('finds the device of the channel %s', (name, device) => {
    expect(deviceOf(name)).toBe(device);
  });
});
