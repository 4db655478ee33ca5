import { setTimeout as wait } from 'node:timers/promises';
import { seeded } from '../../domain/rating/bench/sample_decks.ts';
import type { BehaviourInput } from '../smsc/behaviour.ts';
import { inOwnTextWorld } from '../world/own_text_world.ts';
import { runCommand } from '../world/run_command.ts';
import type { TextWorld } from '../world/text_world.ts';
import { eventually } from '../world/verdict.ts';
import { diceOf } from './dice.ts';
import type { Dice } from './dice.ts';
import { chaosOptions } from './options.ts';
import type { ChaosOptions } from './options.ts';
import { Phones } from '../soak/sms/phones.ts';
import { judgeArrivals, storedArrivals } from './sms/arrivals.ts';
import type { Arrivals } from './sms/arrivals.ts';
import { gatherEvidence } from './sms/evidence.ts';
import { judge, passed } from './sms/verdict.ts';
import type { SmsChaosVerdict } from './sms/verdict.ts';
import { Writers } from './sms/writers.ts';

const CUSTOMERS = 6;
const LIVES_MS = [300, 2_500] as const;
const DEAD_MS = [0, 800] as const;
const SETTLE_MS = 120_000;
/** How often somebody answers by a text. */
const ARRIVES_MS = 40;

/** Carriers with all the manners that have lost others their receipts. */
const manners: BehaviourInput = {
  answer_delay_ms: { min: 0, max: 30 },
  throttled_per_mille: 10,
  unanswered_per_mille: 2,
  disconnect_per_mille: 1,
  receipts: { delay_ms: { min: 0, max: 400 }, early_per_mille: 100, twice_per_mille: 50, intermediate_per_mille: 50 },
};

/** Kills the gateway again and again under load; what became of each text and each receipt is read from the carriers' logs and from SQL. */
async function main(options: ChaosOptions): Promise<boolean> {
  const opening = `${options.kills} kills of the gateway under load; --seed ${options.seed} repeats the choices.`;
  const wishes = {
    ...{ carriers: ['alpha', 'beta'], binds_per_carrier: 2 },
    ...{ smsc: { behaviour: manners }, settings: { RESPONSE_TIMEOUT_MS: '2000', LOG_LEVEL: 'warn' } },
  };
  return inOwnTextWorld({ json: options.json, opening, world: wishes }, async ({ world, say, interrupted }) => {
    const result = await Promise.race([run(world, options, say), interrupted]);
    for (const fault of result.faults.slice(0, 20)) console.error(fault);
    if (!result.has_passed) console.error(`--seed ${options.seed} repeats the choices.`);
    console.log(JSON.stringify(result.verdict));
    return result.has_passed;
  });
}

async function run(world: TextWorld, options: ChaosOptions, say: (line: string) => void): ReturnType<typeof verdictOf> {
  const dice = diceOf(seeded(options.seed));
  const writers = await Writers.begin(world, CUSTOMERS);
  writers.keep(options.calls);
  const phones = new Phones(world, writers.texters[0]?.number ?? '');
  const arriving = setInterval(() => phones.send(), ARRIVES_MS);
  for (let kill = 1; kill <= options.kills; kill += 1) {
    await killOnce(world, dice);
    say(`  kill ${kill} of ${options.kills}; ${writers.accepted.length} texts are accepted`);
  }
  await wait(dice.between(...LIVES_MS));
  clearInterval(arriving);
  await writers.stop();
  for (const refused of new Set(writers.refused)) say(`Refused: ${refused}`);
  await eventually('the end of every text', SETTLE_MS, () => nothingWaits(world));
  await eventually('the acknowledgement of every text that came in', SETTLE_MS, () =>
    phones.waiting === 0 ? true : null,
  );
  return verdictOf(world, options.kills, writers, phones);
}

async function verdictOf(
  world: TextWorld,
  kills: number,
  writers: Writers,
  phones: Phones,
): Promise<{ verdict: SmsChaosVerdict & Arrivals; faults: readonly string[]; has_passed: boolean }> {
  const texts = judge(await gatherEvidence(world, kills, writers.accepted));
  const arrived = judgeArrivals(phones.acknowledged, await storedArrivals(world.pool, phones.acknowledged));
  return {
    verdict: { ...texts.verdict, ...arrived.verdict },
    faults: [...texts.faults, ...arrived.faults],
    has_passed: passed(texts) && arrived.passed,
  };
}

async function killOnce(world: TextWorld, dice: Dice): Promise<void> {
  await wait(dice.between(...LIVES_MS));
  world.gateway.kill();
  await wait(dice.between(...DEAD_MS));
  await world.startGateway();
}

/** True when nothing is to be sent any more and the carriers have no receipt left to bring. */
async function nothingWaits(world: TextWorld): Promise<true | null> {
  const { rows } = await world.pool.query<{ waiting: string }>(
    `select count(*) as waiting from message_queue where state in ('w', 'c')`,
  );
  if (rows[0]?.waiting !== '0') return null;
  return (await world.withCarriers()) === 0 ? true : null;
}

await runCommand(() => main(chaosOptions(process.argv.slice(2))));
