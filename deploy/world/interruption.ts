/** Somebody wants the run to end; what runs is then ended in good order. */
export class Interrupted extends Error {
  constructor() {
    super('Interrupted: everything was ended.');
  }
}

/** The exit code of a command that Ctrl-C ended, as shells count. */
export const INTERRUPTED = 130;

/** Rejects at the first Ctrl-C, or wish of that kind. */
export function interruption(): Promise<never> {
  return new Promise((_resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => reject(new Interrupted()));
  });
}
