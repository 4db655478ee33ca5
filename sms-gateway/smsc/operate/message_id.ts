const HYPHENS = /-/gu;
const SHAPE = /^([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})$/iu;

/** The id of a text as SMPP carries it: 32 characters, since some programs keep no more. */
export function writeMessageId(id: string): string {
  return id.replace(HYPHENS, '');
}

/** The id of the text that a peer names, in upper or lower case; null for what is none of ours. */
export function readMessageId(message_id: string): string | null {
  const [, ...groups] = SHAPE.exec(message_id) ?? [];
  return groups.length === 0 ? null : groups.join('-').toLowerCase();
}
