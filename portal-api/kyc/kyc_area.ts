import { DocumentFolder } from '../documents/document_folder.ts';
import { DocumentReader } from '../documents/document_reader.ts';
import type { Area, PortalContext } from '../context.ts';
import { customerRoutes } from './customer_routes.ts';
import type { KycParts, KycPorts } from './kyc_parts.ts';
import { kycTasks } from './kyc_tasks.ts';
import { requirementRoutes } from './requirement_routes.ts';
import { reviewRoutes } from './review_routes.ts';
import type { Verifier } from './verifier.ts';

/** Who customers are: what is asked of them, what they send, and who decides about it. */
export function kycArea(context: PortalContext, ports: KycPorts, verifier: Verifier | null = null): Area {
  const { pool, keys, log, now, settings } = context;
  const folder = new DocumentFolder(settings.DOCUMENTS_FOLDER);
  const reader = new DocumentReader();
  const parts: KycParts = { pool, keys, log, now, settings, folder, reader, verifier, ...ports };
  return {
    routes: [...requirementRoutes(parts), ...customerRoutes(parts), ...reviewRoutes(parts)],
    tasks: kycTasks(parts),
  };
}
