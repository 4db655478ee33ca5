import { spawn } from 'node:child_process';
import { guarded } from './guard.ts';

export interface Finished {
  /** The exit code; a signal that ended it counts as 128, as in a shell. */
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Lines that the command writes to its file descriptor 3. */
  onStatus?: (line: string) => void;
}

/** Runs a command to its end. A non-zero exit is a result (127: no such command); what cannot be started is thrown. */
export function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const command = guarded({ file, args }, 'TERM');
    const child = spawn(command.file, command.args, {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: options.env,
      cwd: options.cwd,
    });
    let stdout = '';
    let stderr = '';
    let rest = '';
    child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdio[3]?.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) options.onStatus?.(line);
    });
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code: code ?? 128, stdout, stderr });
    });
  });
}
