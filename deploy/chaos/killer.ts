import { setTimeout as wait } from 'node:timers/promises';
import type { World } from '../world/world.ts';
import type { Dice } from './dice.ts';

const LIVES_MS = [500, 4_500] as const;
const DEAD_MS = [0, 2_500] as const;

/** Ends the controller without a word, leaves the switch alone for a while, and starts a new one. */
export async function killOnce(world: World, dice: Dice): Promise<{ lived_ms: number; dead_ms: number }> {
  const lived_ms = dice.between(...LIVES_MS);
  await wait(lived_ms);
  const begin_ms = performance.now();
  world.controller.kill();
  await wait(dice.between(...DEAD_MS));
  await world.startController();
  return { lived_ms, dead_ms: Math.round(performance.now() - begin_ms) };
}
