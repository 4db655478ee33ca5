import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AsteriskSwitchOptions } from '../../../controller/switch/asterisk/options.ts';
import type { AsteriskOptions } from '../../../dialplan/asterisk/options.ts';
import { writeAsterisk } from '../../../dialplan/asterisk/write.ts';
import { startAsterisk } from '../../runtime/asterisk.ts';
import type { RunningAsterisk } from '../../runtime/asterisk.ts';
import type { AsteriskPrograms } from '../../runtime/machine/programs.ts';
import { stackAddresses } from './addresses.ts';
import type { StackAddresses } from './addresses.ts';
import { seedSwitch, TEST_PASSWORD } from './seed.ts';

/** One Asterisk of Letsdial with devices and trunks from a database, on loopback addresses of its own. */
export interface SwitchStack {
  addresses: StackAddresses;
  sip: { address: string; port: number };
  options: AsteriskOptions;
  adapter: Omit<AsteriskSwitchOptions, 'problem'>;
  asterisk: RunningAsterisk;
  /** As `startSwitchStack` started it, after the process is gone. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface StackOptions {
  programs: AsteriskPrograms;
  /** Migrated; of a role that may write. */
  database_url: string;
  devices: readonly string[];
  env?: Readonly<Record<string, string>>;
}

export async function startSwitchStack({ programs, database_url, devices, env }: StackOptions): Promise<SwitchStack> {
  const home = await mkdtemp(join(tmpdir(), 'letsdial-switch-'));
  const addresses = await stackAddresses();
  await seedSwitch(database_url, addresses, devices);
  const options = asteriskOptions(home, programs, addresses, database_url);
  await writeAsterisk(options.directories.config, options);
  const start = (): Promise<RunningAsterisk> =>
    startAsterisk({
      programs,
      config_dir: options.directories.config,
      log_file: join(home, 'log/asterisk.log'),
      ...(env === undefined ? {} : { env }),
    });
  const stack: SwitchStack = {
    addresses,
    sip: options.sip,
    options,
    adapter: {
      ari: { url: `http://${options.http.address}:${options.http.port}`, ...options.ari },
      ami: {
        host: options.ami.address,
        port: options.ami.port,
        user: options.ami.user,
        password: options.ami.password,
      },
      cdr_file: options.cdr_file,
      request_timeout_ms: 3_000,
      heartbeat_ms: 2_000,
      reconnect_ms: { first: 100, most: 1_000 },
    },
    asterisk: await start(),
    restart: async () => {
      stack.asterisk = await start();
    },
    stop: async () => {
      await stack.asterisk.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
  return stack;
}

function asteriskOptions(
  home: string,
  programs: AsteriskPrograms,
  addresses: StackAddresses,
  database_url: string,
): AsteriskOptions {
  const database = new URL(database_url);
  const secret = (): string => randomBytes(16).toString('hex');
  const folder = (name: string): string => join(home, name);
  return {
    directories: {
      config: folder('etc'),
      modules: programs.modules,
      data: programs.data,
      database: folder('db'),
      spool: folder('spool'),
      run: folder('run'),
      log: folder('log'),
      keys: folder('keys'),
    },
    system_name: 'test',
    sip: { address: addresses.switch, port: 5060 },
    calls_max: 100,
    media_address: addresses.switch,
    rtp: { first_port: 10_000, last_port: 20_000 },
    http: { address: addresses.switch, port: 8088 },
    ari: { user: 'letsdial', password: secret() },
    ami: { address: addresses.switch, port: 5038, user: 'letsdial', password: secret() },
    postgres: {
      host: database.hostname,
      port: Number(database.port),
      database: database.pathname.slice(1),
      user: 'asterisk',
      password: TEST_PASSWORD,
    },
    tls: null,
    cdr_file: join(home, 'cdr/calls.csv'),
  };
}
