import { describe, expect, it } from 'vitest';
import { parseFailure } from './failure.ts';

function failure(dial_status: string, cause: string, responses: string): unknown {
  return parseFailure(`call*2|${dial_status}|${cause}|${responses}`)?.failure;
}

describe('what the dialplan tells of a failed attempt', () => {
  it('is the final response of the one B channel, with its cause', () => {
    expect(failure('BUSY', '17', 'SIP 486|')).toEqual({
      cause: 17,
      sip_status: 486,
      responded: true,
      unreachable: false,
      timed_out: false,
    });
  });

  it('is not final when only ringing was heard', () => {
    expect(failure('NOANSWER', '0', 'SIP 180|')).toMatchObject({
      sip_status: null,
      responded: true,
      timed_out: true,
    });
  });

  it('does not take the cause of an earlier attempt for one that got no response', () => {
    expect(failure('NOANSWER', '21', '')).toMatchObject({ cause: 0, sip_status: null, responded: false });
  });

  it('lets the device that declined speak for all', () => {
    expect(failure('BUSY', '19', 'SIP 480|SIP 603|SIP 486|')).toMatchObject({
      sip_status: 603,
      cause: 21,
    });
  });

  it('is unreachable only when no channel could be made', () => {
    expect(failure('CHANUNAVAIL', '0', '')).toMatchObject({ unreachable: true, responded: false });
    expect(failure('CHANUNAVAIL', '1', 'SIP 404|')).toMatchObject({ unreachable: false, sip_status: 404 });
  });

  it('is nothing without our account code', () => {
    expect(parseFailure('|BUSY|17|')).toBeNull();
  });
});
