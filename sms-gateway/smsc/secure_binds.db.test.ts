import { randomUUID } from 'node:crypto';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keptCertificate } from '../../deploy/runtime/process/certificate.ts';
import { makeEsme } from '../../deploy/world/texts.ts';
import { eventually } from '../../deploy/world/verdict.ts';
import { textBooks } from '../../domain/texts/testing/texts.ts';
import type { TextBooks } from '../../domain/texts/testing/texts.ts';
import type { Acceptance } from '../accept/acceptor.ts';
import type { TextRequest } from '../accept/text_request.ts';
import { Guesses } from '../http/guesses.ts';
import { systemClock } from '../smpp/clock.ts';
import { SESSION_DEFAULTS } from '../smpp/session_settings.ts';
import { STATUS } from '../smpp/status.ts';
import { Certificate } from './certificate.ts';
import { CustomerSmsc } from './customer_smsc.ts';
import type { SmscPorts } from './customer_smsc.ts';
import { NpmEsme } from './testing/npm_esme.ts';

const LOOPBACK = '127.0.0.1';
const PASSWORD = 'secret';

let books: TextBooks;
let folder = '';
let files = { certificate_file: '', key_file: '' };
let smsc: CustomerSmsc;
let ports: SmscPorts;
/** Texts that were submitted, and what was written into the log. */
let submitted: TextRequest[] = [];
let log: string[] = [];
const esmes: NpmEsme[] = [];

beforeAll(async () => {
  books = await textBooks();
  folder = await mkdtemp(join(tmpdir(), 'smsc-tls-'));
});

beforeEach(async () => {
  files = { certificate_file: join(folder, `${randomUUID()}.pem`), key_file: join(folder, `${randomUUID()}.pem`) };
  await issue();
  [submitted, log] = [[], []];
  smsc = customerSmsc();
  ports = await smsc.listen();
});

afterEach(async () => {
  for (const esme of esmes.splice(0)) esme.close();
  await smsc.close();
});

afterAll(async () => {
  await rm(folder, { recursive: true });
  await books.end();
});

/** Puts a new certificate and its key in the place of those that are there. */
async function issue(): Promise<void> {
  const issued = await keptCertificate(join(folder, randomUUID()), [LOOPBACK]);
  await copyFile(issued.certificate_file, files.certificate_file);
  await copyFile(issued.private_key_file, files.key_file);
}

function customerSmsc(): CustomerSmsc {
  const now = Date.now;
  return new CustomerSmsc({
    doors: { host: LOOPBACK, port: 0, tls: { port: 0, certificate: new Certificate(files) } },
    certificate_look_ms: 20,
    server: {
      ...{ connections_max: 100, connections_per_address_max: 100, handshake_timeout_ms: 5_000 },
      session: SESSION_DEFAULTS,
    },
    ...{ system_id: 'letsdial', db: books.pool, clock: systemClock, random: Math.random },
    accept: (request) => {
      submitted.push(request);
      return Promise.resolve(ACCEPTED);
    },
    judge: {
      ...{ sell: () => null, newId: randomUUID, now, segments_max: 10, national_languages: () => [] },
      ...{ validity_ms: 60_000, ahead_ms_max: 60_000 },
    },
    screen: () => ({ kind: 'pass' }),
    giveBack: () => Promise.resolve(),
    onOutbind: () => ({ kind: 'unexpected' }),
    guesses: new Guesses(() => performance.now()),
    ...{ refresh_ms: 60_000, delivery_lease_ms: 60_000, delivery_poll_ms: 60_000 },
    onDelivery: () => undefined,
    log: pino({ level: 'info' }, { write: (line) => log.push(line) }),
  });
}

const ACCEPTED: Acceptance = {
  ...{ kind: 'accepted', id: randomUUID(), encoding: 'gsm7', segments: 1, net_micros: 1n, tax_micros: 0n },
  ...{ currency: 'EUR', is_held: false },
};

