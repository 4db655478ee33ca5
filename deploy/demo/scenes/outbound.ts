import { answer, refuse } from '../../sip/carrier_script.ts';
import { talk } from '../../world/talk.ts';
import { tellCall } from '../../../controller/explain/tell_call.ts';
import { heardWords } from '../heard.ts';
import { secondsText } from '../narrator.ts';
import type { Scene } from '../stage.ts';
import { Checks, judge } from '../verdict.ts';

const MONEY_MICROS = 1_000_000n;
const TALK_MS = 2_800;
const VOICE = { kind: 'voice' } as const;

/** A phone calls a mobile abroad; the cheaper carrier fails, the next one takes the call, the caller hangs up. */
export const outbound: Scene = async ({ world, tell }) => {
  tell.chapter(
    'A call to another country',
    'A wallet with 1.00 EUR. The cheapest carrier is out of order, so the next one takes it.',
  );
  const customer = await world.customer({ balance_micros: MONEY_MICROS, tax_ppm: 190_000 });
  const phone = await world.phone(customer);
  world.carrier('alpha').play(refuse(503));
  world.carrier('beta').play(answer({ ring_after_ms: 100, answer_after_ms: 600, sound: VOICE }));
  const call = phone.call('0044 7700 900123'.replaceAll(' ', ''));
  tell.say('the phone dials 0044 7700 900123');
  const failing = await world.carrier('alpha').nextCall();
  await failing.ended();
  tell.say('carrier alpha says 503; nobody but the route knows');
  const far = await world.carrier('beta').nextCall();
  await call.ringing();
  tell.say(`it rings over carrier beta, showing ${far.record.identities.from_user}`);
  await call.answered();
  call.say(VOICE);
  tell.say('answered: from here the seconds count');
  await talk(call, TALK_MS);
  await call.bye();
  await far.ended();
  tell.say(`the caller hangs up after ${secondsText(call.talkedMs ?? 0)}`);
  tell.say(`the caller heard ${heardWords(call)}, the carrier ${heardWords(far)}`);
  const parties = { callee: '+447700900123', ends: [call, far] };
  const calls = await judge(world.pool, { kind: 'outbound', customer, money_micros: MONEY_MICROS, parties: [parties] });
  const checks = new Checks();
  for (const verdict of calls) {
    checks.call(verdict, parties);
    checks.that(verdict.cdr.result === 'answered', `outbound: the record says ${verdict.cdr.result}.`);
    checks.that(verdict.cdr.seconds_billed === 3, `outbound: ${verdict.cdr.seconds_billed} s are billed, not 3.`);
    checks.that(verdict.cdr.attempts.length === 2, 'outbound: not two carriers were tried.');
    if (verdict.story !== null) tell.show(tellCall(verdict.story));
  }
  checks.that(far.record.identities.from_user === customer.number, 'outbound: the callee was shown another number.');
  checks.that(
    (call.rtp?.voice_ms ?? 0) > 1000 && (far.rtp?.voice_ms ?? 0) > 1000,
    'outbound: they did not hear each other.',
  );
  return { calls, faults: checks.faults };
};
