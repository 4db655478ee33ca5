import { describe, expect, it } from 'vitest';
import type { RequestOutcome } from '../../smpp/window.ts';
import { STATUS } from '../../smpp/status.ts';
import { beginDelivery, bindEnded, endOf, nextPart, partAnswered, partSent } from './progress.ts';
import type { Progress } from './progress.ts';

const answer = (command_status: number): RequestOutcome => ({
  kind: 'response',
  pdu: { command: 'deliver_sm_resp', message_id: '', tlvs: [], command_status, sequence_number: 1 },
});
const ok = answer(STATUS.ESME_ROK);
const closed = (written: boolean): RequestOutcome => ({ kind: 'unanswered', why: 'closed', written });
const sentAll = (parts: number): Progress =>
  Array.from({ length: parts }).reduce<Progress>((progress) => partSent(progress), beginDelivery(parts));

describe('a delivery', () => {
  it('is delivered when every part is acknowledged', () => {
    let progress = beginDelivery(2);
    expect(nextPart(progress)).toBe(0);
    progress = partSent(progress);
    expect(nextPart(progress)).toBe(1);
    progress = partAnswered(progress, ok);
    expect(endOf(progress)).toBeNull();
    progress = partSent(progress);
    expect(nextPart(progress)).toBeNull();
    expect(endOf(progress)).toBeNull();
    expect(endOf(partAnswered(progress, ok))).toEqual({ kind: 'delivered' });
  });

  it('fails when a part is refused, once the others are answered, and no further part is sent', () => {
    let progress = partSent(partSent(beginDelivery(3)));
    progress = partAnswered(progress, answer(STATUS.ESME_RX_P_APPN));
    expect(nextPart(progress)).toBeNull();
    expect(endOf(progress)).toBeNull();
    const why = 'The bind answered ESME_RX_P_APPN.';
    expect(endOf(partAnswered(progress, ok))).toEqual({ kind: 'failed', why, wants_patience: false });
  });

  it.each([STATUS.ESME_RTHROTTLED, STATUS.ESME_RMSGQFUL, STATUS.ESME_RX_T_APPN, STATUS.ESME_RSYSERR])(
    'is to wait where the peer asks for patience: %i',
    (status) => {
      expect(endOf(partAnswered(sentAll(1), answer(status)))).toMatchObject({ kind: 'failed', wants_patience: true });
    },
  );

  it('was not sent where the bind ended before', () => {
    expect(endOf(bindEnded(beginDelivery(2)))).toEqual({ kind: 'unsent' });
    expect(endOf(partAnswered(sentAll(1), closed(false)))).toEqual({ kind: 'unsent' });
  });

  it('has failed where the peer may have some of it', () => {
    expect(endOf(partAnswered(sentAll(1), closed(true)))).toMatchObject({ kind: 'failed', wants_patience: false });
    const half = partAnswered(partSent(beginDelivery(2)), ok);
    expect(endOf(bindEnded(half))).toMatchObject({ kind: 'failed' });
    const mixed = partAnswered(partAnswered(sentAll(2), closed(false)), closed(true));
    expect(endOf(mixed)).toMatchObject({ kind: 'failed' });
    expect(endOf(partAnswered(partAnswered(sentAll(2), closed(true)), closed(false)))).toMatchObject({
      kind: 'failed',
    });
  });
});
