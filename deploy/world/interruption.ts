/** Somebody wants the run to end; what runs is then ended in good order. */
export class Interrupted extends Error {
  constructor() {
    super('Interrupted: everything was ended.');
  }
}

/** The exit code of a command that Ctrl-C ended, as shells count. */
export const INTERRUPTED = 130;

/**
 * Rejects at the first Ctrl-C, or wish of that kind. At the second one nothing is waited for any more, a query that takes minutes least of
 * all: this process ends, and the kernel ends what it started (`guard.ts`).
 */
export function interruption(): Promise<never> {
  return new Promise((_resolve, reject) => {
    let is_interrupted = false;
    const interrupt = (): void => {
      if (is_interrupted) {
        console.error('Interrupted again: nothing is waited for.');
        process.exit(INTERRUPTED);
      }
      is_interrupted = true;
      reject(new Interrupted());
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  });
}
