import { z } from 'zod';
import { DIALPLAN_VARIABLE } from '../../dialplan/asterisk/contract.ts';
import { Outage } from '../runtime/outage.ts';
import { ASTERISK_MAJOR, asteriskMajor } from '../runtime/machine/versions.ts';
import type { SwitchAccess } from './asterisk.ts';

const accessSchema = z.object({
  ASTERISK_ARI_URL: z.string().min(1),
  ASTERISK_ARI_USER: z.string().min(1),
  ASTERISK_ARI_PASSWORD: z.string().min(1),
  ASTERISK_AMI_HOST: z.string().min(1),
  ASTERISK_AMI_PORT: z.string().min(1),
  ASTERISK_AMI_USER: z.string().min(1),
  ASTERISK_AMI_PASSWORD: z.string().min(1),
  ASTERISK_CDR_FILE: z.string().min(1),
});

const ANSWER_MS = 5_000;

const infoSchema = z.object({ system: z.object({ version: z.string() }) });
const valueSchema = z.object({ value: z.string() });

/** A switch that is configured to run elsewhere, and does. */
export async function switchElsewhere(): Promise<SwitchAccess> {
  const access = configuredSwitch(process.env);
  await checkSwitch(access);
  return access;
}

/** Everything the controller needs of it has to be said. */
export function configuredSwitch(environment: NodeJS.ProcessEnv): SwitchAccess {
  const parsed = accessSchema.safeParse(environment);
  if (parsed.success) return parsed.data;
  const missing = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new Outage(
    `ASTERISK_ARI_URL names a switch that runs elsewhere, but what else the controller needs of it is not set, so nothing was started: set ${missing}, or unset ASTERISK_ARI_URL for a switch of Letsdial's own.`,
  );
}

/** Throws an `Outage` unless that switch answers, lets us in, is of the version that Letsdial is made for, and has its dialplan. */
export async function checkSwitch(access: SwitchAccess): Promise<void> {
  const { system } = infoSchema.parse(await ask(access, 'asterisk/info?only=system'));
  if (asteriskMajor(`Asterisk ${system.version}`) !== ASTERISK_MAJOR) {
    throw new Outage(
      `The switch that ASTERISK_ARI_URL names is Asterisk ${system.version}, and Letsdial drives Asterisk ${ASTERISK_MAJOR}: name another one, or unset ASTERISK_ARI_URL for a switch of Letsdial's own.`,
    );
  }
  const { value } = valueSchema.parse(await ask(access, `asterisk/variable?variable=${DIALPLAN_VARIABLE}`));
  if (value !== 'yes') {
    throw new Outage(
      `The switch that ASTERISK_ARI_URL names has not the dialplan of Letsdial, so it would let no call through: give it the configuration that a start without ASTERISK_ARI_URL writes to asterisk/etc in LETSDIAL_HOME.`,
    );
  }
}

async function ask(access: SwitchAccess, path: string): Promise<unknown> {
  const { ASTERISK_ARI_URL: url, ASTERISK_ARI_USER: user, ASTERISK_ARI_PASSWORD: password } = access;
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const signal = AbortSignal.timeout(ANSWER_MS);
  const response = await fetch(`${url}/ari/${path}`, { headers: { authorization }, signal }).catch((error: unknown) => {
    throw new Outage(
      `The switch that ASTERISK_ARI_URL names does not answer on ${url}, so nothing was started: start it, or unset ASTERISK_ARI_URL for a switch of Letsdial's own.`,
      { cause: error },
    );
  });
  if (response.ok) return await response.json();
  const why =
    response.status === 401 ? 'refuses ASTERISK_ARI_USER with ASTERISK_ARI_PASSWORD' : `answers ${response.status}`;
  throw new Outage(
    `The switch that ASTERISK_ARI_URL names ${why} where ${url}/ari should be, so nothing was started: check these settings.`,
  );
}
