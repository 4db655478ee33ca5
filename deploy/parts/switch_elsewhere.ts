import { z } from 'zod';
import { Outage } from '../runtime/outage.ts';
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

/** A switch that is configured to run elsewhere: everything the controller needs of it has to be said. */
export function configuredSwitch(environment: NodeJS.ProcessEnv): SwitchAccess {
  const parsed = accessSchema.safeParse(environment);
  if (parsed.success) return parsed.data;
  const missing = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new Outage(
    `ASTERISK_ARI_URL names a switch that runs elsewhere, but what else the controller needs of it is not set, so nothing was started: set ${missing}, or unset ASTERISK_ARI_URL for a switch of Letsdial's own.`,
  );
}
