import { tellBill } from '../../../controller/explain/tell_bill.ts';
import { answer } from '../../sip/carrier_script.ts';
import { monotonicMs } from '../../sip/clock.ts';
import { walletOf } from '../../world/verdict.ts';
import { secondsText } from '../narrator.ts';
import type { Scene } from '../stage.ts';
import { Checks, judge } from '../verdict.ts';

const MONEY_MICROS = 4_000n;

/** A wallet with money for exactly four seconds: the switch ends the call when they are over. */
export const cutOff: Scene = async ({ world, tell }) => {
  tell.chapter(
    'A call that outlasts its money',
    'A wallet with 0.004 EUR, at 0.001 EUR a second: four seconds, and the call ends within the fourth.',
  );
  const customer = await world.customer({ balance_micros: MONEY_MICROS });
  const phone = await world.phone(customer);
  // A carrier that says nothing, so that a tone can only be the warning.
  world.carrier('alpha').play(answer({ sound: { kind: 'silence' } }));
  const call = phone.call('+442071838750');
  const far = await world.carrier('alpha').nextCall();
  const answered_at_ms = await call.answered();
  tell.say('answered; nobody means to hang up');
  await call.hears('tone', 6_000);
  const warned_ms = monotonicMs() - answered_at_ms;
  tell.say('the caller hears the warning tone');
  const ending = await call.ended(10_000);
  await far.ended();
  tell.say(`the switch ends the call after ${secondsText(call.talkedMs ?? 0)}`);
  const parties = { callee: '+442071838750', ends: [call, far] };
  const calls = await judge(world.pool, { kind: 'cut_off', customer, money_micros: MONEY_MICROS, parties: [parties] });
  const wallet = await walletOf(world.pool, customer.wallet_id);
  const checks = new Checks();
  const talked_ms = call.talkedMs ?? 0;
  checks.that(ending.by === 'remote', 'cut_off: it was not the switch that ended the call.');
  checks.that(
    talked_ms > 3_800 && talked_ms <= 4_000,
    `cut_off: the call lasted ${secondsText(talked_ms)}, not four seconds.`,
  );
  checks.that(
    warned_ms > 1_500,
    `cut_off: the warning came ${secondsText(warned_ms)} after the answer, which is no warning.`,
  );
  checks.that(wallet.balance_micros === 0n, `cut_off: ${wallet.balance_micros} micros are left.`);
  for (const verdict of calls) {
    checks.call(verdict, parties);
    checks.that(verdict.charged_micros === MONEY_MICROS, `cut_off: ${verdict.charged_micros} micros were charged.`);
    if (verdict.story !== null) tell.show(tellBill(verdict.story));
  }
  return { calls, faults: checks.faults };
};
