import type { World } from '../world/world.ts';
import type { Narrator } from './narrator.ts';
import type { SceneVerdict } from './verdict.ts';

/** Where a scene is played. */
export interface Stage {
  world: World;
  tell: Narrator;
}

/** One kind of call, really made, and judged by what its parties recorded and by SQL. */
export type Scene = (stage: Stage) => Promise<SceneVerdict>;
