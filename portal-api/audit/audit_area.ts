import { appendFile } from 'node:fs/promises';
import { z } from 'zod';
import { AuditSigner, headLine, signHead } from '../../domain/audit/audit_head.ts';
import type { Area, PortalContext } from '../context.ts';
import { task } from '../jobs/task.ts';

/**
 * Signs where the audit log stands every ten minutes in which something came, and keeps that apart from the database: rows that are newer
 * than that can be cut off by whoever has the database, and nothing tells of it.
 */
export function auditArea({ pool, ring, settings, now }: PortalContext): Area {
  const signer = new AuditSigner(ring.audit_seed);
  const signAuditHead = task(
    'sign_audit_head',
    z.object({}),
    async () => {
      await signHead(pool, signer, now(), (head) =>
        appendFile(settings.AUDIT_HEADS_FILE, `${headLine(head)}\n`, { mode: 0o600 }),
      );
    },
    '*/10 * * * *',
  );
  return { routes: [], tasks: [signAuditHead] };
}
