/** The parts of an error of Node or of Postgres that say what was refused, and where. */
interface Refused {
  code: string;
  message: string;
  path: string | null;
}

const AGAIN = 'or name another folder in LETSDIAL_HOME, and start again';

/** By the codes of Node (errno) and of Postgres (SQLSTATE; PostgreSQL, appendix A): what a person reads who can do something about it. */
const sentences: Readonly<Record<string, (refused: Refused) => string | null>> = {
  ENOSPC: ({ path }) =>
    `The disk ${path === null ? 'that Letsdial writes to' : `that holds ${path}`} is full (ENOSPC), so Letsdial could not go on: free some space, ${AGAIN}.`,
  EDQUOT: ({ path }) =>
    `The disk quota of this user is used up${path === null ? '' : ` where ${path} lies`} (EDQUOT), so Letsdial could not go on: delete some of this user's files, have the quota raised, ${AGAIN}.`,
  EACCES: mayNot,
  EPERM: mayNot,
  EROFS: ({ path }) =>
    `${path ?? 'What Letsdial writes to'} lies on a file system that can only be read (EROFS), so Letsdial could not go on: mount it writable, ${AGAIN}.`,
  // insufficient_privilege
  '42501': ({ message }) =>
    `Postgres refuses what its user may not do (${message}), so Letsdial could not go on: grant the user of DATABASE_URL that right, or name one there that may make tables and roles, and start again.`,
  // disk_full
  '53100': ({ message }) =>
    `The disk of Postgres is full (${message}), so nothing more could be written and Letsdial could not go on: free some space where its data lies, and start again.`,
};

/** Without a path it could be a port or a process as well, and where it was says more than this could. */
function mayNot({ code, path }: Refused): string | null {
  if (path === null) return null;
  return `This user may not use ${path} (${code}), so Letsdial could not go on: give this user the right to it, ${AGAIN}.`;
}

/** One sentence about an error by which the machine or the database refuses its service; null for any other error. */
export function explainRefusal(error: Error): string | null {
  if (!('code' in error) || typeof error.code !== 'string') return null;
  const sentence = Object.hasOwn(sentences, error.code) ? sentences[error.code] : undefined;
  if (sentence === undefined) return null;
  const path = 'path' in error && typeof error.path === 'string' ? error.path : null;
  return sentence({ code: error.code, path, message: withoutStatement(error.message) });
}

/** Knex puts the whole statement, which may be a migration, before what Postgres says of it. */
function withoutStatement(message: string): string {
  return message.split(' - ').at(-1) ?? message;
}
