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
import { BoundCustomer } from '../soak/sms/bound_customer.ts';
import { Phones } from '../soak/sms/phones.ts';
import { Recipients } from '../soak/sms/recipients.ts';
import { judgeArrivals, storedArrivals } from './sms/arrivals.ts';
import type { Arrivals } from './sms/arrivals.ts';
import { gatherEvidence } from './sms/evidence.ts';
import { judgeTold } from './sms/told.ts';
import type { Told } from './sms/told.ts';
import { judge, passed } from './sms/verdict.ts';
import type { SmsChaosVerdict } from './sms/verdict.ts';
import { Writers } from './sms/writers.ts';

const CUSTOMERS = 6;
const LIVES_MS = [300, 2_500] as const;
const DEAD_MS = [0, 800] as const;
const SETTLE_MS = 120_000;
/** How often somebody answers by a text, to a number of who asks over HTTP and to one of who binds. */
const ARRIVES_MS = 40;
/** How often the customer who binds sends one, while he is bound. */
const SUBMITS_MS = 10;
const CUSTOMER_BINDS = 2;

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
  const bound = await BoundCustomer.begin(world, new Recipients(), CUSTOMER_BINDS);
  const load: Load = {
    ...{ writers, bound, to_bound: new Phones(world, bound.texter.number) },
    to_writer: new Phones(world, writers.texters[0]?.number ?? ''),
  };
  try {
    await underLoad(
      load,
      async () => {
        for (let kill = 1; kill <= options.kills; kill += 1) {
          await killOnce(world, dice);
          const texts = `${writers.accepted.length} texts are accepted, and ${bound.accepted.length} over SMPP`;
          say(`  kill ${kill} of ${options.kills}; ${texts}`);
        }
        await wait(dice.between(...LIVES_MS));
      },
      options.calls,
    );
    for (const refused of new Set(writers.refused)) say(`Refused: ${refused}`);
    for (const refused of new Set(bound.refused)) say(`Refused over SMPP: ${refused}`);
    await settle(world, load);
    return await verdictOf(world, options.kills, load);
  } finally {
    await bound.stop();
  }
}

/** Who writes while the gateway is killed, and to whom it is written. */
interface Load {
  writers: Writers;
  bound: BoundCustomer;
  to_writer: Phones;
  to_bound: Phones;
}

async function underLoad(load: Load, work: () => Promise<void>, writers: number): Promise<void> {
  load.writers.keep(writers);
  const timers = [
    setInterval(() => load.to_writer.send(), ARRIVES_MS),
    setInterval(() => load.to_bound.send(), ARRIVES_MS),
    setInterval(() => load.bound.send(), SUBMITS_MS),
  ];
  try {
    await work();
  } finally {
    for (const timer of timers) clearInterval(timer);
  }
  // Only where the gateway is there: a writer asks until he is answered.
  await load.writers.stop();
}

async function settle(world: TextWorld, { to_writer, to_bound, bound }: Load): Promise<void> {
  await eventually('the answer to every text over SMPP', SETTLE_MS, () => (bound.in_flight === 0 ? true : null));
  await eventually('the end of every text', SETTLE_MS, () => nothingWaits(world));
  await eventually('the acknowledgement of every text that came in', SETTLE_MS, () =>
    to_writer.waiting + to_bound.waiting === 0 ? true : null,
  );
  await eventually('the last of what who binds is told', SETTLE_MS, () => allIsTold(world));
}

async function verdictOf(
  world: TextWorld,
  kills: number,
  { writers, bound, to_writer, to_bound }: Load,
): Promise<{ verdict: SmsChaosVerdict & Arrivals & Told; faults: readonly string[]; has_passed: boolean }> {
  const evidence = await gatherEvidence(world, kills, [...writers.accepted, ...bound.accepted]);
  const texts = judge(evidence);
  const arrivals = [...to_writer.acknowledged, ...to_bound.acknowledged];
  const arrived = judgeArrivals(arrivals, await storedArrivals(world.pool, arrivals));
  const { accepted, told: told_of, heard } = bound;
  const { stored } = evidence;
  const told = judgeTold({ accepted, stored, told: told_of, arrivals: to_bound.acknowledged, heard });
  return {
    verdict: { ...texts.verdict, ...arrived.verdict, ...told.verdict },
    faults: [...texts.faults, ...arrived.faults, ...told.faults],
    has_passed: passed(texts) && arrived.passed && told.passed,
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

/** True when nothing is left that whoever binds has to be given. */
async function allIsTold(world: TextWorld): Promise<true | null> {
  const { rows } = await world.pool.query(
    `select from customer_delivery where channel = 'smpp' and dead_at is null limit 1`,
  );
  return rows.length === 0 ? true : null;
}

await runCommand(() => main(chaosOptions(process.argv.slice(2))));
