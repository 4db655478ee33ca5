import { setTimeout as pause } from 'node:timers/promises';
import { Outage } from '../outage.ts';
import type { Child } from './child.ts';

export interface Readiness {
  name: string;
  log_file: string;
  timeout_ms: number;
  /** True once the child answers. Not yet: false. */
  answers: () => Promise<boolean>;
}

const ASK_AGAIN_MS = 25;

/** Resolves once the child answers; stops it and throws when it ends or stays silent. */
export async function untilReady(child: Child, readiness: Readiness): Promise<void> {
  const silence = new AbortController();
  const timer = setTimeout(() => {
    silence.abort();
  }, readiness.timeout_ms);
  const death = child.died.then((error) => {
    throw error;
  });
  try {
    await Promise.race([death, asking(child, readiness, silence.signal)]);
  } catch (error) {
    await child.stop();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function asking(child: Child, readiness: Readiness, silence: AbortSignal): Promise<void> {
  while (child.alive()) {
    if (await readiness.answers()) return;
    if (silence.aborted) {
      throw new Outage(
        `${readiness.name} did not answer within ${readiness.timeout_ms / 1000} s, so the start was given up: see ${readiness.log_file}.`,
      );
    }
    await pause(ASK_AGAIN_MS);
  }
  // Its death is told by `died`, which knows the reason.
  return new Promise<void>(() => undefined);
}
