import { Outage } from '../outage.ts';
import { run } from './run.ts';

/** Who a program runs as that refuses to run as root. */
export interface Identity {
  /** Put in front of its command; empty when we are an ordinary user already. */
  prefix: readonly string[];
  /** Who must own its data. */
  owner_uid: number;
}

const NOBODY = 65_534;

/** Keeps every file root's: the program believes to be nobody, in a user namespace of its own. */
const NAMESPACE = ['unshare', '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`];

const SETPRIV = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];

/**
 * How to run `program` as somebody other than root. Containers often refuse user namespaces; there the program becomes
 * the user nobody, which must then be able to reach the program and `data_parent`.
 */
export async function unprivileged(program: string, data_parent: string): Promise<Identity> {
  const uid = process.getuid?.() ?? NOBODY;
  if (uid !== 0) return { prefix: [], owner_uid: uid };
  if (await works([...NAMESPACE, 'test', '-x', program, '-a', '-r', data_parent]))
    return { prefix: NAMESPACE, owner_uid: 0 };
  if (await works([...SETPRIV, 'test', '-x', program, '-a', '-x', data_parent]))
    return { prefix: SETPRIV, owner_uid: NOBODY };
  throw new Outage(
    `Postgres does not run as root, and the user nobody cannot reach ${program} or ${data_parent}: start Letsdial as an ordinary user, or from a folder that others may enter.`,
  );
}

async function works([file = '', ...args]: readonly string[]): Promise<boolean> {
  return (await run(file, args)).code === 0;
}
