import { explainError } from '../runtime/outage.ts';
import { INTERRUPTED, Interrupted } from './interruption.ts';

/** Runs a command to its end, and gives the process the exit code that tells how it went: `main` resolves with whether all was well. */
export async function runCommand(main: () => Promise<boolean>): Promise<void> {
  try {
    process.exitCode = (await main()) ? 0 : 1;
  } catch (error) {
    const is_interrupted = error instanceof Interrupted;
    console.error(is_interrupted ? error.message : explainError(error));
    process.exitCode = is_interrupted ? INTERRUPTED : 1;
  }
}
