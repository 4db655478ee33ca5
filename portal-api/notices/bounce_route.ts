import { createHash } from 'node:crypto';
import { inTransaction } from '../../domain/db/transaction.ts';
import { blindIndex, emailSpelling } from '../../domain/privacy/sealing.ts';
import type { PortalContext } from '../context.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { whySignatureIsWrong } from '../payments/signature.ts';
import { bounceClass } from './bounce_class.ts';
import { recordBounce } from './bounce_rows.ts';
import { failedRecipients } from './delivery_report.ts';
import { isOfMailTo } from './mail_id.ts';

export const REPORT_SIGNATURE = 'x-letsdial-signature';

/** Where whoever receives mail for our sender's address hands reports on, as they came. */
export function bounceRoute(context: PortalContext): Route {
  const { pool, ring, log, settings } = context;
  return route(
    {
      method: 'post',
      path: '/v1/mail-reports',
      operation_id: 'take_mail_report',
      summary: 'For the operator’s mail server alone: a delivery report (RFC 3464) as it came, signed.',
      tag: 'mail',
      policy: { anyone: true },
      pace: 'read',
      raw: true,
      answers: {
        204: { description: 'Taken, now or before; what tells of no mail of ours changes nothing.', empty: true },
      },
      problems: ['not_permitted', 'not_available'],
    },
    async ({ raw, headers, now }) => {
      const secret = settings.MAIL_REPORT_SECRET;
      if (secret === undefined) throw new Problem('not_available', 'No reports about mail are taken here.');
      const bytes = Buffer.isBuffer(raw) ? raw : Buffer.alloc(0);
      const signature = headers[REPORT_SIGNATURE];
      const why = whySignatureIsWrong(secret, bytes, typeof signature === 'string' ? signature : '', now);
      if (why !== null) throw new Problem('not_permitted', `This was not taken: ${why}.`);
      const report = bytes.toString('latin1');
      for (const failed of failedRecipients(report)) {
        // Forwarded mail is told of by another address than the one that we wrote to.
        const address = failed.addresses.find((one) => isOfMailTo(ring, report, one));
        if (address === undefined) {
          log.warn({ status: failed.status }, 'a report tells of a mail that is none of ours, or to somebody else');
          continue;
        }
        const { smtp_code, status, words } = failed;
        await inTransaction(pool, (tx) =>
          recordBounce(tx, {
            ...{ class: bounceClass(smtp_code, status, 'report', words), smtp_code, status, source: 'report', at: now },
            address_index: blindIndex(ring, 'email', emailSpelling(address)),
            report_sha256: createHash('sha256')
              .update(bytes)
              .update(`\0${emailSpelling(address)}`)
              .digest(),
          }),
        );
      }
      return { status: 204 };
    },
  );
}
