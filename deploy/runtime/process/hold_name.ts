import net from 'node:net';
import { listens } from './listens.ts';

/** What names are held with, so that they stay held while this process lives. */
const holds: net.Server[] = [];

/**
 * Whether a name of this machine is now ours, and nobody else's while this process lives. It is an abstract socket, which the kernel
 * takes back from whoever dies (unix(7)).
 */
export async function holdName(name: string): Promise<boolean> {
  const holder = net.createServer();
  if (!(await listens(holder, { path: `\0letsdial-${name}` }))) return false;
  holder.unref();
  holds.push(holder);
  return true;
}
