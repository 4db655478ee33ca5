import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AsteriskOptions } from '../../dialplan/asterisk/options.ts';
import { writeAsterisk } from '../../dialplan/asterisk/write.ts';
import { startAsterisk } from '../runtime/asterisk.ts';
import type { RunningAsterisk } from '../runtime/asterisk.ts';
import type { AsteriskPrograms } from '../runtime/machine/programs.ts';
import { checkCertificate, keptCertificate } from '../runtime/process/certificate.ts';
import type { CertificateFiles } from '../runtime/process/certificate.ts';
import { claimTcp, claimUdp } from '../runtime/process/port.ts';
import { runDirectory } from '../runtime/process/run_directory.ts';
import { openFilesMax } from '../runtime/process/open_files.ts';
import { keptSecret } from '../runtime/process/secret.ts';
import type { Part } from '../supervise/part.ts';
import { setPassword } from './database_login.ts';

/** Beyond this the ports of the media range run out: a call takes four of its ten thousand. */
const CALLS_MAX = 2_400;

export interface AsteriskPartOptions {
  programs: AsteriskPrograms;
  home: string;
  /** Migrated; of a role that may set the password of the role `asterisk`. */
  database_url: string;
  sip: { address: string; port: number };
  rtp: { first_port: number; last_port: number };
  http: { address: string; port: number };
  ami: { address: string; port: number };
  /** For SIP over TLS, on the address of SIP. */
  tls_port: number;
  /** For browser phones, on the address of ARI: a proxy with the portal's own certificate stands in front of it. */
  wss_port: number;
  /** Null: one that vouches for nobody but itself is made and kept, which a phone has to be told to trust. */
  certificate: CertificateFiles | null;
  env?: Readonly<Record<string, string>>;
  /** Of the role `asterisk`, which is shared by all databases of a server; null: one that is made and kept. */
  role_password: string | null;
}

/** What the controller has to know of the switch. */
export interface SwitchAccess {
  ASTERISK_ARI_URL: string;
  ASTERISK_ARI_USER: string;
  ASTERISK_ARI_PASSWORD: string;
  ASTERISK_AMI_HOST: string;
  ASTERISK_AMI_PORT: string;
  ASTERISK_AMI_USER: string;
  ASTERISK_AMI_PASSWORD: string;
  ASTERISK_CDR_FILE: string;
}

export type AsteriskPart = RunningAsterisk & { access: SwitchAccess; certificate_file: string };

/** The switch of our own, configured from the dialplan folder, reading devices and trunks from Postgres as a role that can do nothing else. */
export function asteriskPart(options: AsteriskPartOptions): Part<AsteriskPart> {
  return {
    name: 'Asterisk',
    start: async () => {
      await claimUdp(options.sip.address, options.sip.port, 'Asterisk');
      await claimTcp(options.sip.address, options.sip.port, 'Asterisk');
      await claimTcp(options.sip.address, options.tls_port, 'Asterisk');
      const certificate = options.certificate ?? (await ownCertificate(options));
      await checkCertificate(certificate);
      const configured = await asteriskOptions(options, certificate);
      const { user, password } = configured.postgres;
      await setPassword({ database_url: options.database_url, login: user, password, group: null });
      await mkdir(configured.directories.keys, { recursive: true, mode: 0o700 });
      await writeAsterisk(configured.directories.config, configured);
      const running = await startAsterisk({
        programs: options.programs,
        config_dir: configured.directories.config,
        log_file: join(options.home, 'log/asterisk.log'),
        ...(options.env === undefined ? {} : { env: options.env }),
      });
      const { address, port } = options.sip;
      return {
        ...running,
        describe: `Asterisk for SIP phones on ${address}:${port} (UDP and TCP) and ${address}:${options.tls_port} (TLS)`,
        access: accessOf(configured),
        certificate_file: certificate.certificate_file,
      };
    },
  };
}

function ownCertificate({ home, sip, http }: AsteriskPartOptions): Promise<CertificateFiles> {
  return keptCertificate(join(home, 'secrets', 'tls'), [sip.address, http.address]);
}

/**
 * A call has nine files open: two sockets for each leg's media, and what its threads wake each other with. Asterisk that runs
 * out of them loses its own connections before it refuses a call, so it refuses in good time.
 */
function callsMax(open_files_max: number): number {
  const [files_per_call, files_besides] = [10, 1_000];
  return Math.max(10, Math.min(CALLS_MAX, Math.floor((open_files_max - files_besides) / files_per_call)));
}

async function asteriskOptions(options: AsteriskPartOptions, certificate: CertificateFiles): Promise<AsteriskOptions> {
  const { home, programs, sip, rtp, http, ami } = options;
  const database = new URL(options.database_url);
  const folder = (name: string): string => join(home, 'asterisk', name);
  const secret = (name: string): Promise<string> => keptSecret(join(home, 'secrets', name));
  return {
    directories: {
      config: folder('etc'),
      modules: programs.modules,
      data: programs.data,
      database: folder('db'),
      spool: folder('spool'),
      // Its control socket has the length limit of every Unix socket.
      run: join(await runDirectory(home), 'asterisk'),
      log: folder('log'),
      keys: folder('keys'),
    },
    system_name: 'letsdial',
    sip,
    calls_max: callsMax(await openFilesMax()),
    media_address: sip.address,
    rtp,
    http,
    ari: { user: 'letsdial', password: await secret('ari') },
    ami: { ...ami, user: 'letsdial', password: await secret('ami') },
    postgres: {
      host: database.hostname,
      port: Number(database.port === '' ? '5432' : database.port),
      database: database.pathname.slice(1),
      user: 'asterisk',
      password: options.role_password ?? (await secret('asterisk-database')),
    },
    tls: { ...certificate, sip_port: options.tls_port, https: { address: http.address, port: options.wss_port } },
    cdr_file: folder('cdr/calls.csv'),
  };
}

function accessOf({ http, ari, ami, cdr_file }: AsteriskOptions): SwitchAccess {
  return {
    ASTERISK_ARI_URL: `http://${http.address}:${http.port}`,
    ASTERISK_ARI_USER: ari.user,
    ASTERISK_ARI_PASSWORD: ari.password,
    ASTERISK_AMI_HOST: ami.address,
    ASTERISK_AMI_PORT: String(ami.port),
    ASTERISK_AMI_USER: ami.user,
    ASTERISK_AMI_PASSWORD: ami.password,
    ASTERISK_CDR_FILE: cdr_file,
  };
}
