import type { DocumentFolder } from '../documents/document_folder.ts';
import type { DocumentReader } from '../documents/document_reader.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import type { Verifier } from './verifier.ts';

/** What approval lets go on elsewhere, in the transaction that approves. */
export interface KycPorts {
  resumeOrders: (tx: Queryable, account_id: string) => Promise<void>;
}

/** What every route and task of this area is given. */
export interface KycParts extends Pick<PortalContext, 'pool' | 'keys' | 'log' | 'now' | 'settings'>, KycPorts {
  folder: DocumentFolder;
  reader: DocumentReader;
  /** Null: nobody but people looks at documents. */
  verifier: Verifier | null;
}
