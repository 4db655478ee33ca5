import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { behaviourSchema } from './behaviour.ts';
import { smscSettingsSchema } from './settings.ts';
import { Smsc } from './smsc.ts';
import { NpmEsme, submitFields } from './testing/npm_esme.ts';

it('nobody’s connection is reset before the log says what came of his text', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'letsdial-smsc-'));
  const log_file = join(folder, 'facts.log');
  const accounts = [{ system_id: 'ann', password: 'secret' }];
  const smsc = new Smsc(smscSettingsSchema.parse({ accounts, log_file }));
  await smsc.start();
  smsc.behave(behaviourSchema.parse({ disconnect_per_mille: 1_000 }));
  // What the log holds in the very moment in which the connection is reset.
  const logged: string[] = [];
  const reset = vi.spyOn(Socket.prototype, 'resetAndDestroy').mockImplementation(function (this: Socket) {
    logged.push(readFileSync(log_file, 'utf8'));
    return this.destroy();
  });
  const esme = await NpmEsme.bound({ address: '127.0.0.1', port: smsc.port, system_id: 'ann', password: 'secret' });
  esme.send('submit_sm', submitFields('cut off'));
  await esme.closed.within(5_000);
  expect(logged).toHaveLength(1);
  expect(logged[0]).toContain('"t":"submit"');
  reset.mockRestore();
  await smsc.stop();
  await rm(folder, { recursive: true });
});
