import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Outage } from '../outage.ts';
import type { Progress } from '../progress.ts';
import { prepareApt, updateIndex } from './fetch.ts';
import type { PrivateApt } from './fetch.ts';
import { machineMirrors } from './machine_mirrors.ts';

export interface ReachableAptOptions {
  /** The archive to fetch from; null: those this machine uses, in turn. */
  mirror: string | null;
  suite: string;
  /** What cannot be fetched where no archive is reached, as a person reads it. */
  wanted: string;
  progress: Progress;
}

/** An apt whose archive could be reached. Of several the last one's failure is the one that is told. */
export async function reachableApt(
  work: string,
  { mirror, suite, wanted, progress }: ReachableAptOptions,
): Promise<PrivateApt> {
  const mirrors = mirror === null ? await machineMirrors() : [mirror];
  let failure = new Outage(
    `This machine does not say where Debian packages are to be had, so ${wanted} cannot be fetched: put the address of a Debian mirror into the setting DEBIAN_MIRROR.`,
  );
  for (const address of mirrors) {
    progress.step(`Reading the index of Debian ${suite}`);
    // The index of another mirror in the same folder would be read along with it.
    await rm(join(work, 'state'), { recursive: true, force: true });
    const apt = await prepareApt(work, address, suite);
    try {
      await updateIndex(apt, progress);
      return apt;
    } catch (error) {
      if (!(error instanceof Outage)) throw error;
      failure = error;
    }
  }
  throw failure;
}
