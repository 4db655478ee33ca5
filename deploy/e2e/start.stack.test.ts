import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileMap } from '../../domain/privacy/file_map.ts';
import { freeNetwork } from '../runtime/process/free_network.ts';
import { freePort } from '../runtime/process/free_port.ts';
import { checkout, deploySettings } from '../settings.ts';
import { Phone } from '../sip/phone.ts';
import { talk } from '../world/talk.ts';
import { eventually } from '../world/verdict.ts';

const START_MS = 60_000;

/** `npm start`, as it is seen in the terminal in which it was typed. */
class Started {
  readonly #child: ChildProcess;
  readonly over: Promise<number | null>;
  stdout = '';
  stderr = '';

  constructor(env: Record<string, string>) {
    this.#child = spawn(process.execPath, ['deploy/bootstrap.js', 'deploy/start.ts'], {
      cwd: checkout,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.over = new Promise((resolve) => this.#child.once('close', resolve));
  }

  async runs(): Promise<void> {
    let is_over = false;
    void this.over.then(() => (is_over = true));
    await eventually('the end of the start', START_MS, () => {
      if (is_over) throw new Error(`The start failed: ${this.stderr}`);
      return this.stdout.includes('Letsdial runs.') ? true : null;
    });
  }

  /** What stands behind a word in what was printed. */
  told(pattern: RegExp): string {
    const found = pattern.exec(this.stdout)?.[1];
    if (found === undefined) throw new Error(`The start did not print ${pattern.source}: ${this.stdout}`);
    return found;
  }

  interrupt(): void {
    this.#child.kill('SIGINT');
  }
}

let home: string;
let sip_address: string;
let settings: Record<string, string>;
let letsdial: Started;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'letsdial-start-'));
  // The programs that the tests' own servers run: nothing is fetched twice.
  await symlink(join(deploySettings(process.env).home, 'root'), join(home, 'root'));
  const network = await freeNetwork();
  sip_address = `${network}.1`;
  settings = {
    ...{ LETSDIAL_HOME: home, LETSDIAL_SIMULATED_NETWORK: network, LETSDIAL_SIP_ADDRESS: sip_address },
    LETSDIAL_TEXTS_HTTP_PORT: String(await freePort()),
    LETSDIAL_TEXTS_SMPP_PORT: String(await freePort()),
    LETSDIAL_TEXTS_SMPP_TLS_PORT: String(await freePort()),
    LETSDIAL_PORTAL_PORT: String(await freePort()),
    // Of a service's own settings.
    GATEWAY_OBSERVE_PORT: String(await freePort()),
  };
  letsdial = new Started(settings);
  await letsdial.runs();
}, 2 * START_MS);

afterAll(async () => {
  letsdial.interrupt();
  await letsdial.over;
  await rm(home, { recursive: true, force: true });
}, START_MS);

async function phone(): Promise<Phone> {
  const opened = await Phone.open({
    username: letsdial.told(/user +(\S+)/u),
    password: letsdial.told(/password +(\S+)/u),
    server: { address: sip_address, port: 5060 },
    address: sip_address.replace(/\.1$/u, '.9'),
  });
  expect(await opened.register()).toMatchObject({ kind: 'registered' });
  return opened;
}

/** Every process whose command line or environment names that folder. */
async function processesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/u.test(pid) || Number(pid) === process.pid) continue;
    const read = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
    const [command, environment] = [await read('cmdline'), await read('environ')];
    if (command.includes(folder) || environment.includes(folder)) found.push(`${pid} ${command.replaceAll('\0', ' ')}`);
  }
  return found;
}

/**
 * Sockets that anybody may speak to: of TCP that listen, of UDP that are bound and not connected. Not those of UDP whose port is of the
 * kernel's choice: by one of these the switch asks for names, and takes nothing but answers.
 */
async function listeners(): Promise<{ address: string; inode: string }[]> {
  const kinds: [file: string, state: string][] = [
    ['tcp', '0A'],
    ['tcp6', '0A'],
    ['udp', '07'],
    ['udp6', '07'],
  ];
  const found: { address: string; inode: string }[] = [];
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
  const [first = 0, last = 0] = range.trim().split(/\s+/u).map(Number);
  for (const [file, listens] of kinds) {
    const lines = (await readFile(`/proc/net/${file}`, 'utf8')).split('\n').slice(1);
    for (const line of lines) {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/u);
      const [address = '', hex = ''] = local.split(':');
      const port = Number.parseInt(hex, 16);
      const is_of_kernel = file.startsWith('udp') && port >= first && port <= last;
      if (state === listens && !is_of_kernel) found.push({ address: addressOf(address), inode });
    }
  }
  return found;
}

/** As the kernel writes it: the octets of each four backwards, in hexadecimal. */
function addressOf(hex: string): string {
  if (hex.length > 8) return /^0{24}01000000$/u.test(hex) ? '::1' : hex;
  return [...Buffer.from(hex, 'hex')].reverse().join('.');
}

