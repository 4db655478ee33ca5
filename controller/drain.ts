import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Calls } from './call/calls.ts';
import type { CallSession } from './call/session.ts';
import { causes } from './call/refusal.ts';
import type { Switch } from './switch/switch.ts';

export interface DrainOptions {
  calls: Calls;
  media: Switch;
  /** How long live calls may go on. */
  drain_ms: number;
  on_stop: 'hang_up' | 'hand_over';
  log: Logger;
}

const LOOK_MS = 50;
/** Ended calls need their record and the database; what is not settled then, the next start settles. */
const SETTLE_MS_MAX = 5000;

/**
 * No new calls, live ones end or are handed over, ended ones settle. Never throws: a stop goes on whatever happens. Who asks for help is
 * handed over in any case.
 */
export async function drain({ calls, media, drain_ms, on_stop, log }: DrainOptions): Promise<void> {
  calls.refuseNew();
  await until(() => calls.live.length === 0, drain_ms);
  if (on_stop === 'hang_up') {
    for (const session of calls.live.filter((one) => !asksForHelp(one))) {
      await media
        .hangUp(session.channel_id, causes.normal)
        .catch((error: unknown) =>
          session.log.warn({ err: error }, 'the call was not hung up; the switch ends it at its deadline'),
        );
    }
  }
  const isHandedOver = (session: CallSession): boolean =>
    session.state.phase !== 'settling' && (on_stop === 'hand_over' || asksForHelp(session));
  const unsettled = (): number => calls.live.filter((session) => !isHandedOver(session)).length;
  await until(() => unsettled() === 0, SETTLE_MS_MAX);
  log.info({ unsettled: unsettled(), handed_over: calls.live.length - unsettled() }, 'drained');
}

function asksForHelp({ state }: CallSession): boolean {
  return 'plan' in state && state.plan.direction === 'emergency';
}

async function until(condition: () => boolean, within_ms: number): Promise<void> {
  const steps = Math.ceil(within_ms / LOOK_MS);
  for (let step = 0; step < steps && !condition(); step += 1) await wait(LOOK_MS);
}
