import { cpus } from 'node:os';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { brokenRules, whatHappened } from './testing/broken_rules.ts';
import type { Happened } from './testing/broken_rules.ts';
import { BEGINNING, steps } from './testing/history_steps.ts';
import type { Step } from './testing/history_steps.ts';
import { NumberModel } from './testing/number_model.ts';
import { expected, openStage, PlayedHistory } from './testing/played_history.ts';
import type { Stage } from './testing/played_history.ts';

/** `npm run histories:numbers` plays ten thousand of them. */
const HISTORIES = Number(process.env['LETSDIAL_HISTORIES'] ?? 80);
const SEED = Number(process.env['LETSDIAL_SEED'] ?? 21);
/** All rules are asked of a whole database after each step, so one that is too full is left for a new one. */
const HISTORIES_ON_A_STAGE = 25;
const PLAYERS = Math.max(2, cpus().length);
const HISTORY_MS_MAX = 2_000;

/** By SQL after each step: the model says how it has to stand, and the rules say what must never be. */
async function play(stage: Stage, index: number, history: readonly Step[]): Promise<void> {
  const [real, model] = [await PlayedHistory.begin(stage, index), new NumberModel(BEGINNING)];
  for (const [n, step] of history.entries()) {
    await real.take(step);
    model.take(step);
    if (step.kind === 'wait') continue;
    const at = { n, step };
    expect({ at, standing: await real.standing() }).toEqual({ at, standing: expected(model) });
    expect({ at, broken: await brokenRules(stage.owner) }).toEqual({ at, broken: [] });
  }
}

const spelt = (history: readonly Step[]): string =>
  JSON.stringify(history, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));

/** Takes histories off the list until there is none, and adds up what happened in them. */
async function playAll(histories: [number, Step[]][], happened: Happened): Promise<void> {
  while (histories.length > 0) {
    const stage = await openStage(2);
    try {
      for (let left = HISTORIES_ON_A_STAGE; left > 0; left -= 1) {
        const [index, history] = histories.pop() ?? [];
        if (index === undefined || history === undefined) break;
        await play(stage, index, history).catch((error: unknown) => {
          throw new Error(`History ${index} of seed ${SEED} went wrong: ${spelt(history)}`, { cause: error });
        });
      }
      for (const [what, count] of Object.entries(await whatHappened(stage.owner))) {
        happened[what] = (happened[what] ?? 0) + count;
      }
      if (HISTORIES > 1_000) process.stderr.write(`${histories.length} histories to go\n`);
    } finally {
      await stage.end();
    }
  }
}

it(
  'histories of buying, renewing, cancelling, refunds, chargebacks and transfers go as the model has them, to the micro',
  { timeout: 60_000 + HISTORIES * HISTORY_MS_MAX },
  async () => {
    const histories = fc.sample(steps, { numRuns: HISTORIES, seed: SEED }).map((one, n): [number, Step[]] => [n, one]);
    const happened: Happened = {};
    await Promise.all(Array.from({ length: PLAYERS }, () => playAll(histories, happened)));
    if (HISTORIES > 1_000) process.stderr.write(`${JSON.stringify({ histories: HISTORIES, ...happened })}\n`);
    // Histories in which nothing happens would prove nothing; of a few, that says nothing.
    if (HISTORIES < 80) return;
    for (const [what, count] of Object.entries(happened)) {
      expect({ what, often: count * 200 > HISTORIES }).toEqual({ what, often: true });
    }
  },
);
