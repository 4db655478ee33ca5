import type { Transaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { Problem } from '../http/problem.ts';
import { recordCodeRequest, recordRefusedRequest } from './code_request.ts';
import { issueCode } from './issue_code.ts';
import type { WantedCode } from './issue_code.ts';

/** Throws `too_many` where so many codes went there that it may be meant to bother somebody. */
export async function issueOrRefuse(
  { ring, settings, pool, log }: PortalContext,
  tx: Transaction,
  now: Date,
  wanted: WantedCode,
): Promise<{ code_id: string; code: string }> {
  const issued = await issueCode(tx, ring, now, wanted, {
    per_target_per_hour_max: settings.CODES_PER_TARGET_PER_HOUR_MAX,
    per_address_per_hour_max: settings.CODES_PER_ADDRESS_PER_HOUR_MAX,
  });
  if (issued.kind === 'issued') {
    await recordCodeRequest(tx, now, wanted, { outcome: 'sent', code_id: issued.code_id });
    return issued;
  }
  recordRefusedRequest({ pool, log }, now, wanted, 'too_many');
  const retry_after_seconds = Math.ceil(issued.wait_ms / 1000);
  throw new Problem('too_many', `Wait ${retry_after_seconds} s before you ask for another code.`, {
    retry_after_seconds,
  });
}
