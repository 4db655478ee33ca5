import { existsSync } from 'node:fs';

export interface Command {
  file: string;
  args: readonly string[];
}

const SETPRIV = '/usr/bin/setpriv';

/**
 * The same command, sent `signal` by the kernel when this process ends, however it ends (PR_SET_PDEATHSIG).
 * setpriv belongs to util-linux, which Debian and Ubuntu cannot be without; elsewhere the command goes unguarded.
 */
export function guarded(command: Command, signal: 'TERM' | 'INT' | 'QUIT' | 'KILL'): Command {
  if (!existsSync(SETPRIV)) return command;
  return { file: SETPRIV, args: ['--pdeathsig', signal, command.file, ...command.args] };
}
