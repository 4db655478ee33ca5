import { Client } from '../client.ts';
import { systemClock } from '../clock.ts';
import type { Session } from '../session.ts';
import { SESSION_DEFAULTS } from '../session_settings.ts';
import { STATUS } from '../status.ts';
import { sampleSubmitSm, sampleSubmitSmResponse } from '../testing/sample.ts';
import { serverStage } from '../testing/server_stage.ts';
import type { RequestOutcome } from '../window.ts';

/** Both ends in this process, over loopback: what a submit_sm and its response cost in all, kernel included. */
const WARM_UP = 20_000;
const MEASURED = Number(process.argv[2] ?? 100_000);
const WINDOW_REQUESTS = 100;

const answer = sampleSubmitSmResponse('0123456789');
const { server, port } = await serverStage({
  owner: { onRequest: (_session, _pdu, respond) => respond(STATUS.ESME_ROK, answer) },
});
const body = sampleSubmitSm({ short_message: Buffer.alloc(70, 65) });

let [sent, answered, until] = [0, 0, 0];
let done: () => void = () => undefined;
const requester = {
  onOutcome(outcome: RequestOutcome): void {
    if (outcome.kind !== 'response') throw new Error(`A submit_sm was not answered: ${outcome.why}.`);
    answered += 1;
    if (answered === until) done();
  },
};

function pump(session: Session): void {
  while (sent < until && session.request(body, requester)) sent += 1;
}

async function carry(session: Session, count: number): Promise<void> {
  until = answered + count;
  await new Promise<void>((resolve) => {
    done = resolve;
    pump(session);
  });
}

let onBound: (session: Session) => void = () => undefined;
const bound = new Promise<Session>((resolve) => {
  onBound = resolve;
});
const client = new Client(
  {
    host: '127.0.0.1',
    port,
    tls: null,
    bind: { mode: 'trx', system_id: 'bench', password: 'bench' },
    session: { ...SESSION_DEFAULTS, window_requests: WINDOW_REQUESTS },
    backoff: { first_ms: 100, most_ms: 1_000 },
    stable_ms: 1_000,
  },
  { onBound, onLost: () => undefined, onRequest: () => undefined, onCanSend: pump },
  systemClock,
  Math.random,
);
client.start();
const session = await bound;

await carry(session, WARM_UP);
const cpu = process.cpuUsage();
const begin = performance.now();
await carry(session, MEASURED);
const took_ms = performance.now() - begin;
const { user, system } = process.cpuUsage(cpu);
const cpu_us = (user + system) / MEASURED;
console.log(
  `SMPP sessions, both ends in one process, window ${WINDOW_REQUESTS}: ${cpu_us.toFixed(1)} µs CPU a submit_sm with its response`,
);
console.log(
  JSON.stringify({
    cpu_us_per_message: Number(cpu_us.toFixed(1)),
    messages_per_s: Math.round((MEASURED * 1_000) / took_ms),
  }),
);
await client.stop();
await server.close();
