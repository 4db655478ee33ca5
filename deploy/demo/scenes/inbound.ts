import { tellBill } from '../../../controller/explain/tell_bill.ts';
import { talk } from '../../world/talk.ts';
import { heardWords } from '../heard.ts';
import { secondsText } from '../narrator.ts';
import type { Scene } from '../stage.ts';
import { Checks, judge } from '../verdict.ts';

const MONEY_MICROS = 500_000n;
const TALK_MS = 2_300;
const STRANGER = '+442079460123';
const VOICE = { kind: 'voice' } as const;

/** A carrier brings a call to a number of ours; the registered phone rings and answers. */
export const inbound: Scene = async ({ world, tell }) => {
  tell.chapter('A call to a virtual number', 'The number costs its holder 0.03 EUR a minute for calls that come in.');
  const customer = await world.customer({ balance_micros: MONEY_MICROS, inbound_rate_micros_per_minute: 30_000n });
  const phone = await world.phone(customer);
  const call = world.carrier('alpha').callIn(customer.number, STRANGER);
  tell.say(`carrier alpha brings a call of ${STRANGER} to ${customer.number}`);
  const ringing = await phone.nextIncoming();
  await call.ringing();
  tell.say(`the phone rings, showing ${ringing.record.identities.from_user}`);
  await ringing.answer();
  await call.answered();
  call.say(VOICE);
  ringing.say(VOICE);
  tell.say('it is answered');
  await talk(call, TALK_MS);
  await call.bye();
  await ringing.ended();
  tell.say(`the stranger hangs up after ${secondsText(call.talkedMs ?? 0)}`);
  tell.say(`the stranger heard ${heardWords(call)}, the phone ${heardWords(ringing)}`);
  const parties = { callee: customer.number, ends: [call, ringing] };
  const calls = await judge(world.pool, { kind: 'inbound', customer, money_micros: MONEY_MICROS, parties: [parties] });
  const checks = new Checks();
  for (const verdict of calls) {
    checks.call(verdict, parties);
    checks.that(verdict.cdr.direction === 'inbound', 'inbound: the record says another direction.');
    checks.that(verdict.charged_micros === 1_500n, `inbound: ${verdict.charged_micros} micros charged, not 1500.`);
    if (verdict.story !== null) tell.show(tellBill(verdict.story));
  }
  checks.that(ringing.record.identities.from_user === STRANGER, 'inbound: the phone was shown another number.');
  checks.that(
    (call.rtp?.voice_ms ?? 0) > 1000 && (ringing.rtp?.voice_ms ?? 0) > 1000,
    'inbound: they did not hear each other.',
  );
  return { calls, faults: checks.faults };
};
