import { join } from 'node:path';
import type { CarrierPart } from './parts/carrier.ts';
import type { SmsGatewayPart } from './parts/sms_gateway.ts';
import type { DemoOperator } from './seed/demo_operator.ts';

export interface Started {
  home: string;
  /** Whether a demo operator was wanted (LETSDIAL_DEMO). */
  demo_wanted: boolean;
  /** Null where there is no demo operator, and no carrier of his then. */
  demo: DemoOperator | null;
  carrier: CarrierPart | null;
  sip: { address: string; port: number };
  texts: SmsGatewayPart;
  /** Where the carrier's SMSC is told what somebody answers. */
  smsc: { address: string; control_port: number };
  tls_port: number;
}

/** What to do first, for whoever reads it in a terminal; `portal` is what to do there. */
export function firstSteps(started: Started, portal: string): string {
  return `
Letsdial runs.
${demoSteps(started)}${portal}
  Ctrl-C ends the calls, settles them and stops everything.
`;
}

function demoSteps(started: Started): string {
  const { demo, carrier, home } = started;
  if (demo === null || carrier === null) return withoutDemo(started);
  if (!demo.has_phone) {
    return `
  The demo operator was made in this database before, and his phone is gone or has a password that is not kept in ${home}.
  It is not made again: take another DATABASE_URL or LETSDIAL_HOME for a new demo.
`;
  }
  return firstCall(started, demo, carrier) + firstText(started, demo);
}

function withoutDemo({ demo_wanted, sip, texts, tls_port }: Started): string {
  const why = demo_wanted
    ? `The database has an operator's customers, carriers or prices already, so no demo operator was put beside them. For a demo, name
  another database in DATABASE_URL, or another folder in LETSDIAL_HOME.`
    : 'LETSDIAL_DEMO is no, so no demo operator was made and no simulated carrier was started.';
  return `
  ${why}
      phones    ${sip.address}:${sip.port} (UDP or TCP)
      texts     ${texts.url}, SMPP on ${texts.smpp.address}:${texts.smpp.port}, over TLS on port ${tls_port}
`;
}

function firstCall({ home, sip }: Started, demo: DemoOperator, carrier: CarrierPart): string {
  return `
  Make the first call: let a SIP phone on this machine register with
      server    ${sip.address}:${sip.port} (UDP or TCP)
      user      ${demo.username}
      password  ${demo.password}
  and dial 0033 1 99 00 12 34. It rings, answers, and sends your voice back. The last three digits choose what the
  simulated carrier does instead: 486 is busy, 503 fails, 480 never answers, 555 plays an announcement.

  The phone's virtual number is ${demo.number}. Let the carrier call it, and the phone rings:
      ${carrier.ring(demo.number)}

  What the last call cost, and why:
      npm run -s explain -- last
  Any other is explained by its call id, which stands in each of its lines in
      ${join(home, 'log/controller.log')}
`;
}

function firstText({ home, texts, smsc, tls_port }: Started, demo: DemoOperator): string {
  const send = `fetch('${texts.url}/v1/messages', { method: 'POST', headers: { authorization: 'Bearer ${demo.api_key}', 'content-type': 'application/json' }, body: JSON.stringify({ from: '${demo.number}', to: '+33612345678', text: 'Hello from Letsdial' }) }).then((r) => r.text()).then(console.log)`;
  const answer = `fetch('http://${smsc.address}:${smsc.control_port}/mo', { method: 'POST', body: JSON.stringify({ from: '+33612345678', to: '${demo.number}', text: 'Hello back' }) }).then((r) => r.text()).then(console.log)`;
  return `
  Send the first text from the number:
      node -e "${send}"
  Let somebody answer it:
      node -e "${answer}"
  What a text cost, and what became of it:
      npm run -s explain -- last
  Programs that speak SMPP bind to ${texts.smpp.address}:${texts.smpp.port}, or over TLS to port ${tls_port}, as ${demo.esme.system_id} with the password ${demo.esme.password}.
  Each text is told in ${join(home, 'log/sms-gateway.log')}.
`;
}
