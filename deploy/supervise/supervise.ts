import { explainError } from '../runtime/outage.ts';
import type { Running } from '../runtime/running.ts';
import type { Begin } from './part.ts';

/** What the supervisor sees and touches of the world. */
export interface Surroundings {
  /** Calls back at each SIGINT and SIGTERM. */
  onSignal: (heard: () => void) => void;
  now_ms: () => number;
  say: (line: string) => void;
  complain: (line: string) => void;
  /** Ends this process at once. */
  exit: (code: number) => void;
}

type Ending = { kind: 'asked' } | { kind: 'died'; error: Error } | { kind: 'failed'; error: unknown };

/** A terminal, npm and a shell may each pass on the same Ctrl-C: what follows this close is the same wish. */
const SAME_WISH_MS = 500;

/** The exit code of a process that SIGINT ended, as shells count. */
const KILLED = 130;

class Abandoned extends Error {}

/**
 * Starts what `compose` begins, in its order, then waits for a signal or for a part to die, and stops all in reverse.
 *
 *     starting ──all begun──▶ running ──signal──▶ stopping ──▶ exit code 0
 *        │                       └──a part died──▶ stopping ──▶ 1
 *        ├──signal──▶ stopping ──▶ 0
 *        └──a part failed or died──▶ stopping ──▶ 1        a second signal, anywhere: killed, 130
 */
export async function supervise(compose: (begin: Begin) => Promise<void>, world: Surroundings): Promise<number> {
  const up: { name: string; running: Running }[] = [];
  const life: { ending: Ending | null } = { ending: null };
  let wake = (): void => undefined;
  const ended = new Promise<void>((resolve) => (wake = resolve));
  const end = (how: Ending): void => {
    life.ending ??= how;
    wake();
  };
  listen(world, {
    first: () => {
      end({ kind: 'asked' });
    },
    second: () => {
      for (const { running } of up) running.kill();
      world.exit(KILLED);
    },
  });
  const begin: Begin = async (part) => {
    if (life.ending !== null) throw new Abandoned();
    const running = await part.start();
    up.push({ name: part.name, running });
    void running.died.then((error) => {
      end({ kind: 'died', error });
    });
    world.say(running.describe);
    return running;
  };
  try {
    await compose(begin);
    await ended;
  } catch (error) {
    end({ kind: 'failed', error });
  }
  const clean = await stopAll(up, world);
  return report(life.ending, world) && clean ? 0 : 1;
}

function listen(world: Surroundings, on: { first: () => void; second: () => void }): void {
  let first_ms: number | null = null;
  world.onSignal(() => {
    const now_ms = world.now_ms();
    if (first_ms === null) {
      first_ms = now_ms;
      world.say('Stopping in good order (once more to stop at once) …');
      on.first();
    } else if (now_ms - first_ms > SAME_WISH_MS) {
      on.second();
    }
  });
}

/** Whether every part stopped without complaint. One that fails does not keep the others running. */
async function stopAll(up: readonly { name: string; running: Running }[], world: Surroundings): Promise<boolean> {
  let clean = true;
  for (const { name, running } of up.toReversed()) {
    try {
      await running.stop();
      world.say(`${name} stopped`);
    } catch (error) {
      clean = false;
      running.kill();
      world.complain(`${name} did not stop in good order and was killed: ${explainError(error)}`);
    }
  }
  return clean;
}

/** Whether it was meant to end. */
function report(ending: Ending | null, world: Surroundings): boolean {
  switch (ending?.kind) {
    case undefined:
    case 'asked':
      return true;
    case 'died':
    case 'failed':
      world.complain(explainError(ending.error));
      return false;
  }
}