async function customer(more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const { account_id } = await books.customer(1_000_000n);
  const system_id = `c${randomUUID().slice(0, 8)}`;
  await makeEsme(books.pool, account_id, { system_id, password: PASSWORD, more });
  return system_id;
}

/** Resolves with the status of the bind. */
async function bind(system_id: string, tls: boolean): Promise<{ esme: NpmEsme; status: number }> {
  const port = tls ? (ports.smpp_tls ?? 0) : ports.smpp;
  const esme = await NpmEsme.connect({ address: LOOPBACK, port, tls });
  esmes.push(esme);
  return { esme, status: await esme.bind('bind_transceiver', system_id, PASSWORD) };
}

const TEXT = { source_addr: 'ACME', destination_addr: '447700900123', short_message: 'Hello' };
const submitStatus = async (esme: NpmEsme): Promise<number> => (await esme.ask('submit_sm', TEXT)).command_status;
const logged = (words: string): string[] => log.filter((line) => line.includes(words));

describe('a customer who binds over TLS', () => {
  it('submits as one does who binds in the clear', async () => {
    const system_id = await customer();
    for (const tls of [true, false]) {
      const { esme, status } = await bind(system_id, tls);
      expect([status, await submitStatus(esme)]).toEqual([STATUS.ESME_ROK, STATUS.ESME_ROK]);
    }
    expect(submitted.map(({ recipient, system_id: by }) => [recipient, by])).toEqual(
      [1, 2].map(() => ['+447700900123', system_id]),
    );
  });

  it('is the only one who may, where the customer’s row says so, and the log says why', async () => {
    const system_id = await customer({ tls_required: true });
    expect((await bind(system_id, false)).status).toBe(STATUS.ESME_RBINDFAIL);
    expect(logged('a bind was refused: it came in the clear, and is to come over TLS')).toHaveLength(1);
    expect((await bind(system_id, true)).status).toBe(STATUS.ESME_ROK);
  });

  it('stays when that is asked of the customer, and a bind in the clear ends', async () => {
    const system_id = await customer();
    const { esme: in_the_clear } = await bind(system_id, false);
    const { esme: secure } = await bind(system_id, true);
    await books.pool.query('update esme set tls_required = true where system_id = $1', [system_id]);
    smsc.changed();
    await in_the_clear.closed;
    expect(logged('was bound in the clear')).toHaveLength(1);
    expect(await submitStatus(secure)).toBe(STATUS.ESME_ROK);
  });
});

describe('a certificate', () => {
  const shown = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: LOOPBACK, port: ports.smpp_tls ?? 0, rejectUnauthorized: false }, () => {
        resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '');
        socket.destroy();
      });
      socket.once('error', reject);
    });

  it('that was renewed is shown without a restart, and one that cannot be used never', async () => {
    const first = await shown();
    const { esme } = await bind(await customer(), true);
    for (const unfinished of ['half of a certifi', '']) {
      await writeFile(files.certificate_file, unfinished);
      log = [];
      await eventually('two warnings', 5_000, () => (logged('cannot be used').length > 1 ? true : null));
      expect(await shown()).toBe(first);
    }
    await issue();
    await eventually('the new certificate', 5_000, async () => ((await shown()) === first ? null : true));
    expect(logged('see the renewed certificate')).toHaveLength(1);
    expect(await submitStatus(esme)).toBe(STATUS.ESME_ROK);
  });

  it('that is missing, or whose key is another’s, keeps the SMSC from starting, in one sentence', async () => {
    const other = await keptCertificate(join(folder, randomUUID()), [LOOPBACK]);
    await copyFile(other.private_key_file, files.key_file);
    await expect(customerSmsc().listen()).rejects.toThrow(/ cannot be used, .*key values mismatch\. Put both right/u);
    await rm(files.key_file);
    await expect(customerSmsc().listen()).rejects.toThrow(/ cannot be used, .* no such file/u);
  });
});
