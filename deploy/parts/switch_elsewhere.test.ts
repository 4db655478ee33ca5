import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { freePort } from '../runtime/process/free_port.ts';
import { checkSwitch, configuredSwitch } from './switch_elsewhere.ts';

const environment = {
  ...{ ASTERISK_ARI_URL: 'http://127.0.0.1:1', ASTERISK_ARI_USER: 'letsdial', ASTERISK_ARI_PASSWORD: 'right' },
  ...{ ASTERISK_AMI_HOST: '127.0.0.1', ASTERISK_AMI_PORT: '5038', ASTERISK_AMI_USER: 'letsdial' },
  ...{ ASTERISK_AMI_PASSWORD: 'p', ASTERISK_CDR_FILE: '/cdr.csv' },
};

let server: Server | null = null;

afterEach(() => {
  server?.close();
  server = null;
});

/** Something that says of itself what a switch would. */
async function switchOf(version: string, dialplan: string): Promise<string> {
  const right = `Basic ${Buffer.from('letsdial:right').toString('base64')}`;
  const made = createServer((request, response) => {
    response.statusCode = request.headers.authorization === right ? 200 : 401;
    const answer = request.url?.includes('variable') === true ? { value: dialplan } : { system: { version } };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  });
  const port = await freePort();
  await new Promise<void>((resolve) => made.listen(port, '127.0.0.1', resolve));
  server = made;
  return `http://127.0.0.1:${port}`;
}

it('needs everything that is to be said of it', () => {
  expect(() => configuredSwitch({ ...environment, ASTERISK_CDR_FILE: '' })).toThrow(/set ASTERISK_CDR_FILE, or unset/u);
});

it.each([
  ['22.10.1', 'yes', 'right', null],
  ['certified/22.8-cert1', 'yes', 'right', null],
  ['20.11.0', 'yes', 'right', /is Asterisk 20\.11\.0, and Letsdial drives Asterisk 22/u],
  ['22.10.1', '', 'right', /has not the dialplan of Letsdial/u],
  ['22.10.1', 'yes', 'wrong', /refuses ASTERISK_ARI_USER/u],
])('of version %s with “%s” for its dialplan and the %s password', async (version, dialplan, password, complaint) => {
  const url = await switchOf(version, dialplan);
  const checked = checkSwitch({ ...environment, ASTERISK_ARI_URL: url, ASTERISK_ARI_PASSWORD: password });
  if (complaint === null) await checked;
  else await expect(checked).rejects.toThrow(complaint);
});

it('has to answer', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  await expect(checkSwitch({ ...environment, ASTERISK_ARI_URL: url })).rejects.toThrow(/does not answer on/u);
});
