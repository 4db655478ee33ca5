import { tellCall } from '../../../controller/explain/tell_call.ts';
import type { Scene } from '../stage.ts';
import { Checks, judge } from '../verdict.ts';

/** No money, no call: the caller hears the reason, and nobody's clock ever starts. */
export const refused: Scene = async ({ world, tell }) => {
  tell.chapter(
    'A call without money',
    'An empty wallet. The reason is spoken before any answer, so that nobody bills it.',
  );
  const customer = await world.customer({ balance_micros: 0n });
  const phone = await world.phone(customer);
  const reached = world.carrier('alpha').records.length;
  const call = phone.call('+442071838750');
  tell.say('the phone dials +44 20 7183 8750');
  await call.earlyMedia();
  await call.hears('voice', 8_000);
  tell.say('the caller hears a voice that says why, and has not been answered');
  const ending = await call.ended(20_000);
  tell.say(`the call is refused with SIP ${ending.status ?? 'nothing'}`);
  const parties = { callee: '+442071838750', ends: [call] };
  const calls = await judge(world.pool, { kind: 'refused', customer, money_micros: 0n, parties: [parties] });
  const checks = new Checks();
  checks.that(ending.status === 403, `refused: the signalling said ${ending.status ?? 'nothing'}, not 403.`);
  checks.that(call.record.answered_at_ms === undefined, 'refused: the call was answered.');
  checks.that(world.carrier('alpha').records.length === reached, 'refused: a carrier was asked all the same.');
  for (const verdict of calls) {
    checks.call(verdict, parties);
    checks.that(verdict.cdr.refusal === 'no_money', `refused: the record says ${verdict.cdr.refusal ?? 'no reason'}.`);
    checks.that(verdict.charged_micros === 0n, `refused: ${verdict.charged_micros} micros were charged.`);
    if (verdict.story !== null) tell.show(tellCall(verdict.story));
  }
  return { calls, faults: checks.faults };
};
