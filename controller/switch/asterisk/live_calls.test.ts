import { describe, expect, it } from 'vitest';
import { liveCalls } from './live_calls.ts';

function channel(fields: Record<string, string>): ReadonlyMap<string, string> {
  return new Map(Object.entries({ ChannelState: '6', Application: 'Dial', AccountCode: '', ...fields }));
}

describe('calls in a list of channels', () => {
  it('join the legs of a call', () => {
    const list = [
      channel({ Uniqueid: 'b', Channel: 'PJSIP/b-01', Linkedid: 'a', AccountCode: 'call*1', Application: 'AppDial' }),
      channel({ Uniqueid: 'a', Channel: 'PJSIP/a-01', Linkedid: 'a', AccountCode: 'call*1' }),
    ];
    expect(liveCalls(list, () => ({ b_channel_id: 'PJSIP/b-01', answered_at_ms: 5 }))).toEqual([
      {
        ...{ channel_id: 'a', call_id: 'call', attempt: 1, b_channel_id: 'PJSIP/b-01', answered_at_ms: 5 },
        ...{ waiting: false, help: null },
      },
    ]);
  });

  it('tell which is for help, whose, and when it came', () => {
    const [Uniqueid, Linkedid] = ['letsdial-1700000000.12', 'letsdial-1700000000.12'];
    const list = [
      channel({ Uniqueid, Linkedid, Channel: 'PJSIP/office-2-0000001a', AccountCode: 'call*1*112' }),
      channel({ Uniqueid: 'b', Linkedid, Channel: 'PJSIP/trunk-help-0000001b', AccountCode: 'call*1*112' }),
    ];
    expect(liveCalls(list, () => undefined)).toMatchObject([
      { call_id: 'call', attempt: 1, help: { code: '112', device: 'office-2', arrived_at_ms: 1_700_000_000_000 } },
    ]);
  });

  it('do not take a leg that rings for one that talks', () => {
    const list = [
      channel({ Uniqueid: 'b', Linkedid: 'a', ChannelState: '5' }),
      channel({ Uniqueid: 'a', Linkedid: 'a', AccountCode: 'call*1' }),
    ];
    expect(liveCalls(list, () => undefined)[0]).toMatchObject({ b_channel_id: null, answered_at_ms: null });
  });

  it('tell a B-leg whose A-leg is gone as a call nobody owns, and no whisper channel', () => {
    const list = [
      channel({ Uniqueid: 'b', Linkedid: 'a', AccountCode: 'call*1' }),
      channel({ Uniqueid: 's', Linkedid: 's', Channel: 'Snoop/a-00000001' }),
    ];
    expect(liveCalls(list, () => undefined)).toMatchObject([{ channel_id: 'b', call_id: null, attempt: null }]);
  });

  it('show a refused call as ours without an attempt', () => {
    const list = [channel({ Uniqueid: 'a', Linkedid: 'a', AccountCode: 'call*0', Application: 'Playback' })];
    expect(liveCalls(list, () => undefined)[0]).toMatchObject({ call_id: 'call', attempt: null, waiting: false });
  });
});
