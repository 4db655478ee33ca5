import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { controlServer } from './control.ts';
import { smscSettingsSchema } from './settings.ts';
import { SimulatedCarrier } from './simulated_carrier.ts';
import { Smsc } from './smsc.ts';
import { NpmEsme } from './testing/npm_esme.ts';

it('nobody is told of an acknowledgement that is not in the log yet', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'letsdial-smsc-'));
  const log_file = join(folder, 'facts.log');
  const accounts = [{ system_id: 'ann', password: 'secret' }];
  const smsc = new Smsc(smscSettingsSchema.parse({ accounts, log_file }));
  await smsc.start();
  const control = controlServer(smsc).listen(0, '127.0.0.1');
  await once(control, 'listening');
  // What the log holds in the very moment in which the answer goes out.
  const logged: string[] = [];
  control.prependListener('request', (_, response) => {
    const writeHead = response.writeHead.bind(response);
    response.writeHead = (status: number, ...rest: never[]) => {
      logged.push(readFileSync(log_file, 'utf8'));
      return writeHead(status, ...rest);
    };
  });
  const { port } = control.address() as AddressInfo;
  const esme = await NpmEsme.bound({ address: '127.0.0.1', port: smsc.port, system_id: 'ann', password: 'secret' });
  const carrier = new SimulatedCarrier(`http://127.0.0.1:${port}`);
  const { parts } = await carrier.sendMo({
    from: '+447700900123',
    to: '+36301234567',
    text: 'Hello',
    system_id: 'ann',
  });
  expect(parts).toEqual([{ part: 1, status: 0 }]);
  expect(logged).toHaveLength(1);
  expect(logged[0]).toContain('"t":"mo_ack"');
  esme.end();
  control.close();
  control.closeAllConnections();
  await smsc.stop();
  await rm(folder, { recursive: true });
});