async function run(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { cwd: checkout, env: { ...process.env, ...settings } });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => (text += more));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  expect(code).toBe(0);
  return text;
}

describe('npm start', () => {
  it('makes the first call as it says, rings the phone behind its number, and explains what it cost', async () => {
    const caller = await phone();
    const call = caller.call(letsdial.told(/dial ([0-9 ]+)\./u).replaceAll(' ', ''));
    await talk(call, 1_500);
    await call.hears('tone', 5_000);
    await call.bye();
    const number = letsdial.told(/virtual number is (\+\d+)/u);
    await run('sh', ['-c', letsdial.told(/(node -e "fetch.*customer.*")\n/u)]);
    const rung = await caller.nextIncoming();
    await rung.answer();
    await talk(rung, 500);
    await rung.bye();
    const told = await run('npm', ['run', '-s', 'explain', '--', 'last']);
    expect(told).toContain(number);
    await caller.close();
  }, 60_000);

  it('hands each service those of its own settings that the environment names', async () => {
    const metrics = await fetch(`http://127.0.0.1:${settings['GATEWAY_OBSERVE_PORT'] ?? ''}/metrics`);
    expect(await metrics.text()).toContain('letsdial_');
  });

  it('listens on this machine alone', async () => {
    const sockets = new Set<string>();
    for (const process_line of await processesOf(home)) {
      const folder = `/proc/${process_line.split(' ', 1)[0] ?? ''}/fd`;
      const open = await readdir(folder).catch((): string[] => []);
      const links = await Promise.all(open.map((fd) => readlink(join(folder, fd)).catch(() => '')));
      for (const link of links) if (link.startsWith('socket:')) sockets.add(link.slice('socket:['.length, -1));
    }
    const listening = (await listeners()).filter(({ inode }) => sockets.has(inode));
    expect(listening.length).toBeGreaterThan(8);
    expect(listening.filter(({ address }) => !/^(127\.|::1$)/u.test(address))).toEqual([]);
  });

  it('writes no log that is not on the map of the data', async () => {
    const written = await Promise.all(
      ['log', 'asterisk/log'].map(async (folder) =>
        (await readdir(join(home, folder), { withFileTypes: true }))
          .filter((entry) => entry.isFile())
          .map(({ name }) => `${folder}/${name}`),
      ),
    );
    expect(written.flat().filter((name) => !(name in fileMap))).toEqual([]);
    expect(written.flat()).toContain('asterisk/log/messages.log');
  });

  it('is started once: a second one says that it runs already', async () => {
    const second = new Started(settings);
    expect(await second.over).toBe(1);
    expect(second.stderr).toContain(`Letsdial already runs out of ${home}, so a second one was not started`);
    expect(second.stderr.trim().split('\n')).toHaveLength(1);
  }, 30_000);

  it(
    'says which port is taken, and leaves nothing behind',
    async () => {
      const other = join(home, 'other');
      await mkdir(other);
      await symlink(join(home, 'root'), join(other, 'root'));
      const second = new Started({
        ...settings,
        ...{ LETSDIAL_HOME: other, LETSDIAL_REDIS_PORT: settings['LETSDIAL_PORTAL_PORT'] ?? '' },
      });
      expect(await second.over).toBe(1);
      expect(second.stderr).toMatch(
        new RegExp(`^The port 127.0.0.1:${settings['LETSDIAL_PORTAL_PORT'] ?? ''} is taken, so Valkey cannot`, 'mu'),
      );
      expect(await processesOf(other)).toEqual([]);
    },
    START_MS,
  );

  it('waits for the calls that live when it is interrupted, and stops with 0 and nothing left', async () => {
    const caller = await phone();
    const call = caller.call(letsdial.told(/dial ([0-9 ]+)\./u).replaceAll(' ', ''));
    await talk(call, 500);
    letsdial.interrupt();
    await talk(call, 1_000);
    expect(call.isLive).toBe(true);
    await call.bye();
    expect(await letsdial.over).toBe(0);
    expect(letsdial.stderr).toBe('');
    expect(await processesOf(home)).toEqual([]);
    await caller.close();
  }, 60_000);

  it(
    'starts again with the data of before, and ends in one sentence when a part of it dies',
    async () => {
      const number = letsdial.told(/virtual number is (\+\d+)/u);
      letsdial = new Started(settings);
      await letsdial.runs();
      expect(letsdial.told(/virtual number is (\+\d+)/u)).toBe(number);
      const [pid] = (await processesOf(home))
        .filter((line) => /asterisk.*carrier/u.test(line))
        .map((line) => Number(line.split(' ')[0]));
      process.kill(pid ?? 0, 'SIGKILL');
      expect(await letsdial.over).toBe(1);
      expect(letsdial.stderr.trim().split('\n')).toHaveLength(1);
      expect(letsdial.stderr).toMatch(/The simulated carrier/u);
      expect(await processesOf(home)).toEqual([]);
    },
    2 * START_MS,
  );
});
