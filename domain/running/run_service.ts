import type { Logger } from 'pino';

/** What a service's `main.ts` starts and stops. */
export interface Service {
  /** Resolves when it serves. */
  start(): Promise<void>;
  /** Drains, then closes. */
  stop(): Promise<void>;
  /** Told of what it cannot go on after. */
  onFatal(listener: (error: Error) => void): void;
}

/**
 * Starts the service of this process. A signal drains it, a second one ends it at once; what is fatal ends it with 1.
 * @param ready asked once it serves: what the log says of it, and its facts. With IPC the parent that started us is told them as well.
 */
export async function runService(
  service: Service,
  log: Logger,
  ready: () => { words: string; facts: Readonly<Record<string, number | null>> },
): Promise<void> {
  const stopping = stopOnSignals(service, log);
  service.onFatal((error) => {
    log.fatal({ err: error }, 'this service cannot go on');
    process.exit(1);
  });
  try {
    await service.start();
  } catch (error) {
    if (!stopping.has_begun) throw error;
    log.info('told to stop before it served');
    return;
  }
  const { words, facts } = ready();
  log.info(facts, `ready: ${words}`);
  process.send?.({ ready: true, ...facts });
}

function stopOnSignals(service: Service, log: Logger): { readonly has_begun: boolean } {
  const stopping = { has_begun: false };
  const stop = (signal: string): void => {
    if (stopping.has_begun) {
      log.warn({ signal }, 'told twice: stopping at once');
      process.exit(1);
    }
    stopping.has_begun = true;
    log.info({ signal }, 'draining');
    service.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'the stop failed');
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => stop(signal));
  return stopping;
}
