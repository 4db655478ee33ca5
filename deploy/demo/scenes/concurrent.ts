import { moneyWords } from '../../../domain/money/money_words.ts';
import { answer } from '../../sip/carrier_script.ts';
import type { IncomingCall } from '../../sip/incoming_call.ts';
import { walletOf } from '../../world/verdict.ts';
import { secondsText } from '../narrator.ts';
import type { Scene } from '../stage.ts';
import { Checks, judge } from '../verdict.ts';
import type { CallVerdict } from '../verdict.ts';

const MONEY_MICROS = 12_000n;
const NUMBERS = ['+442071838751', '+442071838752', '+442071838753'];

/** Three calls at once on one wallet: they share its money, and together never spend more. */
export const concurrent: Scene = async ({ world, tell }) => {
  tell.chapter(
    'Three calls at once on one wallet',
    'A wallet with 0.012 EUR, at 0.001 EUR a second: twelve seconds in all.',
  );
  const customer = await world.customer({ balance_micros: MONEY_MICROS });
  const phone = await world.phone(customer);
  const carrier = world.carrier('alpha');
  carrier.play(answer());
  const calls = NUMBERS.map((number) => phone.call(number));
  tell.say('one phone makes three calls');
  const far: IncomingCall[] = [];
  for (let n = 0; n < NUMBERS.length; n += 1) far.push(await carrier.nextCall());
  await Promise.all(calls.map((call) => call.answered()));
  tell.say('all three are answered');
  const endings = await Promise.all(
    calls.map(async (call, n) => {
      const ending = await call.ended(20_000);
      tell.say(`the switch ends call ${n + 1} after ${secondsText(call.talkedMs ?? 0)}`);
      return ending;
    }),
  );
  await Promise.all(far.map((one) => one.ended()));
  const parties = NUMBERS.map((callee, n) => ({
    callee,
    ends: [calls[n], far.find((one) => one.number === callee)].filter((end) => end !== undefined),
  }));
  const verdicts = await judge(world.pool, { kind: 'concurrent', customer, money_micros: MONEY_MICROS, parties });
  const wallet = await walletOf(world.pool, customer.wallet_id);
  const charged = verdicts.reduce((sum, one) => sum + one.charged_micros, 0n);
  tell.show([
    ...sharesOf(verdicts),
    `together ${moneyWords(charged, 'EUR')}; left ${moneyWords(wallet.balance_micros, 'EUR')}`,
  ]);
  const checks = new Checks();
  checks.that(
    endings.every((ending) => ending.by === 'remote'),
    'concurrent: not every call was ended by the switch.',
  );
  checks.that(
    charged + wallet.balance_micros === MONEY_MICROS,
    'concurrent: what was charged and what is left is not what there was.',
  );
  checks.that(charged >= (MONEY_MICROS * 3n) / 4n, `concurrent: only ${charged} micros could be talked away.`);
  for (const [n, one] of parties.entries()) {
    const verdict = verdicts[n];
    checks.that(one.ends.length === 2, `concurrent: no carrier saw the call to ${one.callee}.`);
    if (verdict !== undefined) checks.call(verdict, one);
  }
  return { calls: verdicts, faults: checks.faults };
};

function sharesOf(verdicts: readonly CallVerdict[]): string[] {
  return verdicts.map(
    ({ cdr, charged_micros }) =>
      `${cdr.callee ?? ''}  ${cdr.seconds_billed} s, ${cdr.grants.length === 1 ? 'held at once' : `held in ${cdr.grants.length} parts`}  ${moneyWords(charged_micros, 'EUR')}`,
  );
}
