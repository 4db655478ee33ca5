import { join } from 'node:path';
import { writeCarrier } from '../../dialplan/carrier/render.ts';
import type { CarrierOptions } from '../../dialplan/carrier/options.ts';
import { startAsterisk } from '../runtime/asterisk.ts';
import type { RunningAsterisk } from '../runtime/asterisk.ts';
import type { AsteriskPrograms } from '../runtime/machine/programs.ts';
import { freePort } from '../runtime/process/free_port.ts';
import { claimUdp } from '../runtime/process/port.ts';
import { runDirectory } from '../runtime/process/run_directory.ts';
import { keptSecret } from '../runtime/process/secret.ts';
import type { Part } from '../supervise/part.ts';

export interface CarrierPartOptions {
  programs: AsteriskPrograms;
  home: string;
  sip: { address: string; port: number };
  /** Our own switch. */
  customer: { address: string; port: number };
}

export type CarrierPart = RunningAsterisk & {
  /** A shell command that makes the carrier call one of our numbers; of Node alone, as a bare machine has no curl. */
  ring: (number: string) => string;
};

/** A second Asterisk that plays a carrier: what we call rings and answers with an echo, and it can call our numbers. */
export function carrierPart(options: CarrierPartOptions): Part<CarrierPart> {
  return { name: 'Simulated carrier', start: () => start(options) };
}

async function start({ programs, home, sip, customer }: CarrierPartOptions): Promise<CarrierPart> {
  await claimUdp(sip.address, sip.port, 'the simulated carrier');
  const folder = (name: string): string => join(home, 'carrier', name);
  const carrier: CarrierOptions = {
    directories: {
      config: folder('etc'),
      modules: programs.modules,
      data: programs.data,
      database: folder('db'),
      spool: folder('spool'),
      run: join(await runDirectory(home), 'carrier'),
      log: folder('log'),
      keys: folder('keys'),
    },
    system_name: 'carrier',
    sip,
    rtp: { first_port: 30_000, last_port: 34_999 },
    http: { port: await freePort() },
    ari: { user: 'carrier', password: await keptSecret(join(home, 'secrets/carrier-ari')) },
    customer: { addresses: [customer.address], host: customer.address, port: customer.port },
    ring_ms: 1500,
  };
  await writeCarrier(carrier.directories.config, carrier);
  const running = await startAsterisk({
    programs,
    name: 'The simulated carrier',
    config_dir: carrier.directories.config,
    log_file: join(home, 'log/carrier.log'),
  });
  const ari = `http://${sip.address}:${carrier.http.port}/ari/channels?api_key=${carrier.ari.user}:${carrier.ari.password}`;
  return {
    ...running,
    describe: `Simulated carrier on ${sip.address}:${sip.port}`,
    ring: (number) =>
      `node -e "fetch('${ari}&endpoint=PJSIP/${number.replace('+', '%2B')}@customer&callerId=%2B33199001234&context=originated&extension=s&priority=1', { method: 'POST' })"`,
  };
}
