import { join } from 'node:path';
import type { PortalContext } from '../context.ts';
import { DocumentFolder } from '../documents/document_folder.ts';

/** What the parts of voice mail share. */
export interface VoicemailParts extends PortalContext {
  /** Recordings, each sealed. */
  folder: DocumentFolder;
  /** Where the switch leaves recordings and finds greetings, both in plain; null where there is no mailbox to be had. */
  spool: { messages: string; greetings: string } | null;
}

export function voicemailParts(context: PortalContext): VoicemailParts {
  const { DOCUMENTS_FOLDER, VOICEMAIL_FOLDER: spool } = context.settings;
  return {
    ...context,
    folder: new DocumentFolder(join(DOCUMENTS_FOLDER, 'voice-messages')),
    spool: spool === undefined ? null : { messages: join(spool, 'messages'), greetings: join(spool, 'greetings') },
  };
}
