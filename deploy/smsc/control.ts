import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { z } from 'zod';
import { behaviourSchema } from './behaviour.ts';
import { moOrderSchema } from './mo_order.ts';
import type { Smsc } from './smsc.ts';

const BODY_OCTETS_MAX = 1_000_000;
const switchSchema = z.strictObject({ on: z.boolean() });

interface Answer {
  status: number;
  body: unknown;
}

type Route = (smsc: Smsc, body: unknown) => Answer | Promise<Answer>;

/** What the carrier can be told over HTTP; all bodies are JSON. */
const ROUTES: Readonly<Record<string, Route>> = {
  'GET /healthz': () => done({ ready: true }),
  'GET /state': (smsc) => done(smsc.state),
  'GET /counts': (smsc) => done(smsc.counts),
  'GET /behaviour': (smsc) => done(smsc.behaviour),
  /** The whole of it: what is left out is as of a perfect carrier. */
  'PUT /behaviour': (smsc, body) => {
    smsc.behave(behaviourSchema.parse(body));
    return done(smsc.behaviour);
  },
  'POST /disconnect': (smsc) => done({ disconnected: smsc.disconnect() }),
  'POST /listen': async (smsc, body) => {
    await smsc.listen(switchSchema.parse(body).on);
    return done({ listening: smsc.state.listening });
  },
  'POST /stop-reading': (smsc, body) => {
    smsc.read(!switchSchema.parse(body).on);
    return done({ reading: smsc.state.reading });
  },
  'POST /mo': async (smsc, body) => {
    const order = moOrderSchema.parse(body);
    const result = await smsc.sendMo(order);
    if (result === null) return { status: 404, body: { error: `Nobody may bind as ${order.system_id ?? ''}.` } };
    return done(result);
  },
};

function done(body: unknown): Answer {
  return { status: 200, body };
}

/** The control port of a carrier that runs. */
export function controlServer(smsc: Smsc): Server {
  return createServer((request, response) => {
    void answer(smsc, request).then(({ status, body }) => {
      smsc.writeLog();
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(`${JSON.stringify(body)}\n`);
    });
  });
}

async function answer(smsc: Smsc, request: IncomingMessage): Promise<Answer> {
  const route = ROUTES[`${request.method ?? ''} ${request.url ?? ''}`];
  if (route === undefined) return { status: 404, body: { error: `There is only: ${Object.keys(ROUTES).join(', ')}.` } };
  try {
    return await route(smsc, await bodyOf(request));
  } catch (error) {
    if (error instanceof z.ZodError) return { status: 400, body: { error: z.prettifyError(error) } };
    if (error instanceof SyntaxError) return { status: 400, body: { error: `The body is not JSON: ${error.message}` } };
    if (error instanceof RangeError) return { status: 400, body: { error: error.message } };
    return { status: 500, body: { error: error instanceof Error ? (error.stack ?? error.message) : String(error) } };
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let octets = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    octets += chunk.length;
    if (octets > BODY_OCTETS_MAX) throw new SyntaxError('it is too long');
    chunks.push(chunk);
  }
  return octets === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString()) as unknown);
}
